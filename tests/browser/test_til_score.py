"""A sample is analysed whole, scored, and a square of its map opened in the viewer."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from serving import serve_dashboard

pytestmark = pytest.mark.browser

JOB_MS = 120_000  # a ceiling for a machine that is busy
SAMPLE = "hgsc_nest.jpg"


def test_a_square_of_the_map_opens_in_the_viewer(page: Page, tmp_path: Path) -> None:
    """Nothing has been analysed here: an earlier run of the sample would be shown meanwhile."""
    with serve_dashboard(tmp_path) as dashboard:
        open_a_square(page, dashboard)


def open_a_square(page: Page, dashboard: str) -> None:
    page.goto(dashboard)
    page.get_by_role("button", name="Choose").nth(1).click()
    expect(page.get_by_role("heading", name=SAMPLE)).to_be_visible()
    size = page.get_by_role("spinbutton").first
    size.fill("0.5")
    size.press("Enter")
    page.get_by_role("button", name="Open in the viewer").click()
    expect(page.get_by_text("0.5 µm/px")).to_be_visible()
    page.get_by_role("button", name="Analyse slide").click()
    expect(page.get_by_role("group", name="Classes")).to_be_visible(timeout=JOB_MS)

    page.get_by_role("link", name="TIL score").click()
    score = page.locator(".til-score")
    expect(score).to_contain_text(re.compile(r"\d+\.\d\d %"), timeout=JOB_MS)
    squares = page.locator(".js-plotly-plot").first
    squares.scroll_into_view_if_needed()
    area = squares.locator(".nsewdrag").first
    expect(area).to_be_visible()
    box = area.bounding_box()
    assert box is not None
    area.hover(position={"x": box["width"] * 0.2, "y": box["height"] * 0.2})
    expect(squares.locator(".hoverlayer .hovertext")).to_contain_text("lymphocytes")
    area.click(position={"x": box["width"] * 0.2, "y": box["height"] * 0.2})
    page.wait_for_url("**/viewer*")

    expect(page.locator("section.viewer .openseadragon-canvas").first).to_be_visible()
    page.get_by_role("link", name="TIL score").click()
    expect(score).to_contain_text(re.compile(r"\d+\.\d\d %"))
