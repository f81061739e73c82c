"""Nothing that stands on a page is cut off at the smallest sizes that it is made for."""

from pathlib import Path
from typing import Literal

import pytest
import shapely
from analysed import analyse_part
from playwright.sync_api import Page, expect
from serving import STORE, serve_dashboard
from viewing import open_place, press_and_drag, settle

from pages.shared.page_list import MODEL, NUCLEI, PAGES, TEACH
from seg_core.roi import Roi
from seg_core.samples import sample_path
from seg_core.store.rois import keep_rois

pytestmark = pytest.mark.browser

# Words that end in an ellipsis or at an edge, words that a button breaks in two, and numbers that a
# line may part from their unit. What a person has chosen or named may be longer than the
# box it stands in.
CUT = """() => {
    const everything = '[data-testid=stMain] *, [data-testid=stSidebar] *';
    const named = '[data-testid=stSelectbox], [data-testid=stMultiSelect]';
    const cut = [];
    for (const each of document.querySelectorAll(everything)) {
        const words = [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        if (!words || !each.checkVisibility({ visibilityProperty: true }) || each.closest(named)) continue;
        const text = each.textContent.trim();
        if (/\\d (%|px|[µm]m)|\\d × \\d/.test(text) && !each.closest('canvas, svg')) cut.push(text);
        const line = parseFloat(getComputedStyle(each).lineHeight);
        if (each.closest('button, label') && !/\\s/.test(text) && each.offsetHeight > 1.9 * line) cut.push(text);
        for (let box = each, up = 0; box && up < 4; box = box.parentElement, up++) {
            const scrolls = ['visible', 'auto', 'scroll'].includes(getComputedStyle(box).overflowX);
            if (!scrolls && box.scrollWidth > box.clientWidth + 1) cut.push(text);
        }
    }
    // a row of buttons that goes on beyond its edge, where a mouse without a wheel does not get
    for (const row of document.querySelectorAll('.stButtonGroup > div'))
        if (row.scrollWidth > row.clientWidth + 1) cut.push(row.textContent);
    // one of several that are joined, alone in a second line
    for (const button of document.querySelectorAll('[data-testid^="stBaseButton-segmented_control"]'))
        if (button.offsetTop > button.parentElement.firstElementChild.offsetTop + 1) cut.push(button.textContent);
    return cut;
}"""


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1024, 768)])
def test_no_words_are_cut(page: Page, dashboard: str, store: Path, width: int, height: int) -> None:
    run = analyse_part(store)
    page.set_viewport_size({"width": width, "height": height})
    cut = {}
    for entry in PAGES:
        page.goto(f"{dashboard}/{entry.address}?slide={run.slide_id}&run={run.run_id}")
        main = page.get_by_test_id("stMain")
        expect(main.locator("h2, section.viewer").first).to_be_visible()
        settle(page)
        cut[entry.title] = page.evaluate(CUT)
    assert not any(cut.values()), cut


@pytest.mark.parametrize("width", [1280, 1024])
def test_no_words_of_a_section_are_cut(page: Page, dashboard: str, store: Path, width: int) -> None:
    """Pills of classes once went on beyond the edge, and a switch was called "Outli ne"."""
    run = analyse_part(store)
    page.set_viewport_size({"width": width, "height": 768})
    cut = {}
    for entry in (NUCLEI, TEACH, MODEL):
        page.goto(f"{dashboard}/{entry.address}?slide={run.slide_id}&run={run.run_id}")
        sections = page.get_by_test_id("stMain").locator(".stButtonGroup").first.locator("button")
        expect(sections.first).to_be_visible()
        for number in range(sections.count()):
            sections.nth(number).click()
            settle(page)
            cut[entry.title, sections.nth(number).text_content()] = page.evaluate(CUT)
    assert not any(cut.values()), {where: words for where, words in cut.items() if words}


# Of the words on a box to the box, as WCAG 2 reckons it.
CONTRAST = """box => {
    const channels = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const light = value => value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    const luminance = colour => {
        const [red, green, blue] = channels(colour).map(light);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const style = getComputedStyle(box);
    const [dark, bright] = [luminance(style.color), luminance(style.backgroundColor)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_on_the_primary_colour_can_be_read(
    page: Page, dashboard: str, store: Path, scheme: Literal["light", "dark"]
) -> None:
    """White on the bright blue of the dark theme had a contrast of 2.9."""
    run = analyse_part(store)
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{dashboard}/?slide={run.slide_id}")
    button = page.get_by_role("button", name="Open in the viewer")
    expect(button).to_be_enabled()
    assert button.evaluate(CONTRAST) > 4.5
    page.goto(f"{dashboard}/{TEACH.address}?slide={run.slide_id}&run={run.run_id}")
    chosen = page.get_by_test_id("stMultiSelect").locator("[data-tag]").first
    expect(chosen).to_be_visible()
    assert chosen.evaluate(CONTRAST) > 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_beside_bars_have_the_ink_of_the_page(
    page: Page, dashboard: str, store: Path, scheme: Literal["light", "dark"]
) -> None:
    """They were pale in the light, and what stands beside the axes was not."""
    run = analyse_part(store)
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{dashboard}/{NUCLEI.address}?slide={run.slide_id}&run={run.run_id}")
    figures = page.locator(".js-plotly-plot .bartext")
    expect(figures.first).to_be_visible()
    ink = page.locator(".stApp").evaluate("page => getComputedStyle(page).color")
    inks = figures.evaluate_all("all => all.map(each => getComputedStyle(each).fill)")
    assert set(inks) == {ink}


def test_a_box_shows_all_that_is_chosen_in_it(page: Page, tmp_path: Path) -> None:
    """They stood in one line, which scrolled, and only the last of them could be seen."""
    slide = tmp_path / "own.jpg"
    slide.write_bytes(sample_path("hgsc_nest").read_bytes() + b" ")  # its ROIs are the store's
    run = analyse_part(tmp_path / STORE, slide)
    columns = [shapely.box(left, 100, left + 50, 400) for left in range(100, 400, 50)]
    names = [f"region of interest {number}" for number, _ in enumerate(columns)]
    keep_rois(tmp_path / STORE, run.slide_id, [*map(Roi, names, columns)])
    with serve_dashboard(tmp_path, SEG_LOCAL="1") as address:  # as on the reader's own machine
        page.goto(f"{address}/{NUCLEI.address}?slide={run.slide_id}&run={run.run_id}")
        box = page.get_by_test_id("stMultiSelect").filter(has_text="Where")
        box.get_by_role("combobox").click()
        for name in names:
            page.get_by_role("option", name=name).click()
        for name in names:
            expect(box.get_by_title(name)).to_be_in_viewport(ratio=1)


# Of the stage, what lies over the slide and what a tool says, as far as they are to be seen.
COVERED = """hint => {
    const box = hint.getBoundingClientRect();
    const covered = each => {
        const { left, right, top, bottom } = each.getBoundingClientRect();
        return left < box.right && right > box.left && top < box.bottom && bottom > box.top;
    };
    const around = hint.parentElement.querySelectorAll('.toolbar, .measured, .panel, .readout, .navigator');
    return Array.from(around).filter(each => each.checkVisibility() && covered(each)).map(each => each.className);
}"""


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1024, 768)])
def test_what_a_tool_says_covers_nothing(
    page: Page, dashboard: str, store: Path, width: int, height: int
) -> None:
    """It stood on the lengths that were measured and on the title of the layers."""
    page.set_viewport_size({"width": width, "height": height})
    viewer = open_place(page, dashboard)
    viewer.get_by_role("button", name="Measure").click()
    middle = width * 5 // 8, height // 2
    press_and_drag(page, middle, (middle[0] + 60, middle[1] + 20))
    expect(viewer.locator(".measured li")).to_have_count(1)
    hint = viewer.locator(".hint")
    expect(hint).to_contain_text("Drag from one point to the other")
    assert hint.evaluate(COVERED) == []


BOXES = """viewer => Object.fromEntries(['.panel', '.cards', '.readout', '.stage'].map(name => {
    const { left, top, right, bottom } = viewer.querySelector(name).getBoundingClientRect();
    return [name, { left, top, right, bottom }];
}))"""


@pytest.mark.parametrize("width", [390, 800])
def test_a_narrow_viewer_shows_its_slide_and_cuts_nothing(
    page: Page, dashboard: str, store: Path, width: int
) -> None:
    """The layers lay over most of the slide, and the panel of corrections over the layers."""
    run = analyse_part(store)
    page.set_viewport_size({"width": width, "height": 800})
    viewer = open_place(page, dashboard, slide=run.slide_id)
    viewer.locator(".openseadragon-canvas").first.focus()
    page.keyboard.press("c")
    expect(viewer.get_by_role("complementary", name="Correct nuclei")).to_be_visible()
    boxes = viewer.evaluate(BOXES)
    assert boxes[".readout"]["right"] < boxes[".stage"]["right"]
    assert boxes[".panel"]["bottom"] <= boxes[".cards"]["top"]
    viewer.get_by_text("Layers", exact=True).click()
    panel = viewer.locator(".panel")
    assert panel.evaluate("panel => panel.open && panel.scrollWidth <= panel.clientWidth")
