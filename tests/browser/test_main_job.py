"""The main job as a reader does it, from the sample slide to the table."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Page, Response, expect
from viewing import SHOW_PIECE, VIEW, WAIT_FOR_TILES, canvas_of, draw_rectangle, open_sample

from seg_core.classes import MONUSAC

pytestmark = pytest.mark.browser

JOB_MS = 600_000  # a ceiling for a machine that is busy; a quiet one needs ten seconds


def test_a_region_of_the_sample_is_analysed_seen_and_downloaded(
    dashboard: str, page: Page, tmp_path: Path
) -> None:
    class_tiles: list[Response] = []
    page.on("response", lambda answer: "/classes/" in answer.url and class_tiles.append(answer))

    viewer = open_sample(page, dashboard)
    viewer.evaluate(SHOW_PIECE)
    viewer.evaluate(WAIT_FOR_TILES)
    view, before = viewer.evaluate(VIEW), canvas_of(viewer)

    draw_rectangle(page, viewer)
    expect(page.get_by_text("Rectangle of")).to_be_visible()
    page.get_by_role("button", name="Analyse region").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    # classes are seen while it is at work, nuclei when it is done
    expect(viewer.get_by_role("switch", name="Nuclei")).to_be_visible(timeout=JOB_MS)
    expect(page.get_by_role("group", name="Classes")).to_be_visible()

    viewer.evaluate(WAIT_FOR_TILES)
    assert viewer.evaluate(VIEW) == view
    assert any(has_class_colours(answer) for answer in class_tiles)
    changed = np.any(canvas_of(viewer) != before, axis=2)
    inside = inside_of_drawn(changed)
    # how much is painted depends on the weights; a single nucleus has hundreds of pixels here
    assert np.count_nonzero(changed[inside]) > 1000, "the overlay is not painted"
    assert not changed[~inside].any(), "the overlay reaches out of the analysed region"

    page.get_by_role("link", name="Nuclei").click()
    shown = page.get_by_test_id("stMetric").filter(has_text="Nuclei").first
    count = int(shown.get_by_test_id("stMetricValue").inner_text().replace(",", ""))
    assert count > 0
    page.get_by_role("radio", name="Downloads").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    download.value.save_as(tmp_path / "nuclei.csv")
    assert len(pd.read_csv(tmp_path / "nuclei.csv")) == count


def inside_of_drawn(picture: np.ndarray) -> np.ndarray:
    """Mask of what `draw_rectangle` has drawn, with room for a pixel of the slide and a line."""
    height, width = picture.shape
    margin = 12
    inside = np.zeros((height, width), dtype=bool)
    rows = slice(height // 4 - margin, height * 3 // 4 + margin)
    columns = slice(width // 4 - margin, width * 3 // 4 + margin)
    inside[rows, columns] = True
    return inside


def has_class_colours(answer: Response) -> bool:
    """Are opaque pixels of a class's colour? On a border between two classes they are of both."""
    painted = np.asarray(Image.open(io.BytesIO(answer.body())))
    opaque = painted[painted[..., 3] == 255][:, :3]
    of_class = [(opaque == each.rgb).all(axis=1) for each in MONUSAC.classes]
    return len(opaque) > 0 and np.any(of_class, axis=0).mean() > 0.9
