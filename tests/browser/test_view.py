"""Where the viewer looks: its address, its keys, and the way back to it."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from viewing import SAMPLE_ID, on_screen, open_place

pytestmark = pytest.mark.browser

VIEW = "viewer => viewer.slideViewer.frame.view"
PLACE = "viewer => viewer.slideViewer.frame.place"
HEIGHT = "viewer => viewer.slideViewer.frame.view.height"
RESIZED = """([viewer, before]) =>
    Math.abs(viewer.slideViewer.frame.view.height - before) > 5"""
MPP_40X = 0.25


def test_a_colleague_sees_the_same_place_and_no_more(
    dashboard: str, page: Page, browser: Browser
) -> None:
    viewer = open_place(page, dashboard)
    viewer.get_by_role("button", name="20×").click()
    page.wait_for_url(re.compile("width=9[56]"))
    assert "token" not in page.url
    assert "samples" not in page.url
    sent, seen = page.url, viewer.evaluate(VIEW)

    colleague = browser.new_context(viewport=page.viewport_size)
    theirs = colleague.new_page()
    theirs.goto(sent)
    other = theirs.locator("section.viewer")
    expect(other.locator(".openseadragon-canvas").first).to_be_visible()
    theirs.wait_for_url(sent)
    assert other.evaluate(VIEW) == pytest.approx(seen, abs=1)
    token = "viewer => viewer.slideViewer.slide.url"
    assert other.evaluate(token) != viewer.evaluate(token)
    colleague.close()


def test_the_view_is_there_again_on_the_way_back(dashboard: str, page: Page) -> None:
    viewer = open_place(page, dashboard)
    seen = viewer.evaluate(VIEW)
    page.get_by_role("link", name="Nuclei").click()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Viewer").click()
    expect(viewer.locator(".openseadragon-canvas").first).to_be_visible()
    page.wait_for_url(re.compile("slide="))
    assert viewer.evaluate(VIEW) == pytest.approx(seen, abs=1)


def test_another_size_of_the_window_shows_the_same_place(dashboard: str, page: Page) -> None:
    viewer = open_place(page, dashboard)
    seen, height = viewer.evaluate(PLACE), viewer.evaluate(HEIGHT)
    for size in ({"width": 1280, "height": 960}, {"width": 1000, "height": 720}):
        page.set_viewport_size(size)
        page.wait_for_function(RESIZED, arg=[viewer.element_handle(), height])
        height = viewer.evaluate(HEIGHT)
        assert viewer.evaluate(PLACE) == pytest.approx(seen, abs=1)


def test_a_place_too_wide_for_the_first_size_is_seen_at_the_next(
    dashboard: str, page: Page
) -> None:
    """A viewer may open before it has its size: every second way back to a whole slide enlarged it."""
    page.set_viewport_size({"width": 700, "height": 900})
    viewer = open_place(page, dashboard, "&x=1110&y=1484&width=4000")
    assert viewer.evaluate(PLACE)["width"] < 3900
    height = viewer.evaluate(HEIGHT)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_function(RESIZED, arg=[viewer.element_handle(), height])
    expected = {"x": 1110, "y": 1484, "width": 4000}
    assert viewer.evaluate(PLACE) == pytest.approx(expected, abs=1)


def test_a_slide_that_may_not_be_opened_is_a_sentence(dashboard: str, page: Page) -> None:
    page.goto(f"{dashboard}/viewer?slide={SAMPLE_ID[:-1]}x")
    expect(page.get_by_text("The address names a slide that is not offered here")).to_be_visible()


def test_keys_do_what_the_buttons_do(dashboard: str, page: Page) -> None:
    viewer = open_place(page, dashboard)
    viewer.locator(".openseadragon-canvas").first.focus()
    page.keyboard.press("4")
    page.wait_for_url(re.compile("width=480"))
    assert screen_mpp(viewer) == pytest.approx(MPP_40X, rel=1e-3)

    page.keyboard.press("g")
    page.get_by_role("textbox", name="Coordinates").fill("1e9, 5")
    page.keyboard.press("Enter")  # not on the slide: the form stays
    page.get_by_role("textbox", name="Coordinates").fill("1200, 1500")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("x=1200&y=1500"))
    box = viewer.locator(".image").bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert on_screen(viewer, 1200, 1500) == pytest.approx(middle, abs=1)

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Draw a rectangle")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()

    # Streamlit itself would run the page again on r, and ask to clear its caches on c.
    page.keyboard.press("r")
    expect(viewer.get_by_role("button", name="Draw a rectangle")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page.get_by_text("Clear caches")).to_have_count(0)
    page.keyboard.press("v")
    expect(page.get_by_text("Rectangle of")).to_be_visible()
    viewer.get_by_role("button", name="Region Region 1").focus()
    page.keyboard.press("Delete")
    expect(page.get_by_text("Draw a region on the slide")).to_be_visible()


def screen_mpp(viewer: Locator) -> float:
    return float(viewer.evaluate("({ slideViewer: { frame } }) => frame.slide.mpp / frame.scale"))
