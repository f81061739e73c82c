"""Nuclei are corrected in the viewer, and all that is told of them follows."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from analysed import SIDE, analyse_part
from playwright.sync_api import Browser, Locator, Page, expect
from serving import STORE, serve_dashboard
from viewing import WAIT_FOR_TILES, canvas_of, on_screen, open_place, press_and_drag

from seg_core.store import Run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corrected")


@pytest.fixture
def run(folder: Path) -> Iterator[Run]:
    """A part of a sample, analysed in a store of its own; corrections go with the test."""
    found = analyse_part(folder / STORE)
    yield found
    found.journal().path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def dashboard(folder: Path) -> Iterator[str]:
    with serve_dashboard(folder, SEG_LOCAL="1") as address:  # as on the reader's own machine
        yield address


def open_at(page: Page, dashboard: str, run: Run, nucleus: pd.Series) -> Locator:
    place = f"&x={nucleus['x']:.0f}&y={nucleus['y']:.0f}&width={SIDE}"
    viewer = open_place(page, dashboard, place, run.facts.question.slide_id)
    expect(page.get_by_role("group", name="Classes")).to_be_visible()
    return viewer


def go_to(viewer: Locator, nucleus: pd.Series) -> None:
    """Bring the nucleus back to the middle: a page loaded anew shows the whole slide."""
    expect(viewer.locator(".openseadragon-canvas").first).to_be_visible()
    viewer.evaluate(WAIT_FOR_TILES)
    viewer.evaluate(
        "(viewer, place) => viewer.slideViewer.frame.goTo(place, true)",
        {"x": nucleus["x"], "y": nucleus["y"], "width": SIDE},
    )


def middle_nucleus(run: Run) -> pd.Series:
    table = run.nuclei()
    middle = table[["x", "y"]].mean()
    return table.loc[np.hypot(table["x"] - middle["x"], table["y"] - middle["y"]).idxmin()]


def click(page: Page, viewer: Locator, nucleus: pd.Series) -> None:
    inside = nucleus["geometry"].representative_point()
    page.mouse.click(*on_screen(viewer, inside.x, inside.y))


def expect_red(page: Page, viewer: Locator, *, seen: bool) -> None:
    """Wait until the layers show the outline of a macrophage, or no longer do.

    Blurred by the enlargement it still is a red that no stain has.
    """
    expect(viewer.locator(".openseadragon-canvas").first).to_be_visible()
    for _ in range(120):
        red, green, blue = np.moveaxis(canvas_of(viewer).astype(int), 2, 0)
        outline = (red > 150) & (green < 80) & (red - blue > 70)
        if (outline.sum() > 40) == seen:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"the macrophage is {'not ' if seen else ''}seen on the slide")


def csv_of(page: Page) -> pd.DataFrame:
    page.get_by_role("link", name="Nuclei").click()
    page.get_by_text("Downloads", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=False).first.click()
    return pd.read_csv(io.BytesIO(Path(download.value.path()).read_bytes()))


def test_a_corrected_nucleus_changes_colours_numbers_and_files_until_it_is_taken_back(
    dashboard: str, run: Run, page: Page
) -> None:
    nucleus, count = middle_nucleus(run), len(run.nuclei())
    number = int(nucleus["nucleus_id"])
    viewer = open_at(page, dashboard, run, nucleus)
    expect_red(page, viewer, seen=False)
    viewer.get_by_role("toolbar").get_by_role("button", name="Correct nuclei").click()
    panel = page.get_by_role("complementary", name="Correct nuclei")
    click(page, viewer, nucleus)
    expect(panel).to_contain_text("1 nucleus selected: 1 lymphocyte")
    page.keyboard.press("4")
    expect(panel).to_contain_text("1 nucleus selected: 1 macrophage")
    expect(page.get_by_text("1 nucleus was corrected by hand")).to_be_visible()
    expect_red(page, viewer, seen=True)
    card = page.get_by_role("complementary", name="Picked nucleus")
    expect(card).to_contain_text("macrophage, by hand")
    assert {key: each.name for key, each in run.corrections().items()} == {number: "macrophage"}

    table = csv_of(page)
    assert table["class_name"].value_counts().to_dict() == {
        "lymphocyte": count - 1,
        "macrophage": 1,
    }
    page.reload()
    expect(page.get_by_text("1 nucleus was corrected by hand")).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_text("Show the model's own answer").click()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Viewer").click()
    go_to(viewer, nucleus)
    expect_red(page, viewer, seen=False)
    viewer.get_by_role("toolbar").get_by_role("button", name="Correct nuclei").click()
    expect(viewer.locator(".hint")).to_contain_text("own answer")
    page.get_by_test_id("stSidebar").get_by_text("Show the model's own answer").click()
    expect_red(page, viewer, seen=True)

    viewer.get_by_role("toolbar").get_by_role("button", name="Correct nuclei").click()
    page.keyboard.press("Control+z")
    expect_red(page, viewer, seen=False)
    expect(page.get_by_text("corrected by hand")).to_have_count(0)
    assert run.corrections() == {}
    page.keyboard.press("Control+Shift+z")
    expect(page.get_by_text("1 nucleus was corrected by hand")).to_be_visible()
    page.keyboard.press("Control+z")
    expect(page.get_by_text("corrected by hand")).to_have_count(0)
    assert set(csv_of(page)["class_name"]) == {"lymphocyte"}


def test_what_the_card_tells_about_is_what_is_corrected(
    dashboard: str, run: Run, page: Page
) -> None:
    """By the arrows the card went on to the next nucleus, and the key named the one before."""
    nucleus = middle_nucleus(run)
    viewer = open_at(page, dashboard, run, nucleus)
    click(page, viewer, nucleus)
    card = page.get_by_role("complementary", name="Picked nucleus")
    expect(card).to_contain_text(f"Nucleus {nucleus['nucleus_id']},")
    page.keyboard.press("c")
    panel = page.get_by_role("complementary", name="Correct nuclei")
    expect(panel).to_contain_text("1 nucleus selected: 1 lymphocyte")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("4")
    expect(page.get_by_text("1 nucleus was corrected by hand")).to_be_visible()
    (corrected,) = run.corrections()
    assert corrected != nucleus["nucleus_id"]
    expect(card).to_contain_text(f"Nucleus {corrected},")
    expect(panel).to_contain_text("1 nucleus selected: 1 macrophage")


def test_several_nuclei_are_selected_by_an_outline_and_can_be_no_nuclei(
    dashboard: str, run: Run, page: Page
) -> None:
    nucleus = middle_nucleus(run)
    viewer = open_at(page, dashboard, run, nucleus)
    viewer.get_by_role("toolbar").get_by_role("button", name="Correct nuclei").click()
    panel = page.get_by_role("complementary", name="Correct nuclei")
    page.keyboard.press("r")
    x, y = nucleus["x"], nucleus["y"]
    press_and_drag(page, on_screen(viewer, x - 50, y - 40), on_screen(viewer, x + 70, y + 60))
    inside = run.nuclei().query("abs(x - 10 - @x) < 58 and abs(y - 10 - @y) < 48")
    around = run.nuclei().query("abs(x - 10 - @x) < 62 and abs(y - 10 - @y) < 52")
    expect(panel).to_contain_text("nuclei selected")
    panel.get_by_role("button", name="epithelial").click()
    expect(panel).to_contain_text("epithelial")
    expect(page.get_by_text("were corrected by hand.")).to_be_visible()
    corrected = set(run.corrections())
    assert set(inside["nucleus_id"]) <= corrected <= set(around["nucleus_id"])
    page.keyboard.press("0")
    expect(page.get_by_text(f"{len(corrected)} of them taken away")).to_be_visible()
    assert not corrected & set(run.nuclei()["nucleus_id"])
    assert viewer.evaluate("viewer => viewer.slideViewer.regions.rois") == []
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(panel).to_be_hidden()


def test_another_browser_sees_a_correction_and_the_later_one_counts(
    dashboard: str, run: Run, page: Page, browser: Browser
) -> None:
    nucleus = middle_nucleus(run)
    number = int(nucleus["nucleus_id"])
    others = browser.new_context(viewport={"width": 1280, "height": 720})
    other_page = others.new_page()
    pages = [(page, "3"), (other_page, "4")]
    viewers = [open_at(each, dashboard, run, nucleus) for each, _ in pages]
    for (each, key), viewer in zip(pages, viewers, strict=True):
        viewer.get_by_role("toolbar").get_by_role("button", name="Correct nuclei").click()
        click(each, viewer, nucleus)
        panel = each.get_by_role("complementary", name="Correct nuclei")
        expect(panel).to_contain_text("1 nucleus selected")
        each.keyboard.press(key)
        expect(each.get_by_text("1 nucleus was corrected by hand")).to_be_visible()
    expect_red(page, viewers[0], seen=True)  # without a touch
    assert run.corrections()[number].name == "macrophage"
    assert [entry.name for entry in run.journal().entries()] == ["neutrophil", "macrophage"]
    others.close()
