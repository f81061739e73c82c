"""Regions and distances, drawn by hand."""

import json
import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from viewing import SAMPLE, VIEW, WAIT_FOR_TILES, on_screen, open_place, press_and_drag

from seg_core.annotations import read_rois
from seg_core.roi import Roi

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


def test_distances_are_measured_in_micrometres_kept_and_listed(page: Page, viewer: Locator) -> None:
    labels = viewer.locator(".ruler text")
    rows = viewer.get_by_role("complementary", name="Measurements").get_by_role("listitem")
    viewer.get_by_role("button", name="Measure distances").click()
    press_and_drag(page, on_screen(viewer, 1000, 1400), on_screen(viewer, 1120, 1490))
    expect(rows).to_have_count(1)
    press_and_drag(page, on_screen(viewer, 1000, 1400), on_screen(viewer, 1000, 1460))
    expect(rows).to_have_count(2)
    mpp = viewer.evaluate("viewer => viewer.slideViewer.slide.mpp")
    for row, label, length in zip(rows.all(), labels.all(), (150, 60), strict=True):
        said = (row.locator("span").text_content() or "").removesuffix(" µm")
        assert float(said) == pytest.approx(length * mpp, abs=1)
        expect(label).to_have_text(re.compile(rf"\d: {re.escape(said)} µm"))
    page.keyboard.press("Escape")
    page.reload()
    expect(rows).to_have_count(2)
    viewer.get_by_role("button", name="Remove measurement 1").click()
    expect(rows).to_have_count(1)
    expect(labels).to_have_count(1)
    viewer.get_by_role("button", name="Clear").click()
    expect(labels).to_have_count(0)


def test_an_ellipse_is_drawn_and_a_region_moved_by_its_inside(page: Page, viewer: Locator) -> None:
    viewer.get_by_role("button", name="Draw an ellipse").click()
    press_and_drag(page, on_screen(viewer, 1000, 1400), on_screen(viewer, 1200, 1500))
    expect(page.get_by_text("Outline of")).to_be_visible()
    [drawn] = viewer.evaluate(ROIS)
    for x, y in drawn["rings"][0]:
        assert math.hypot((x - 1100) / 100, (y - 1450) / 50) == pytest.approx(1, abs=0.05)
    view = viewer.evaluate(VIEW)
    page.keyboard.down("Shift")
    press_and_drag(page, on_screen(viewer, 1100, 1450), on_screen(viewer, 1130, 1440))
    page.keyboard.up("Shift")
    page.wait_for_function(
        "([viewer, x]) => Math.abs(viewer.slideViewer.regions.rois[0].rings[0][0][0] - x) < 3",
        arg=[viewer.element_handle(), drawn["rings"][0][0][0] + 30],
    )
    [moved] = viewer.evaluate(ROIS)
    for (x, y), (new_x, new_y) in zip(drawn["rings"][0], moved["rings"][0], strict=True):
        assert (new_x - x, new_y - y) == pytest.approx((30, -10), abs=NEAR_PX)
    assert viewer.evaluate(VIEW) == view, "the slide was moved, too"
    press_and_drag(page, on_screen(viewer, 1130, 1440), on_screen(viewer, 1180, 1440))
    assert viewer.evaluate(ROIS) == [moved], "without the key the slide is dragged"


def test_a_region_is_painted_and_painted_away(page: Page, viewer: Locator) -> None:
    viewer.get_by_role("button", name="Paint a region").click()
    press_and_drag(page, on_screen(viewer, 1000, 1400), on_screen(viewer, 1100, 1400))
    expect_area(page, viewer, above=0)
    first = area_of_first(viewer)
    press_and_drag(page, on_screen(viewer, 1100, 1400), on_screen(viewer, 1100, 1480))
    expect_area(page, viewer, above=first * 1.3)
    second = area_of_first(viewer)
    page.keyboard.down("Alt")
    press_and_drag(page, on_screen(viewer, 1000, 1400), on_screen(viewer, 1010, 1400))
    page.keyboard.up("Alt")
    expect_area(page, viewer, above=0, below=second * 0.95)
    page.keyboard.press("Control+z")
    expect_area(page, viewer, above=second * 0.999)
    assert len(viewer.evaluate(ROIS)) == 1


AREA = """viewer => {
    const [ring = []] = viewer.slideViewer.regions.rois[0]?.rings ?? [];
    const next = i => ring[(i + 1) % ring.length];
    return Math.abs(ring.reduce((sum, [x, y], i) => sum + x * next(i)[1] - y * next(i)[0], 0)) / 2;
}"""


def area_of_first(viewer: Locator) -> float:
    area: float = viewer.evaluate(AREA)
    return area


def expect_area(page: Page, viewer: Locator, *, above: float, below: float = 1e12) -> None:
    page.wait_for_function(
        f"([viewer, above, below]) => {{ const area = ({AREA})(viewer);"
        " return above < area && area < below; }",
        arg=[viewer.element_handle(), above, below],
    )


def test_a_line_of_known_length_sets_the_size_of_a_pixel(page: Page, viewer: Locator) -> None:
    line = (1000, 1400), (1120, 1490)  # 150 px
    viewer.get_by_role("button", name="Measure distances").click()
    press_and_drag(page, *(on_screen(viewer, *end) for end in line))
    page.get_by_text("µm/px from this line").click()
    length = page.get_by_role("spinbutton", name="True length of the line")
    length.fill("90000")  # 90 mm
    length.press("Enter")
    expect(page.get_by_text("A pixel cannot be")).to_be_visible()
    length.fill("150")
    length.press("Enter")
    expect(page.get_by_text("every area would change")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Take .* µm.px$")).click()
    expect(page.get_by_text("µm/px from this line")).to_have_count(0)
    expect(page.get_by_text(re.compile(r"\b(1|1\.0\d|0\.99\d?)\sµm.px"))).to_be_visible()

    # the viewer has begun anew, with tiles for the new size
    expect(viewer.locator(".openseadragon-canvas").first).to_be_visible()
    viewer.evaluate(WAIT_FOR_TILES)
    viewer.get_by_role("button", name="Measure distances").click()
    press_and_drag(page, *(on_screen(viewer, *end) for end in line))
    label = viewer.locator(".ruler text").last
    expect(label).to_contain_text("µm")
    said = (label.text_content() or "").rpartition(": ")[2]
    assert float(said.removesuffix(" µm")) == pytest.approx(150, abs=4)


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
