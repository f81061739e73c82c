"""The Nuclei page as a reader uses it: from a row, a lasso or a picture to the nucleus."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect
from viewing import choose_button, expect_centre

from seg_core.analysis import analyse
from seg_core.geometry import Region
from seg_core.samples import SAMPLES, sample_path
from seg_core.store import Run

pytestmark = pytest.mark.browser

SAMPLE = SAMPLES[-1]
ON_THE_SERVER_MS = 60_000  # a ceiling for a machine that is busy


@pytest.fixture(scope="module")
def run(dashboard: str, store: Path) -> Run:
    """A piece of the last sample with epithelium and stroma, analysed with the shipped weights."""
    return analyse(
        sample_path(SAMPLE.name), store, region=Region(900, 1300, 500, 400), mpp=SAMPLE.mpp
    )


@pytest.fixture
def nuclei_page(page: Page, dashboard: str, run: Run) -> Page:
    page.set_default_timeout(ON_THE_SERVER_MS)
    expect.set_options(timeout=ON_THE_SERVER_MS)
    page.goto(dashboard)
    choose_button(page).click()
    expect(page.get_by_role("button", name="Chosen")).to_be_visible()
    page.get_by_role("link", name="Nuclei").click()
    expect(page.get_by_role("heading", name="Densities")).to_be_visible()
    # another test may have analysed another piece of it in the meantime
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(counted(run))
    return page


def counted(run: Run) -> str:
    return f"{sum(run.facts.counts[name] for name in run.scheme.names):,}"


def open_section(page: Page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True).click()


def expect_viewer(page: Page, nucleus: pd.Series) -> None:
    """Wait for the viewer with a nucleus in its middle."""
    page.wait_for_url(re.compile(r"/viewer(\?|$)"))
    expect_centre(page, nucleus["x"], nucleus["y"])


def drag(page: Page, box: Locator, path: list[tuple[float, float]]) -> None:
    """Draw along points given as shares of a box."""
    box.scroll_into_view_if_needed()
    area = box.bounding_box()
    assert area is not None
    points = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in path]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=5)
    page.mouse.up()


def counted_nuclei(run: Run) -> pd.DataFrame:
    """The nuclei that the page lists: those that a class names."""
    table = run.nuclei()
    return table[table["class_name"].isin(run.scheme.names)]


def test_a_click_on_a_row_opens_the_nucleus_in_the_viewer(nuclei_page: Page, run: Run) -> None:
    open_section(nuclei_page, "Table")
    table = nuclei_page.get_by_test_id("stDataFrame")
    expect(table).to_have_count(1)  # the summary of the section before is gone
    expect(nuclei_page.get_by_text("a click on a row opens it")).to_be_visible()
    table.click(position={"x": 40, "y": 60})
    expect_viewer(nuclei_page, counted_nuclei(run).sort_values("nucleus_id").iloc[0])


def test_a_click_on_a_picture_opens_the_nucleus_in_the_viewer(nuclei_page: Page, run: Run) -> None:
    open_section(nuclei_page, "Gallery")
    first = nuclei_page.locator(".gallery button").first
    before = first.get_attribute("title")
    assert before is not None
    nuclei_page.get_by_test_id("stMain").get_by_role("radio", name="lymphocyte").click()
    expect(first).not_to_have_attribute(
        "title", before
    )  # the pictures of the class before are gone
    first.click()
    nuclei = counted_nuclei(run)
    lymphocytes = nuclei[nuclei["class_name"] == "lymphocyte"]
    order = lymphocytes.sort_values(["class_score", "nucleus_id"], ascending=[False, True])
    expect_viewer(nuclei_page, order.iloc[0])


def test_a_lasso_picks_the_nuclei_that_the_table_then_lists(nuclei_page: Page, run: Run) -> None:
    open_section(nuclei_page, "Scatter")
    expect(nuclei_page.get_by_text("Draw a lasso around points")).to_be_visible()
    plot = nuclei_page.locator(".js-plotly-plot .nsewdrag")
    expect(plot).to_have_count(1)  # the plot of the section before is gone
    drag(nuclei_page, plot, [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.05)])
    picked = nuclei_page.get_by_text("nuclei picked")
    expect(picked).to_be_visible()
    count = picked.inner_text().partition(" ")[0]
    assert 0 < int(count.replace(",", "")) <= int(counted(run).replace(",", ""))
    open_section(nuclei_page, "Table")
    expect(nuclei_page.get_by_text(f"Only the {count} picked nuclei")).to_be_visible()
    expect(nuclei_page.get_by_text(f"{count} nuclei; a click on a row")).to_be_visible()


def test_a_file_is_written_when_it_is_asked_for(
    nuclei_page: Page, run: Run, tmp_path: Path
) -> None:
    open_section(nuclei_page, "Downloads")
    with nuclei_page.expect_download() as download:
        nuclei_page.get_by_role("button", name="GeoJSON", exact=True).click()
    assert download.value.suggested_filename == (
        f"{run.slide_path.stem}-{run.run_id}-nuclei.geojson"
    )
    download.value.save_as(tmp_path / "nuclei.geojson")
    document = json.loads((tmp_path / "nuclei.geojson").read_text("utf-8"))
    assert f"{len(document['features']):,}" == counted(run)
