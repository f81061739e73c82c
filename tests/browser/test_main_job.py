"""The main job as a reader does it, from the sample slide to the table."""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Response, expect

from seg_core.classes import MONUSAC

pytestmark = pytest.mark.browser

JOB_MS = 600_000  # a ceiling for a machine that is busy; a quiet one needs ten seconds
SAMPLE = "cmu_small_region.svs"

# A piece of the sample with epithelium and stroma, level-0 pixels.
LEFT, TOP, WIDTH, HEIGHT = 900, 1300, 400, 300

SHOW_PIECE = f"""viewer => {{
    const {{ osd }} = viewer.slideViewer;
    const slide = osd.world.getItemAt(0);
    osd.viewport.fitBounds(
        slide.imageToViewportRectangle({LEFT}, {TOP}, {WIDTH}, {HEIGHT}), true);
    return new Promise(resolve => slide.whenFullyLoaded(() => resolve()));
}}"""

# OpenSeadragon says when all tiles of an image in view are there, and draws in the next frame.
WAIT_FOR_TILES = """viewer => {
    const { world } = viewer.slideViewer.osd;
    const images = Array.from({ length: world.getItemCount() }, (_, i) => world.getItemAt(i));
    return Promise.all(images.map(image => new Promise(done => image.whenFullyLoaded(done))))
        .then(() => new Promise(done => viewer.slideViewer.osd.addOnceHandler("update-viewport", done)
            && viewer.slideViewer.osd.forceRedraw()));
}"""

VIEW = "viewer => { const b = viewer.slideViewer.osd.viewport.getBounds(); return [b.x, b.y, b.width, b.height]; }"


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
    expect(page.get_by_text("Region of")).to_be_visible()
    page.get_by_role("button", name="Analyse region").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_role("group", name="Classes")).to_be_visible(timeout=JOB_MS)

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


def open_sample(page: Page, dashboard: str) -> Locator:
    page.goto(dashboard)
    page.get_by_role("button", name="Choose").first.click()
    expect(page.get_by_role("heading", name=SAMPLE)).to_be_visible()
    with page.expect_response(lambda answer: "/slide/" in answer.url) as first_tile:
        page.get_by_role("button", name="Open in the viewer").click()
    assert first_tile.value.headers["content-type"] == "image/jpeg"
    viewer = page.locator("section.viewer")
    expect(viewer.locator(".openseadragon-canvas").first).to_be_visible()
    return viewer


def draw_rectangle(page: Page, viewer: Locator) -> None:
    """Draw over the middle of the view, from a quarter to three quarters."""
    box = viewer.locator(".image").bounding_box()
    assert box is not None
    viewer.get_by_role("button", name="Draw a rectangle").click()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.75, steps=4)
    page.mouse.up()


def inside_of_drawn(picture: np.ndarray) -> np.ndarray:
    """Mask of what `draw_rectangle` has drawn, with room for a pixel of the slide and a line."""
    height, width = picture.shape
    margin = 12
    inside = np.zeros((height, width), dtype=bool)
    rows = slice(height // 4 - margin, height * 3 // 4 + margin)
    columns = slice(width // 4 - margin, width * 3 // 4 + margin)
    inside[rows, columns] = True
    return inside


def canvas_of(viewer: Locator) -> np.ndarray:
    """What OpenSeadragon has drawn, (H, W, 3)."""
    encoded = viewer.evaluate(
        "viewer => viewer.slideViewer.osd.drawer.canvas.toDataURL('image/png')"
    )
    content = io.BytesIO(base64.b64decode(encoded.partition(",")[2]))
    return np.asarray(Image.open(content).convert("RGB"))


def has_class_colours(answer: Response) -> bool:
    painted = np.asarray(Image.open(io.BytesIO(answer.body())))
    colours = {tuple(colour) for colour in painted[painted[..., 3] == 255][:, :3].tolist()}
    return bool(colours) and colours <= {each.rgb for each in MONUSAC.classes}
