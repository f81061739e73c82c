"""A tab that is open while the server is started anew."""

from pathlib import Path

import numpy as np
import pytest
from analysed import LEFT, SIDE, TOP, analyse_part
from playwright.sync_api import Locator, Page, expect
from serving import STORE, serve_dashboard
from viewing import WAIT_FOR_TILES, canvas_of, open_place

from seg_core.samples import sample_path
from seg_core.slide import slide_id
from tests.browser.starting import free_port

pytestmark = pytest.mark.browser

TOKEN = "viewer => viewer.slideViewer?.slide.url ?? null"


def test_an_open_tab_recovers_by_itself_with_slide_run_place_and_layers(
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
        token = viewer.evaluate(TOKEN)
    with serve_dashboard(tmp_path, port=port):
        expect(page.locator("section.viewer .openseadragon-canvas").first).to_be_visible()
        anew = page.locator("section.viewer").first
        expect_other_token(page, anew, token)
        for name, on in (("Classes", True), ("Boundaries", True), ("Nuclei", False)):
            expect(anew.get_by_role("switch", name=name)).to_be_checked(checked=on)
        assert f"run={run.run_id}" in page.url
        np.testing.assert_array_equal(settled(anew), seen)


def expect_other_token(page: Page, viewer: Locator, token: str) -> None:
    """Wait until the viewer asks a new session for its tiles."""
    page.wait_for_function(
        """([viewer, token]) => (viewer.slideViewer?.slide.url ?? token) !== token""",
        arg=[viewer.element_handle(), token],
    )


def settled(viewer: Locator) -> np.ndarray:
    viewer.evaluate(WAIT_FOR_TILES)
    return canvas_of(viewer)
