"""The scores of a sample, and a square of their map opened in the viewer."""

import re
from pathlib import Path

import pytest
from analysed import analyse_for_scores
from playwright.sync_api import Page, expect
from serving import STORE, serve_dashboard
from viewing import WAIT_FOR_TILES, draw_rectangle, expect_centre

from seg_core.til import TilSettings

pytestmark = pytest.mark.browser

JOB_MS = 120_000  # a ceiling for a machine that is busy
SAMPLE = "hgsc_nest.jpg"
MPP = 0.5

# Where a place in mm is drawn, from the corner of the axes.
PLACE_ON_MAP = """(plot, [x, y]) => {
    const { xaxis, yaxis } = plot._fullLayout;
    return { x: xaxis.l2p(x), y: yaxis.l2p(y) };
}"""


def test_a_square_of_the_map_opens_in_the_viewer(page: Page, tmp_path: Path) -> None:
    """A store of its own: an earlier run of the sample would be shown meanwhile."""
    analyse_for_scores(tmp_path / STORE, MPP)
    with serve_dashboard(tmp_path) as dashboard:
        open_a_square(page, dashboard)


def test_a_tumour_that_is_drawn_bounds_the_scores(page: Page, tmp_path: Path) -> None:
    analyse_for_scores(tmp_path / STORE, MPP)
    with serve_dashboard(tmp_path) as dashboard:
        choose_sample(page, dashboard)
        page.get_by_role("button", name="Open in the viewer").click()
        viewer = page.locator("section.viewer")
        expect(viewer.locator(".openseadragon-canvas").first).to_be_visible()
        viewer.evaluate(WAIT_FOR_TILES)
        draw_rectangle(page, viewer)
        expect(page.get_by_text("Rectangle of")).to_be_visible()
        page.get_by_role("button", name="Edit").click()
        page.get_by_role("radio", name="Tumour", exact=True).click()
        expect(viewer.get_by_role("button", name="Region Region 1 (tumour)")).to_be_visible()
        page.keyboard.press("Escape")
        page.get_by_test_id("stSidebar").get_by_role("link", name="TIL score").click()
        expect(page.get_by_text("Tumour as drawn (ROI Region 1)")).to_be_visible(timeout=JOB_MS)


def choose_sample(page: Page, dashboard: str) -> None:
    page.goto(dashboard)
    page.get_by_role("button", name="Choose").first.click()
    expect(page.get_by_role("heading", name=SAMPLE)).to_be_visible()
    size = page.get_by_role("spinbutton").first
    size.fill(str(MPP))
    size.press("Enter")
    expect(size).to_have_value(f"{MPP:.4f}")


def open_a_square(page: Page, dashboard: str) -> None:
    choose_sample(page, dashboard)
    page.get_by_role("link", name="TIL score").click()
    score = page.locator(".til-score")
    expect(score).to_contain_text(re.compile(r"\d+\.\d\d\s%"), timeout=JOB_MS)
    squares = page.locator(".js-plotly-plot").first
    squares.scroll_into_view_if_needed()
    area = squares.locator(".nsewdrag").first
    expect(area).to_be_visible()
    side_px = TilSettings().square_um / MPP
    x, y = side_px * 1.5, side_px * 2.5  # the middle of a square: second column, third row
    place = squares.evaluate(PLACE_ON_MAP, [x * MPP / 1000, y * MPP / 1000])
    area.hover(position=place)
    expect(squares.locator(".hoverlayer .hovertext")).to_contain_text("lymphocytes")
    area.click(position=place)
    page.wait_for_url("**/viewer*")

    expect_centre(page, x, y)
    page.get_by_role("link", name="TIL score").click()
    expect(score).to_contain_text(re.compile(r"\d+\.\d\d\s%"))
