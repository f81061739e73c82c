"""No label is cut: every page at the sizes of screens that people have, in light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from analysed import analyse_for_scores
from playwright.sync_api import Browser, Page, expect
from serving import STORE, serve_dashboard

from pages.shared.page_list import PAGES, PageEntry
from seg_core.store import Run

pytestmark = pytest.mark.browser

MPP = 0.5
SIZES = [(1280, 720), (1024, 768), (1920, 1080)]
JOB_MS = 120_000  # a ceiling for a machine that is busy

# Words that what is around them hides in part: those of a text, and what a field says of itself.
CUT = """() => {
    const found = new Set();
    const hides = (style) => ["hidden", "clip"].includes(style.overflowX);
    const isCut = (box, element) => {
        if (box.right > innerWidth + 1 && !scrolls(element)) return true;
        for (let around = element; around; around = around.parentElement ?? around.getRootNode().host) {
            const style = getComputedStyle(around);
            const edge = around.getBoundingClientRect();
            if (style.overflowX === "auto" || style.overflowX === "scroll") return false;
            if (hides(style) && (box.right > edge.right + 1 || box.left < edge.left - 1)) return true;
        }
        return false;
    };
    const scrolls = (element) => {
        for (let around = element; around; around = around.parentElement ?? around.getRootNode().host) {
            if (["auto", "scroll"].includes(getComputedStyle(around).overflowX)) return true;
        }
        return false;
    };
    const look = (root) => {
        for (const element of root.querySelectorAll("*")) {
            if (element.shadowRoot) look(element.shadowRoot);
            if (element.closest("canvas, svg, script, style, [aria-hidden=true], .js-plotly-plot")) continue;
            if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
            const { width, height } = element.getBoundingClientRect();
            if (width <= 2 || height <= 2) continue; // said to those who hear the page
            for (const node of element.childNodes) {
                if (node.nodeType !== Node.TEXT_NODE || !node.textContent.trim()) continue;
                const range = document.createRange();
                range.selectNodeContents(node);
                for (const box of range.getClientRects())
                    if (box.width && isCut(box, element)) found.add(node.textContent.trim());
            }
            if (element.matches("input[type=text], input:not([type])") && element.scrollWidth > element.clientWidth + 1)
                found.add(`${element.getAttribute("aria-label")}: ${element.value || element.placeholder}`);
        }
    };
    look(document);
    if (document.documentElement.scrollWidth > innerWidth + 1) found.add("the page is wider than the window");
    return [...found];
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layouts")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return analyse_for_scores(folder / STORE, MPP)


@pytest.fixture(scope="module")
def address(folder: Path, run: Run) -> Iterator[str]:
    with serve_dashboard(folder) as dashboard:
        yield dashboard


@pytest.fixture(params=["light", "dark"])
def visit(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(color_scheme=request.param, locale="en-GB")
    context.set_default_timeout(JOB_MS)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
def test_no_label_is_cut(entry: PageEntry, visit: Page, address: str, run: Run) -> None:
    visit.set_viewport_size({"width": 1280, "height": 720})
    visit.goto(f"{address}/{entry.address}?slide={run.slide_id}&run={run.run_id}")
    expect(visit.get_by_text("For research only. Not for diagnosis")).to_be_visible()
    cut = {name: words for name, words in _cut_in_sections(visit) if words}
    assert cut == {}


def _cut_in_sections(page: Page) -> Iterator[tuple[str, list[str]]]:
    _settle(page)
    main = page.get_by_test_id("stMain")
    sections = main.locator("[role=radiogroup]").first.get_by_role("radio")
    count = sections.count() if page.url.find("viewer") < 0 else 0
    for number in range(max(count, 1)):
        if count:
            sections.nth(number).click()
            expect(sections.nth(number)).to_have_attribute("aria-checked", "true")
            _settle(page)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            _settle(page)
            yield f"section {number} at {width} × {height}", page.evaluate(CUT)


def _settle(page: Page) -> None:
    """Wait until nothing is on its way any more."""
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_role("progressbar")).to_have_count(0)
