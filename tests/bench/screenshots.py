"""The pictures of the documents, all in one go, from the sample slide and the shipped weights.

    python -m tests.bench.screenshots [FOLDER, default docs/pictures]

Run it anew when weights or pages have changed. It analyses a sample.
"""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.browser.starting import CHROMIUM, CHROMIUM_FLAGS, ROOT, serve
from tests.browser.viewing import SHOW_PIECE, WAIT_FOR_TILES, choose_button, open_sample

SIZE = {"width": 1280, "height": 720}
JOB_MS = 1_800_000  # for a machine with much else to do


def main(folder: Path) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        store = {"SEG_STORE": str(Path(temporary) / "store")}
        log = Path(temporary) / "log.txt"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        with serve(log, environment=store) as (address, _):
            page = browser.new_page(viewport=SIZE, locale="en-GB")
            page.set_default_timeout(JOB_MS)
            expect.set_options(timeout=JOB_MS)
            _take_all(page, address, folder)
        browser.close()


def _take_all(page: Page, address: str, folder: Path) -> None:
    page.goto(address)
    choose_button(page).click()
    page.get_by_role("button", name="Open in the viewer").wait_for()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    _take(page, folder, "slides")
    viewer = open_sample(page, address)
    _settle(viewer)
    _take(page, folder, "slide")
    page.get_by_role("button", name="Analyse slide").click()
    page.get_by_text(re.compile(r"Tile [2-9]\d\d")).wait_for()
    _settle(viewer)
    _take(page, folder, "analysing")
    page.get_by_text("Shown analysis").wait_for()
    viewer.evaluate(SHOW_PIECE)
    _settle(viewer)
    _take(page, folder, "viewer")
    for name, picture in (("Nuclei", "nuclei"), ("TIL score", "til")):
        page.get_by_role("link", name=name).click()
        page.get_by_role("heading", name=name, level=2).wait_for()
        page.get_by_test_id("stPlotlyChart").first.wait_for()
        _take(page, folder, picture)


def _settle(viewer: Locator) -> None:
    viewer.evaluate(WAIT_FOR_TILES)


def _take(page: Page, folder: Path, name: str) -> None:
    """Take a picture when the page has nothing more to draw."""
    page.wait_for_load_state("networkidle")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.locator("[data-stale=true]")).to_have_count(0)  # what is out of date is pale
    page.screenshot(path=folder / f"{name}.jpg", quality=82, type="jpeg", animations="disabled")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
