"""A cohort as a reader works it: started on a table, followed, compared, one slide opened."""

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from serving import serve_dashboard

from pages.shared.page_list import COHORT
from seg_core.geometry import Window
from seg_core.samples import sample_path
from seg_core.slide import open_slide

pytestmark = pytest.mark.browser

# Each with a place where there is tissue, pixels of 0.5 µm.
SAMPLES = {"hgsc_nest": (130, 200), "hgsc_stromal_he": (130, 200), "cmu_small_region": (930, 1400)}

COHORT_MS = 600_000  # a ceiling for a machine that is busy


@pytest.fixture(scope="module")
def local_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a dashboard whose reader sits at the same machine."""
    with serve_dashboard(tmp_path_factory.mktemp("cohort"), SEG_LOCAL="1") as address:
        yield address


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Of each of the three samples a piece of 60 × 60 µm for one group, and one for the other."""
    rows = ["slide,mpp,patient,group"]
    for name, (left, top) in SAMPLES.items():
        with closing(open_slide(sample_path(name), mpp=0.5)) as slide:
            raster = slide.raster(0.5)
            for number, group in enumerate(("early", "late")):
                rgb = slide.read(raster, Window(left + 200 * number, top, 120, 120))
                Image.fromarray(rgb).save(tmp_path / f"{name}-{group}.png")
                rows.append(f"{name}-{group}.png,0.5,{name}-{group},{group}")
    path = tmp_path / "trial.csv"
    path.write_text("\n".join(rows))
    return path


def draw_around_first_point(page: Page) -> None:
    plot = page.get_by_test_id("stPlotlyChart")
    expect(plot.locator(".nsewdrag")).to_be_visible()
    point = plot.locator(".scatterlayer .point").first
    expect(point).to_be_visible()
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box is not None
    x, y, far = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, 14
    corners = [(-far, -far), (far, -far), (far, far), (-far, far), (-far, -far)]
    page.mouse.move(x + corners[0][0], y + corners[0][1])
    page.mouse.down()
    for right, down in corners[1:]:
        page.mouse.move(x + right, y + down, steps=5)
    page.mouse.up()


def test_a_cohort_is_followed_to_its_end_compared_and_a_slide_of_it_opened(
    local_dashboard: str, page: Page, table: Path
) -> None:
    page.goto(f"{local_dashboard}/{COHORT.address}")
    page.get_by_test_id("stExpander").get_by_text("Analyse a cohort").click()
    source = page.get_by_role("textbox", name="Folder of slides, or CSV")
    source.fill(str(table))
    source.press("Enter")
    page.get_by_role("button", name="Start").click()
    # the header has a button of that name, too, while a page is made
    main = page.get_by_test_id("stMain")
    expect(main.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_text("6 finished")).to_be_visible(timeout=COHORT_MS)

    page.get_by_role("radio", name="Groups", exact=True).click()
    expect(page.get_by_text("early (n = 3)")).to_be_visible()
    expect(page.get_by_text("late (n = 3)")).to_be_visible()
    expect(page.get_by_role("button", name="Comparison as CSV")).to_be_visible()

    page.get_by_role("radio", name="Scatter", exact=True).click()
    drawn = page.get_by_text("of 6 slides: those that were drawn around in")
    for _ in range(3):  # the plot may be laid out anew just before it is drawn on
        draw_around_first_point(page)
        with suppress(AssertionError):
            expect(drawn).to_be_visible(timeout=10_000)
            break
    expect(drawn).to_be_visible()
    page.get_by_role("radio", name="Groups", exact=True).click()
    expect(page.get_by_text("Draw around points")).to_be_hidden()
    expect(drawn).to_be_visible()
    page.get_by_role("button", name="All slides").click()
    expect(drawn).to_be_hidden()
    expect(page.get_by_text("early (n = 3)")).to_be_visible()

    page.get_by_role("radio", name="Table", exact=True).click()
    expect(page.get_by_role("button", name="Table as CSV")).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("button", name="Report as HTML").click()
    report = Path(started.value.path()).read_text("utf-8")
    assert all(f"{name}-late.png" in report for name in SAMPLES)
    assert "early – late" in report
    # the table is painted on a canvas below a layer that scrolls; the left edge chooses a row
    rows = page.get_by_test_id("stDataFrame").first
    rows.click(position={"x": 15, "y": 60}, force=True)
    expect(page.get_by_text("hgsc_nest-early.png")).to_be_visible()
    expect(page.get_by_role("group", name="Classes")).to_be_visible()
