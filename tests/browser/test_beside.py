"""Two analyses of a slide side by side in the viewer."""

from pathlib import Path

import numpy as np
import pytest
from analysed import LEFT, MPP, SIDE, TOP, analyse_for_scores, analyse_part
from playwright.sync_api import Locator, Page, expect
from serving import STORE, serve_dashboard
from viewing import WAIT_FOR_TILES, canvas_of, open_place

from seg_core.samples import sample_path
from seg_core.slide import slide_id

pytestmark = pytest.mark.browser

AROUND = f"&x={LEFT + SIDE // 2}&y={TOP + SIDE // 2}&width={2 * SIDE}"


def test_another_analysis_is_seen_to_the_left_of_the_line(page: Page, tmp_path: Path) -> None:
    """One calls all nuclei lymphocytes, the other most of them epithelium."""
    analyse_for_scores(tmp_path / STORE, MPP)
    shown = analyse_part(tmp_path / STORE)
    slide = slide_id(sample_path("hgsc_nest"))
    with serve_dashboard(tmp_path) as dashboard:
        viewer = open_place(page, dashboard, f"{AROUND}&run={shown.run_id}", slide)
        for name in ("Nuclei", "Classes"):
            expect(viewer.get_by_role("switch", name=name)).to_be_checked()
        viewer.get_by_role("switch", name="Nuclei").uncheck()
        alone = settled(viewer)
        middle = alone.shape[1] // 2
        left, right = slice(0, middle - 3), slice(middle + 3, None)

        viewer.get_by_role("button", name="Compare").click()
        others = viewer.get_by_label("Left of the line")
        expect(others.get_by_role("option")).to_have_count(2)
        bare = settled(viewer)
        assert np.any(bare[:, left] != alone[:, left])
        others.select_option(index=1)
        expect(viewer.locator(".side").first).to_contain_text("Whole slide")
        expect(viewer.locator(".side").last).to_contain_text("75 × 75 µm")
        beside = settled(viewer)
        np.testing.assert_array_equal(beside[:, right], alone[:, right])
        assert np.any(beside[:, left] != bare[:, left])
        assert np.any(beside[:, left] != alone[:, left]), "it is the same analysis on both sides"

        # one switch for both sides, and one class
        viewer.get_by_role("checkbox", name="lymphocyte").uncheck()
        without = settled(viewer)
        assert np.any(without[:, left] != beside[:, left])
        viewer.get_by_role("switch", name="Classes").uncheck()
        np.testing.assert_array_equal(settled(viewer)[:, left], bare[:, left])
        viewer.get_by_role("switch", name="Classes").check()
        np.testing.assert_array_equal(settled(viewer), without)

        viewer.get_by_role("button", name="Compare").click()
        expect(others).to_be_hidden()
        viewer.get_by_role("checkbox", name="lymphocyte").check()
        np.testing.assert_array_equal(settled(viewer), alone)


def settled(viewer: Locator) -> np.ndarray:
    viewer.evaluate(WAIT_FOR_TILES)
    return canvas_of(viewer)
