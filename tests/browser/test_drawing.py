"""Regions and distances, drawn by hand."""

import json
import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from viewing import SAMPLE, on_screen, open_place, press_and_drag

from seg_core.roi import Roi, read_rois

pytestmark = pytest.mark.browser

# A level-0 pixel is several on the screen when SHOW_PIECE is shown, so a hand hits it.
NEAR_PX = 1.5

ROIS = "viewer => viewer.slideViewer.regions.rois"


@pytest.fixture
def viewer(page: Page, dashboard: str) -> Locator:
    return open_place(page, dashboard)


def test_regions_are_drawn_changed_kept_and_taken_away(
    page: Page, viewer: Locator, tmp_path: Path
) -> None:
    draw_rectangle_between(page, viewer, (950, 1350), (1100, 1450))
    expect(page.get_by_text("Rectangle of")).to_be_visible()
    name_it(page, "tumour")
    outline = [(1120, 1350), (1220, 1360), (1210, 1500), (1130, 1480)]
    viewer.get_by_role("button", name="Draw a free outline").click()
    for corner in outline:
        page.mouse.click(*on_screen(viewer, *corner))
    page.mouse.click(*on_screen(viewer, *outline[0]))
    expect(page.get_by_text("Outline of")).to_be_visible()

    tumour, nest = saved(page, tmp_path)
    assert (tumour.name, nest.name) == ("tumour", "Region 2")
    assert tumour.polygon.bounds == pytest.approx((950, 1350, 1100, 1450), abs=NEAR_PX)
    assert list(nest.polygon.exterior.coords)[:-1] == [
        pytest.approx(corner, abs=NEAR_PX) for corner in outline
    ]

    # The border of a rectangle moves it, a corner makes it larger.
    press_and_drag(page, on_screen(viewer, 1000, 1350), on_screen(viewer, 1020, 1380))
    size = page.get_by_text("Rectangle of")
    before = size.inner_text()
    press_and_drag(page, on_screen(viewer, 1120, 1480), on_screen(viewer, 1200, 1500))
    expect(size).not_to_have_text(before)  # the page knows, so the file will
    tumour, _ = saved(page, tmp_path)
    assert tumour.polygon.bounds == pytest.approx((970, 1380, 1200, 1500), abs=2 * NEAR_PX)

    # The viewer has them again after another page, and after the page is loaded anew.
    drawn = viewer.evaluate(ROIS)
    page.get_by_role("link", name="Nuclei").click()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Viewer").click()
    expect(viewer.get_by_role("button", name="Region tumour")).to_be_visible()
    assert viewer.evaluate(ROIS) == drawn
    page.wait_for_url(re.compile("slide="))
    page.reload()
    expect(viewer.get_by_role("button", name="Region tumour")).to_be_visible()
    assert viewer.evaluate(ROIS) == drawn

    viewer.get_by_role("button", name="Region tumour").press("Delete")
    expect(page.get_by_text("Regions (1)")).to_be_visible()
    viewer.get_by_role("button", name="Region Region 2").press("Control+z")
    expect(page.get_by_text("Regions (2)")).to_be_visible()


def test_a_removed_region_comes_back_wherever_the_focus_is(page: Page, viewer: Locator) -> None:
    draw_rectangle_between(page, viewer, (950, 1350), (1100, 1450))
    shape = viewer.get_by_role("button", name="Region Region 1")
    shape.press("Delete")
    expect(shape).to_have_count(0)
    expect(page.get_by_text("Removed: Region 1")).to_be_visible()
    page.get_by_role("heading", name=SAMPLE).click()  # the focus is nowhere in the viewer
    page.keyboard.press("Control+z")
    expect(shape).to_be_visible()
    expect(page.get_by_text("Rectangle of")).to_be_visible()
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(shape).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    expect(shape).to_be_visible()


def test_two_tabs_at_one_slide_each_keep_what_they_draw(
    page: Page, viewer: Locator, dashboard: str
) -> None:
    other_page = page.context.new_page()
    other = open_place(other_page, dashboard)
    draw_rectangle_between(page, viewer, (950, 1350), (1000, 1400))
    expect(page.get_by_text("Regions (1)")).to_be_visible()
    draw_rectangle_between(other_page, other, (1050, 1450), (1100, 1500))
    expect(other_page.get_by_text("Regions (2)")).to_be_visible()
    draw_rectangle_between(page, viewer, (1150, 1450), (1200, 1500))
    expect(page.get_by_text("Regions (3)")).to_be_visible()
    names = [roi["name"] for roi in viewer.evaluate(ROIS)]
    assert names == ["Region 1", "Region 1 2", "Region 2"]


def test_a_free_line_becomes_an_outline_and_one_that_crosses_itself_is_refused(
    page: Page, viewer: Locator
) -> None:
    circle = [
        on_screen(viewer, 1100 + 80 * math.cos(angle), 1450 + 80 * math.sin(angle))
        for angle in (math.tau * step / 40 for step in range(40))
    ]
    viewer.get_by_role("button", name="Draw a free outline").click()
    press_and_drag(page, *circle)
    expect(page.get_by_text("Outline of")).to_be_visible()
    [roi] = viewer.evaluate(ROIS)
    assert 8 <= len(roi["rings"][0]) <= 40
    for x, y in roi["rings"][0]:
        assert math.hypot(x - 1100, y - 1450) == pytest.approx(80, abs=NEAR_PX)

    viewer.get_by_role("button", name="Draw a free outline").click()
    for corner in [(920, 1320), (1000, 1400), (1000, 1320), (920, 1380)]:
        page.mouse.click(*on_screen(viewer, *corner))
    page.keyboard.press("Enter")
    expect(viewer.get_by_role("status")).to_contain_text("crosses itself")
    assert len(viewer.evaluate(ROIS)) == 1


def test_a_distance_is_measured_in_micrometres(page: Page, viewer: Locator) -> None:
    viewer.get_by_role("button", name="Measure a distance").click()
    press_and_drag(page, on_screen(viewer, 1000, 1400), on_screen(viewer, 1120, 1490))
    label = viewer.locator(".ruler text")
    expect(label).to_be_visible()
    mpp = viewer.evaluate("viewer => viewer.slideViewer.slide.mpp")
    assert float((label.text_content() or "").removesuffix(" µm")) == pytest.approx(
        150 * mpp, abs=1
    )
    page.keyboard.press("Escape")
    expect(label).to_have_count(0)


def test_a_file_from_qupath_is_read(page: Page, viewer: Locator) -> None:
    square = [[1000, 1400], [1100, 1400], [1100, 1500], [1000, 1400]]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [square]},
        "properties": {"objectType": "annotation", "classification": {"name": "Ignore*"}},
    }
    page.get_by_role("button", name="Files").click()
    page.locator("input[type=file]").set_input_files(
        {
            "name": "annotations.geojson",
            "mimeType": "application/geo+json",
            "buffer": json.dumps([feature]).encode(),
        }
    )
    shape = viewer.get_by_role("button", name="Region Ignore* (left out)")
    expect(shape).to_be_visible()
    expect(page.get_by_role("button", name="Analyse region")).to_be_disabled()


def draw_rectangle_between(
    page: Page, viewer: Locator, one: tuple[float, float], other: tuple[float, float]
) -> None:
    viewer.get_by_role("button", name="Draw a rectangle").click()
    press_and_drag(page, on_screen(viewer, *one), on_screen(viewer, *other))


def name_it(page: Page, name: str) -> None:
    page.get_by_role("button", name="Edit").click()
    field = page.get_by_role("textbox", name="Name")
    field.fill(name)
    field.press("Enter")
    expect(page.get_by_role("button", name=f"Region {name}")).to_be_visible()
    page.keyboard.press("Escape")


def saved(page: Page, folder: Path) -> list[Roi]:
    """The regions as the reader takes them away."""
    page.get_by_role("button", name="Files").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as GeoJSON").click()
    download.value.save_as(folder / "regions.geojson")
    page.keyboard.press("Escape")
    return read_rois(folder / "regions.geojson")
