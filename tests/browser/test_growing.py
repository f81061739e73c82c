"""An analysis is seen while it grows, is stopped, and goes on."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Response, expect
from serving import serve_dashboard
from viewing import WAIT_FOR_TILES, open_place

from seg_core.model.card import MODEL_VARIABLE

pytestmark = pytest.mark.browser

# By the small model a fast processor has answered the slide before anybody can stop it.
SLOW = {MODEL_VARIABLE: "nuclei-resnet18"}
JOB_MS = 300_000  # a ceiling for a machine that is busy: the worker gives way to everything else
TILE = re.compile(r"Tile ([\d,]+) of ([\d,]+)")


def test_the_overlay_grows_and_what_was_stopped_is_shown_and_goes_on(
    page: Page, tmp_path: Path
) -> None:
    with serve_dashboard(tmp_path, **SLOW) as dashboard:
        viewer = open_place(page, dashboard, query="")
        viewer.evaluate("viewer => { viewer.slideViewer.isTheFirst = true; }")
        with page.expect_response(is_painted, timeout=JOB_MS) as painted:
            page.get_by_role("button", name="Analyse slide").click()
            expect(page.get_by_role("button", name="Stop")).to_be_visible()
        with page.expect_response(
            lambda answer: is_painted(answer) and maps_of(answer) != maps_of(painted.value),
            timeout=JOB_MS,
        ):
            pass
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        expect(viewer.get_by_role("switch", name="Classes")).to_be_checked()
        expect(viewer.get_by_role("group", name="Classes")).to_be_visible()
        expect(viewer.get_by_text("nuclei are counted at the end")).to_be_visible()

        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("Stopped. What was")).to_be_visible(timeout=JOB_MS)
        expect(page.get_by_text(re.compile(r"Whole slide: \d+\s% is there"))).to_be_visible()
        assert viewer.evaluate("viewer => viewer.slideViewer.isTheFirst"), "the view was lost"
        page.reload()
        expect(page.locator("section.viewer .openseadragon-canvas").first).to_be_visible()
        expect(viewer.get_by_role("switch", name="Classes")).to_be_checked()
        viewer.evaluate(WAIT_FOR_TILES)

        page.get_by_role("button", name="Resume").click()
        shown = page.get_by_text(TILE).first
        expect(shown).to_be_visible(timeout=JOB_MS)
        done, total = (int(each.replace(",", "")) for each in TILE.findall(shown.inner_text())[0])
        assert done > total / 40, "it began anew"
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=JOB_MS)


def is_painted(answer: Response) -> bool:
    """Is it a tile of a run that is at work, with anything on it?"""
    if "/classes/" not in answer.url or not maps_of(answer):
        return False
    return bool(np.asarray(Image.open(io.BytesIO(answer.body())))[..., 3].any())


def maps_of(answer: Response) -> str:
    """Which version of its maps an address names."""
    found = re.search(r"maps=(\w+)", answer.url)
    return found[1] if found else ""
