"""A page that is open while the server is started anew."""

from pathlib import Path

import numpy as np
import pytest
from analysed import LEFT, SIDE, TOP, analyse_part
from playwright.sync_api import Locator, Page, expect
from serving import STORE, serve_dashboard
from viewing import WAIT_FOR_TILES, canvas_of, open_place

from pages.shared.page_list import NUCLEI
from seg_core.samples import sample_path
from seg_core.slide import slide_id
from tests.browser.starting import free_port

pytestmark = pytest.mark.browser


def test_an_open_viewer_recovers_by_itself_with_slide_run_place_and_layers(
    page: Page, tmp_path: Path
) -> None:
    port = free_port()
    run = analyse_part(tmp_path / STORE)
    slide = slide_id(sample_path("hgsc_nest"))
    place = f"&x={LEFT + SIDE // 2}&y={TOP + SIDE // 2}&width={2 * SIDE}"
    with serve_dashboard(tmp_path, port=port) as dashboard:
        viewer = open_place(page, dashboard, place, slide)
        expect(viewer.get_by_role("switch", name="Classes")).to_be_checked()
        viewer.get_by_role("switch", name="Boundaries").check()
        viewer.get_by_role("switch", name="Nuclei").uncheck()
        page.wait_for_url(lambda url: f"run={run.run_id}" in url)
        seen = settled(viewer)
    with serve_dashboard(tmp_path, port=port):
        page.wait_for_event("load")  # what is looked at before is still the old page
        viewer = page.locator("section.viewer")
        expect(viewer.locator(".openseadragon-canvas").first).to_be_visible()
        for name, on in (("Classes", True), ("Boundaries", True), ("Nuclei", False)):
            expect(viewer.get_by_role("switch", name=name)).to_be_checked(checked=on)
        assert f"run={run.run_id}" in page.url
        np.testing.assert_array_equal(settled(viewer), seen)


def test_another_page_comes_again_with_its_run(page: Page, tmp_path: Path) -> None:
    port = free_port()
    run = analyse_part(tmp_path / STORE)
    found = page.get_by_test_id("stMain").get_by_text("nuclei").first
    with serve_dashboard(tmp_path, port=port) as dashboard:
        page.goto(f"{dashboard}/{NUCLEI.address}?slide={run.slide_id}&run={run.run_id}")
        expect(found).to_be_visible()
    with serve_dashboard(tmp_path, port=port):
        page.wait_for_event("load")
        expect(found).to_be_visible()
        page.get_by_test_id("stMain").get_by_role("radio", name="Downloads").click()
        expect(page.get_by_role("button", name="CSV", exact=True)).to_be_visible()


def settled(viewer: Locator) -> np.ndarray:
    viewer.evaluate(WAIT_FOR_TILES)
    return canvas_of(viewer)
