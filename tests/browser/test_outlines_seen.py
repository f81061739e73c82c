"""Outlines of the nuclei as lines: where they are, in which colours, and when tiles show them."""

import re
from pathlib import Path

import numpy as np
import pytest
import shapely
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from viewing import WAIT_FOR_TILES, canvas_of, on_screen, open_place

from seg_core.analysis import analyse
from seg_core.classes import rgb_of
from seg_core.geometry import Region
from seg_core.samples import SAMPLES, sample_path
from seg_core.slide import slide_id
from seg_core.store import Run

pytestmark = pytest.mark.browser

SAMPLE = SAMPLES[-1]
PATH = sample_path(SAMPLE.name)
LEFT, TOP, WIDTH, HEIGHT = 900, 800, 500, 300
NEAR = f"&x={LEFT + WIDTH // 2}&y={TOP + HEIGHT // 2}&width={WIDTH}"
FAR = f"&x={LEFT + WIDTH // 2}&y={TOP + HEIGHT // 2}&width=6000"

# Compression of the slide and smoothed lines: a pixel on a line is seldom exactly of its colour.
SAME_COLOUR = 40

SETTLED = """([viewer, lines]) => {
    const { outlines } = viewer.slideViewer;
    return outlines.areSeen === lines && outlines.areSettled;
}"""


@pytest.fixture(scope="module")
def run(dashboard: str, store: Path) -> Run:
    """A piece with epithelium and lymphocytes, analysed with the shipped weights."""
    return analyse(PATH, store, region=Region(LEFT, TOP, WIDTH, HEIGHT), mpp=SAMPLE.mpp)


def open_run(page: Page, dashboard: str, place: str) -> Locator:
    viewer = open_place(page, dashboard, place, slide_id(PATH))
    expect(page.get_by_role("group", name="Classes")).to_be_visible()
    viewer.get_by_role("switch", name="Classes").uncheck()
    return viewer


def wait_for(viewer: Locator, *, lines: bool) -> None:
    """Wait until lines, or tiles, are all there is to see, and drawn."""
    viewer.page.wait_for_function(SETTLED, arg=[viewer.element_handle(), lines])
    viewer.evaluate(WAIT_FOR_TILES)


def pixels_at_lines(viewer: Locator, seen: np.ndarray, run: Run, name: str) -> np.ndarray:
    """What is seen at the corners of a class's outlines that are well in view, (9, N, 3).

    A line covers some of the nine pixels around a corner.
    """
    table = run.nuclei()
    rings = shapely.get_exterior_ring(table[table["class_name"] == name].geometry.to_numpy())
    origin = np.array(on_screen(viewer, 0, 0))
    scale = np.array(on_screen(viewer, 1000, 1000)) - origin
    box = viewer.locator(".openseadragon-canvas").first.bounding_box()
    assert box is not None
    corners = shapely.get_coordinates(rings) / 1000 * scale + origin - (box["x"], box["y"])
    x, y = np.floor(corners).astype(int).T
    inside = (x > 2) & (y > 2) & (x < seen.shape[1] - 3) & (y < seen.shape[0] - 3)
    assert inside.sum() > 100, f"no {name} nuclei to look at"
    around = [
        seen[y[inside] + down, x[inside] + right] for down in (-1, 0, 1) for right in (-1, 0, 1)
    ]
    return np.array(around).astype(int)


def share_on_lines(viewer: Locator, seen: np.ndarray, run: Run, name: str) -> float:
    """Of the outlines of a class that are well in view, how much has the class's colour."""
    colour = np.array(rgb_of(run.scheme.colours[name]))
    distance = np.abs(pixels_at_lines(viewer, seen, run, name) - colour).max(axis=2).min(axis=0)
    return float((distance < SAME_COLOUR).mean())


def test_zoomed_in_nuclei_are_lines_that_follow_legend_switch_and_snapshot(
    dashboard: str, run: Run, page: Page
) -> None:
    with page.expect_response(re.compile(r"/nuclei/\d+_\d+\.bin")) as square:
        viewer = open_run(page, dashboard, NEAR)
    assert square.value.headers["content-type"] == "application/octet-stream"
    wait_for(viewer, lines=True)
    seen = canvas_of(viewer)
    for name in ("epithelial", "lymphocyte"):
        assert share_on_lines(viewer, seen, run, name) > 0.9

    with page.expect_download() as download:
        viewer.get_by_role("button", name="Snapshot").click()
    saved = np.asarray(Image.open(download.value.path()).convert("RGB"))
    assert share_on_lines(viewer, saved[: saved.shape[0] - 50], run, "epithelial") > 0.9

    classes = page.get_by_role("group", name="Classes")
    classes.get_by_role("checkbox", name="epithelial").uncheck()
    wait_for(viewer, lines=True)
    seen = canvas_of(viewer)
    assert share_on_lines(viewer, seen, run, "epithelial") < 0.3
    assert share_on_lines(viewer, seen, run, "lymphocyte") > 0.9

    viewer.get_by_role("switch", name="Nuclei").uncheck()
    wait_for(viewer, lines=False)
    bare = canvas_of(viewer)
    assert share_on_lines(viewer, bare, run, "lymphocyte") < 0.1
    hidden = (pixels_at_lines(viewer, each, run, "epithelial") for each in (seen, bare))
    assert np.equal(*hidden).all(axis=2).mean() > 0.9, "a class that is off is not drawn at all"


def test_lines_are_cut_where_the_slide_is_compared(dashboard: str, run: Run, page: Page) -> None:
    viewer = open_run(page, dashboard, NEAR)
    wait_for(viewer, lines=True)
    with_lines = canvas_of(viewer)
    viewer.get_by_role("button", name="Compare").click()
    viewer.evaluate(WAIT_FOR_TILES)
    half = canvas_of(viewer)
    middle = half.shape[1] // 2
    assert (half[:, middle + 3 :] == with_lines[:, middle + 3 :]).all()
    viewer.get_by_role("switch", name="Nuclei").uncheck()
    wait_for(viewer, lines=False)
    bare = canvas_of(viewer)
    assert (half[:, : middle - 3] == bare[:, : middle - 3]).all()
    assert (half != bare).any()


def test_zoomed_out_tiles_show_the_nuclei(dashboard: str, run: Run, page: Page) -> None:
    squares: list[str] = []
    page.on("request", lambda asked: ".bin" in asked.url and squares.append(asked.url))
    viewer = open_run(page, dashboard, FAR)
    wait_for(viewer, lines=False)
    layer = "viewer => viewer.slideViewer.outlines.layer.items.map(item => item.opacity)"
    assert viewer.evaluate(layer) == [1]
    assert not squares

    go_to = "(viewer, place) => viewer.slideViewer.frame.goTo(place, true)"
    place = {"x": LEFT + WIDTH / 2, "y": TOP + HEIGHT / 2}
    viewer.evaluate(go_to, {**place, "width": WIDTH})
    wait_for(viewer, lines=True)
    assert viewer.evaluate(layer) == [], "nothing is drawn twice"
    viewer.evaluate(go_to, {**place, "width": 6000})
    wait_for(viewer, lines=False)
    assert viewer.evaluate(layer) == [1]


def test_where_squares_do_not_come_tiles_go_on_showing_the_nuclei(
    dashboard: str, run: Run, page: Page
) -> None:
    page.route(re.compile(r"\.bin"), lambda route: route.fulfill(status=404, body="Gone."))
    with page.expect_response(re.compile(r"\.bin")):
        viewer = open_run(page, dashboard, NEAR)
    viewer.evaluate(WAIT_FOR_TILES)
    assert not viewer.evaluate("viewer => viewer.slideViewer.outlines.areSeen")
    # tiles are enlarged, so their lines are paler
    assert share_on_lines(viewer, canvas_of(viewer), run, "lymphocyte") > 0.3
    expect(viewer.get_by_role("status").first).to_be_hidden()


def test_the_least_score_of_the_nuclei_page_holds_here(
    dashboard: str, run: Run, page: Page
) -> None:
    viewer = open_run(page, dashboard, NEAR)
    page.get_by_role("link", name="Nuclei").click()
    slider = page.get_by_role("slider", name="Uncertain below a class score of")
    slider.press("End")
    page.get_by_test_id("stSidebar").get_by_role("link", name="Viewer").click()
    expect(viewer.locator(".legend-note")).to_contain_text("below 1.00 are uncertain")
    classes = page.get_by_role("group", name="Classes")
    table = run.nuclei()
    sure = (table["class_name"] == "lymphocyte") & (table["class_score"] >= 1)
    label = classes.locator("label").filter(has_text="lymphocyte")
    expect(label.locator(".count")).to_have_text(f"{sure.sum():,}")
    expect(classes.get_by_role("checkbox", name="uncertain")).to_be_checked()
    wait_for(viewer, lines=True)
    table["class_name"] = table["class_name"].where(
        (table["class_name"] == "other") | (table["class_score"] >= 1), "uncertain"
    )
    uncertain = type("Labelled", (), {"nuclei": lambda _: table, "scheme": run.scheme})()
    assert share_on_lines(viewer, canvas_of(viewer), uncertain, "uncertain") > 0.9
