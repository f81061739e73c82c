"""Options that nobody has opened yet are those that are in force."""

import pytest
from playwright.sync_api import Page, expect
from viewing import draw_rectangle, open_place

pytestmark = pytest.mark.browser


def test_options_that_are_opened_late_show_what_holds_and_change_nothing_else(
    page: Page, dashboard: str
) -> None:
    """Opened after a drawing they showed nothing as chosen, and *Fast* let glass be analysed, too."""
    viewer = open_place(page, dashboard)
    draw_rectangle(page, viewer)
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_role("button", name="Analyse region")).to_be_enabled()
    sidebar.get_by_role("button", name="Options").click()
    for name in ("Skip glass", "Skip pen marks"):
        expect(page.get_by_role("switch", name=name)).to_be_checked()
    expect(page.get_by_role("radio", name="Original")).to_be_checked()

    page.get_by_role("radio", name="Fast").click()
    expect(page.get_by_text("in 8-bit integers")).to_be_visible()
    page.reload()
    sidebar.get_by_role("button", name="Options").click()
    expect(page.get_by_role("radio", name="Fast")).to_be_checked()
    for name in ("Skip glass", "Skip pen marks"):
        expect(page.get_by_role("switch", name=name)).to_be_checked()
