"""One server, several readers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect
from viewing import open_place

from seg_core.samples import sample_path

pytestmark = pytest.mark.browser

STATUS_IS = "([url, status]) => fetch(url).then(answer => answer.status === status)"


@pytest.fixture
def colleague(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(60_000)
    yield context
    context.close()


def test_a_token_ends_with_its_session(
    dashboard: str, page: Page, colleague: BrowserContext
) -> None:
    tiles: list[Response] = []
    theirs = colleague.new_page()
    theirs.on("response", lambda answer: "/slide/" in answer.url and tiles.append(answer))
    open_place(theirs, dashboard)
    address = tiles[0].url
    open_place(page, dashboard)
    assert page.evaluate(STATUS_IS, [address, 200])
    colleague.close()
    page.wait_for_function(STATUS_IS, arg=[f"{address}?", 404])


def test_an_upload_is_its_readers_alone(
    dashboard: str, page: Page, colleague: BrowserContext, tmp_path: Path
) -> None:
    slide = tmp_path / "mine.jpg"
    slide.write_bytes(sample_path("hgsc_nest").read_bytes())
    page.goto(dashboard)
    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").set_input_files(slide)
    expect(page.get_by_role("heading", name="mine.jpg")).to_be_visible()  # without being chosen
    page.get_by_role("button", name="Open in the viewer").click()
    expect(page.locator(".openseadragon-canvas").first).to_be_visible()
    page.wait_for_url(re.compile("slide=mine-"))

    theirs = colleague.new_page()
    theirs.goto(page.url)
    expect(theirs.get_by_text("uploaded by another reader")).to_be_visible()
    page.reload()
    expect(page.locator(".openseadragon-canvas").first).to_be_visible()
    expect(page.get_by_role("heading", name="mine.jpg")).to_be_visible()


def test_the_list_of_uploads_names_what_has_just_come(
    dashboard: str, page: Page, tmp_path: Path
) -> None:
    """It named the first, a damaged one, beside the facts of the second."""
    content = sample_path("hgsc_nest").read_bytes()
    (tmp_path / "damaged.jpg").write_bytes(content[:3000])
    (tmp_path / "whole.jpg").write_bytes(content)
    page.goto(dashboard)
    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").set_input_files(tmp_path / "damaged.jpg")
    expect(page.get_by_text("damaged.jpg cannot be read")).to_be_visible()
    page.locator("input[type=file]").set_input_files(tmp_path / "whole.jpg")
    expect(page.get_by_role("heading", name="whole.jpg")).to_be_visible()
    shown = page.get_by_role("combobox", name="Slide", exact=True)
    expect(shown).to_have_value("whole.jpg")
    expect(page.get_by_role("button", name="Chosen")).to_be_visible()
