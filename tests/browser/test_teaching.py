"""From twelve answers by the keyboard to other numbers, and back."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect
from viewing import settle

from seg_core.analysis import analyse
from seg_core.geometry import Region
from seg_core.samples import SAMPLES, sample_path
from seg_core.store import Run

pytestmark = pytest.mark.browser

HAS_COLOUR_OF_TEXT = (
    "dot => getComputedStyle(dot).backgroundColor === getComputedStyle(dot.parentElement).color"
)

SAMPLE = SAMPLES[-1]
ANSWERS = 12
NEUTROPHIL, NEUTROPHIL_KEY = "neutrophil", "3"
PATIENCE_MS = 120_000  # a ceiling for a machine that is busy


@pytest.fixture(scope="module")
def run(dashboard: str, store: Path) -> Run:
    """A piece of the last sample with epithelium and stroma, analysed with the shipped weights."""
    return analyse(
        sample_path(SAMPLE.name), store, region=Region(900, 1300, 600, 400), mpp=SAMPLE.mpp
    )


def open_page(page: Page, dashboard: str, run: Run, name: str) -> None:
    page.goto(f"{dashboard}/{name}?slide={run.slide_id}&run={run.run_id}")


def open_section(page: Page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True).click()


def labels(page: Page) -> Locator:
    """The screen of nuclei, once its pictures are there."""
    screen = page.locator("section.labels")
    expect(screen.locator(".nuclei button").first).to_be_visible()
    return screen


def csv_of(page: Page, dashboard: str, run: Run, path: Path) -> Counter[str]:
    """Count the classes in the file that the page of nuclei hands over."""
    open_page(page, dashboard, run, "nuclei")
    open_section(page, "Downloads")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    download.value.save_as(path)
    return Counter(pd.read_csv(path)["class_name"])


def test_twelve_answers_teach_what_the_numbers_follow_until_it_is_forgotten(
    page: Page, dashboard: str, run: Run, tmp_path: Path
) -> None:
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    found = csv_of(page, dashboard, run, tmp_path / "found.csv")

    open_page(page, dashboard, run, "teach")
    screen = labels(page)
    dot = screen.locator(".keys button", has_text="not a nucleus").locator("i")
    assert dot.evaluate(HAS_COLOUR_OF_TEXT), "on a dark page it was black"
    screen.focus()
    for _ in range(ANSWERS + 1):
        page.keyboard.press(NEUTROPHIL_KEY)
    page.keyboard.press("Backspace")
    expect(screen.get_by_role("status")).to_contain_text(f"{ANSWERS} of")
    expect(page.get_by_text(f"{ANSWERS} labels: {NEUTROPHIL} {ANSWERS}")).to_be_visible()
    labelled = csv_of(page, dashboard, run, tmp_path / "labelled.csv")
    assert ANSWERS <= labelled[NEUTROPHIL] <= ANSWERS + found[NEUTROPHIL]

    open_page(page, dashboard, run, "teach")
    open_section(page, "Train")
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("would change")).to_be_visible()
    page.get_by_role("button", name="Apply").click()
    named = page.get_by_test_id("stMain").get_by_text("named by the taught classifier my-classes")
    expect(named).to_be_visible()
    open_section(page, "Files")  # what is chosen is called otherwise by now, and stays chosen
    expect(page.get_by_text("Labels from elsewhere")).to_be_visible()
    taught = csv_of(page, dashboard, run, tmp_path / "taught.csv")
    assert taught[NEUTROPHIL] > labelled[NEUTROPHIL]
    expect(page.get_by_text("named by the taught classifier my-classes").first).to_be_visible()

    page.reload()
    open_page(page, dashboard, run, "teach")
    open_section(page, "Train")
    expect(named).to_be_visible()
    page.get_by_role("button", name="Forget").click()
    expect(named).to_have_count(0)
    open_section(page, "Files")
    expect(page.get_by_text("Labels from elsewhere")).to_be_visible()
    assert csv_of(page, dashboard, run, tmp_path / "forgotten.csv") == labelled

    open_page(page, dashboard, run, "teach")
    open_section(page, "Label")  # the page was left at another one, and that lasts
    labels(page)
    page.get_by_role("button", name="Take back the last label").click()
    expect(page.get_by_text(f"{ANSWERS - 1} labels: {NEUTROPHIL} {ANSWERS - 1}")).to_be_visible()


def test_classes_beyond_the_keys_are_given_by_their_button(
    page: Page, dashboard: str, run: Run
) -> None:
    """They and *other* could not be given at all."""
    open_page(page, dashboard, run, "teach")
    open_section(page, "Classes")
    for number in range(1, 6):  # four are the model's
        page.get_by_label("Name a class").fill(f"kind {number}")
        page.get_by_role("button", name="Add", exact=True).click()
        settle(page)
    open_section(page, "Label")
    screen = labels(page)
    answers = screen.get_by_role("toolbar", name="Answers")
    expect(answers.get_by_role("button", name="kind 4")).to_have_text("8kind 4")
    answers.get_by_role("button", name="kind 5").click()
    page.keyboard.press("9")
    expect(screen.get_by_role("status")).to_contain_text("2 of")
    told = page.get_by_test_id("stCaptionContainer").filter(has_text="2 labels")
    expect(told).to_contain_text("kind 5 1")
    expect(told).to_contain_text("other 1")
