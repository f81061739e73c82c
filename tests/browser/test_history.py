"""The browser's *Back*: one press for each page."""

import re
from pathlib import Path

import pytest
from analysed import analyse_part
from playwright.sync_api import Page, expect
from viewing import SAMPLE, SAMPLE_ID, choose_button, open_sample, settle

from pages.shared.page_list import (
    COHORT,
    EVALUATE,
    MODEL,
    NUCLEI,
    SLIDES,
    TEACH,
    VIEWER,
    PageEntry,
)

pytestmark = pytest.mark.browser


def test_back_leads_from_page_to_page_with_the_slide(page: Page, dashboard: str) -> None:
    """It led to the same page, whose address was then written again: two presses, and more."""
    open_sample(page, dashboard)
    # the part in view follows the size of the window, which settles after the first picture
    viewed = re.compile(rf"/{VIEWER.address}\?slide={SAMPLE_ID}.*&width=")
    expect(page).to_have_url(viewed)
    page.get_by_test_id("stSidebar").get_by_role("link", name=NUCLEI.title).click()
    expect(page).to_have_url(re.compile(rf"/{NUCLEI.address}\?slide={SAMPLE_ID}$"))

    page.go_back()
    expect(page).to_have_url(viewed)
    expect(page.locator("section.viewer .openseadragon-canvas").first).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile(rf"^{dashboard}/\?slide={SAMPLE_ID}$"))
    expect(page.get_by_role("heading", name=SAMPLE)).to_be_visible()
    page.go_forward()
    expect(page).to_have_url(viewed)
    # The address turns at once, and what stands below it is still the page before.
    expect(page.locator("section.viewer .openseadragon-canvas").first).to_be_visible()

    page.get_by_test_id("stSidebar").get_by_role("link", name=SLIDES.title).click()
    choose_button(page, "hgsc_nest").click()
    expect(page.get_by_role("heading", name="hgsc_nest")).to_be_visible()
    page.get_by_role("button", name="Open in the viewer").click()
    expect(page).to_have_url(re.compile(rf"/{VIEWER.address}\?slide=hgsc_nest-"))
    page.go_back()
    expect(page).to_have_url(re.compile(rf"^{dashboard}/\?slide=hgsc_nest-"))
    page.go_back()
    expect(page).to_have_url(viewed)
    expect(page.get_by_role("heading", name=SAMPLE)).to_be_visible()


def test_another_slide_of_the_same_page_is_no_further_entry(page: Page, dashboard: str) -> None:
    page.goto(dashboard)
    expect(choose_button(page)).to_be_visible()
    before = page.evaluate("history.length")
    choose_button(page, "hgsc_nest").click()
    expect(page).to_have_url(re.compile(r"\?slide=hgsc_nest-"))
    page.get_by_role("button", name="Choose").last.click()
    expect(page).not_to_have_url(re.compile(r"\?slide=hgsc_nest-"))
    assert page.evaluate("history.length") == before


@pytest.mark.parametrize("entry", [NUCLEI, VIEWER], ids=lambda each: each.title)
def test_one_press_leads_back_from_a_link_that_names_no_run(
    page: Page, dashboard: str, store: Path, entry: PageEntry
) -> None:
    """The run was written into an entry of its own: *Back* led to the same page."""
    run = analyse_part(store)
    page.goto("about:blank")
    page.goto(f"{dashboard}/{entry.address}?slide={run.slide_id}")
    expect(page).to_have_url(re.compile(r"run="))
    page.wait_for_function("navigation.currentEntry.index === 1")
    expect(page).to_have_url(re.compile(r"run="))
    settle(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.go_back()
    expect(page).to_have_url("about:blank")


@pytest.mark.parametrize("entry", [COHORT, MODEL, TEACH, EVALUATE], ids=lambda each: each.title)
def test_a_page_that_shows_no_slide_keeps_the_one_that_was_chosen(
    page: Page, dashboard: str, store: Path, entry: PageEntry
) -> None:
    """Loaded anew it forgot it; Teach named the slide of what was taught there."""
    analyse_part(store)
    open_sample(page, dashboard)  # which has no analysis
    page.get_by_test_id("stSidebar").get_by_role("link", name=entry.title).click()
    named = re.compile(rf"/{entry.address}\?slide={SAMPLE_ID}$")
    expect(page).to_have_url(named)
    page.reload()
    expect(page.get_by_role("heading", name=entry.title)).to_be_visible()
    expect(page).to_have_url(named)
    page.get_by_test_id("stSidebar").get_by_role("link", name=VIEWER.title).click()
    expect(page.get_by_role("heading", name=SAMPLE)).to_be_visible()
