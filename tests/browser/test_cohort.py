"""A cohort as a reader works it: started on a table, followed, compared, one slide opened."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from serving import serve_dashboard

from pages.shared.page_list import COHORT
from seg_core.samples import sample_path

pytestmark = pytest.mark.browser

COHORT_MS = 600_000  # a ceiling for a machine that is busy


@pytest.fixture(scope="module")
def local_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a dashboard whose reader sits at the same machine."""
    with serve_dashboard(tmp_path_factory.mktemp("cohort"), SEG_LOCAL="1") as address:
        yield address


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two groups of three patients, each with a piece of a sample of 60 × 60 µm."""
    rows = ["slide,mpp,patient,group"]
    for group, name in (("nest", "hgsc_nest"), ("stroma", "hgsc_stromal_he")):
        with Image.open(sample_path(name)) as picture:
            for number in range(3):
                left = 130 * number
                piece = picture.crop((left, 200, left + 120, 320))
                piece.save(tmp_path / f"{group}{number}.png")
                rows.append(f"{group}{number}.png,0.5,{group}-{number},{group}")
    path = tmp_path / "trial.csv"
    path.write_text("\n".join(rows))
    return path


def test_a_cohort_is_followed_to_its_end_compared_and_a_slide_of_it_opened(
    local_dashboard: str, page: Page, table: Path
) -> None:
    page.goto(f"{local_dashboard}/{COHORT.address}")
    page.get_by_text("Analyse a cohort").click()
    source = page.get_by_role("textbox", name="Folder of slides, or CSV")
    source.fill(str(table))
    source.press("Enter")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_text("6 finished")).to_be_visible(timeout=COHORT_MS)

    page.get_by_text("Groups", exact=True).click()
    expect(page.get_by_text("nest (n = 3)")).to_be_visible()
    expect(page.get_by_text("stroma (n = 3)")).to_be_visible()
    expect(page.get_by_role("button", name="Comparison as CSV")).to_be_visible()

    page.get_by_text("Table", exact=True).click()
    expect(page.get_by_role("button", name="Table as CSV")).to_be_visible()
    # the table is painted on a canvas below a layer that scrolls; the left edge chooses a row
    rows = page.get_by_test_id("stDataFrame").first
    rows.click(position={"x": 15, "y": 60}, force=True)
    expect(page.get_by_text("nest0.png")).to_be_visible()
    expect(page.get_by_role("group", name="Classes")).to_be_visible()
