"""Layers over the slide, as they are seen: switched, compared, taken away."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from serving import serve_dashboard
from viewing import WAIT_FOR_TILES, canvas_of, draw_rectangle, open_place, open_sample

pytestmark = pytest.mark.browser


def test_a_layer_is_switched_compared_and_saved(page: Page, tmp_path: Path) -> None:
    """Nothing has been analysed here, as it may have been by another test."""
    with serve_dashboard(tmp_path) as dashboard:
        switch_compare_and_save(page, open_sample(page, dashboard))


def switch_compare_and_save(page: Page, viewer: Locator) -> None:
    viewer.evaluate(WAIT_FOR_TILES)
    bare = canvas_of(viewer)
    expect(viewer.get_by_role("group", name="Classes")).to_be_hidden()

    switch_on(page, viewer, "Haematoxylin")
    whole = changed(viewer, bare)
    width = whole.shape[1]
    left, right = slice(0, width // 2 - 3), slice(width // 2 + 3, width)
    assert whole[:, left].any()
    assert whole[:, right].any()

    viewer.get_by_role("button", name="Compare").click()
    line = viewer.get_by_role("slider", name="Layers are shown to the right of this line")
    expect(line).to_be_focused()
    viewer.evaluate(WAIT_FOR_TILES)
    half = changed(viewer, bare)
    assert not half[:, left].any()
    assert half[:, right].any()

    line.press("End")
    viewer.evaluate(WAIT_FOR_TILES)
    assert not changed(viewer, bare).any()
    line.press("Home")
    viewer.evaluate(WAIT_FOR_TILES)
    assert changed(viewer, bare)[:, left].any()

    with page.expect_download() as download:
        viewer.get_by_role("button", name="Snapshot").click()
    assert download.value.suggested_filename == "cmu_small_region-0-0.png"
    saved = np.asarray(Image.open(download.value.path()).convert("RGB"))
    seen = canvas_of(viewer)
    assert saved.shape == seen.shape
    on_slide = whole.any(axis=0)
    upper = slice(0, saved.shape[0] // 2)  # below stands the scale bar
    assert (saved[upper, on_slide] == seen[upper, on_slide]).mean() > 0.99
    assert (saved[upper, on_slide] != bare[upper, on_slide]).any()


def test_one_key_hides_all_layers_and_shows_them_again(dashboard: str, page: Page) -> None:
    viewer = open_place(page, dashboard)
    bare = canvas_of(viewer)
    for name in ("Eosin", "Tissue"):
        switch_on(page, viewer, name)
    viewer.locator(".openseadragon-canvas").first.press("h")
    for name in ("Eosin", "Tissue"):
        expect(viewer.get_by_role("switch", name=name)).not_to_be_checked()
    viewer.evaluate(WAIT_FOR_TILES)
    assert not changed(viewer, bare).any()
    viewer.locator(".openseadragon-canvas").first.press("h")
    for name in ("Eosin", "Tissue"):
        expect(viewer.get_by_role("switch", name=name)).to_be_checked()
    viewer.evaluate(WAIT_FOR_TILES)
    assert changed(viewer, bare).any()


def test_brightness_and_contrast_are_the_slides_alone(dashboard: str, page: Page) -> None:
    viewer = open_place(page, dashboard)
    scanned = canvas_of(viewer)
    viewer.get_by_text("Brightness and contrast").click()
    expect(viewer.get_by_role("button", name="As scanned")).to_be_in_viewport(ratio=1)
    back = viewer.get_by_role("button", name="As scanned")
    expect(back).to_be_disabled()
    viewer.get_by_role("slider", name="Brightness").fill("0.5")
    expect(back).to_be_enabled()
    viewer.evaluate(WAIT_FOR_TILES)
    darker = canvas_of(viewer)
    np.testing.assert_allclose(darker.mean(), scanned.mean() / 2, rtol=0.05)
    switch_on(page, viewer, "Eosin")  # hides the slide, and is not darkened
    eosin = canvas_of(viewer)
    back.click()
    expect(back).to_be_disabled()
    viewer.evaluate(WAIT_FOR_TILES)
    np.testing.assert_array_equal(canvas_of(viewer), eosin)
    viewer.get_by_role("switch", name="Eosin").uncheck()
    viewer.evaluate(WAIT_FOR_TILES)
    np.testing.assert_array_equal(canvas_of(viewer), scanned)


def test_a_part_is_saved_in_full_size(dashboard: str, page: Page) -> None:
    viewer = open_sample(page, dashboard)
    viewer.evaluate(
        """viewer => { const { osd } = viewer.slideViewer; const slide = osd.world.getItemAt(0);
        osd.viewport.fitBounds(slide.imageToViewportRectangle(900, 1300, 400, 300), true); }"""
    )
    viewer.evaluate(WAIT_FOR_TILES)
    switch_on(page, viewer, "Eosin")
    with page.expect_download() as download:
        viewer.get_by_role("button", name="Full size").click()
    saved = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert saved.width >= 400
    assert saved.height > 300


def test_the_selected_region_is_saved_in_full_size(dashboard: str, page: Page) -> None:
    viewer = open_place(page, dashboard)
    draw_rectangle(page, viewer)
    size = page.get_by_text("Rectangle of")
    width, height = map(int, re.findall(r"(\d+)\s×\s(\d+)\spx", size.inner_text())[0])
    with page.expect_download() as download:
        viewer.get_by_role("button", name="Full size").click()
    saved = Image.open(io.BytesIO(download.value.path().read_bytes()))
    assert saved.width == width
    assert saved.height > height  # with a line of scale bar below it


def switch_on(page: Page, viewer: Locator, name: str) -> None:
    with page.expect_response(lambda answer: f"/{name.lower()}/" in answer.url):
        viewer.get_by_role("switch", name=name).check()
    viewer.evaluate(WAIT_FOR_TILES)


def changed(viewer: Locator, before: np.ndarray) -> np.ndarray:
    """Mask of what looks other than before, (H, W)."""
    return np.any(canvas_of(viewer) != before, axis=2)
