"""The viewer where the host answers none of its addresses: all passes through the page."""

import re
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from analysed import LEFT, SIDE, analyse_part
from playwright.sync_api import Page, Response, Route, expect
from serving import STORE
from viewing import PIECE, WAIT_FOR_TILES, canvas_of, on_screen, open_place

from seg_core.store import Run
from tests.browser.starting import serve

pytestmark = pytest.mark.browser

PAGE_ITSELF = {"status": 200, "content_type": "text/html", "body": "<!doctype html>"}
FORGOTTEN = {"status": 404, "content_type": "text/plain", "body": "This view has expired."}

# Streamlit's own way to start a script, which does not look for an `app` in it.
SCRIPT_ALONE = """
import os
from streamlit.web import bootstrap
bootstrap.load_config_options({"server_port": int(os.environ["PORT"]), "server_headless": True})
bootstrap.run("streamlit_app.py", False, [], {})
"""

# A class is switched; its tiles have replaced those before.
SWITCH_CLASS = """(viewer, name) => new Promise(done => {
    const { osd, overlays } = viewer.slideViewer;
    const layer = overlays.layers.find(({ spec }) => spec.id === "classes");
    const [before] = layer.items;
    osd.world.addHandler("remove-item", ({ item }) => item === before && done());
    [...viewer.querySelectorAll(".legend label")]
        .find(label => label.textContent.startsWith(name)).click();
})"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A part of a sample, analysed in a store of its own."""
    return analyse_part(tmp_path_factory.mktemp("without_tiles") / STORE)


@pytest.fixture(scope="module")
def without_routes(run: Run) -> Iterator[str]:
    """Address of a dashboard with that store, started as a host does that finds no `app`."""
    store = next(folder for folder in run.path.parents if folder.name == STORE)
    command = [sys.executable, "-c", SCRIPT_ALONE]
    variables = {"SEG_STORE": str(store)}
    with serve(store.parent / "log.txt", command, environment=variables) as (address, _):
        yield address


def test_all_of_the_viewer_works_without_addresses_of_its_own(
    without_routes: str, run: Run, page: Page
) -> None:
    answers: list[Response] = []
    page.on("response", lambda each: "/app/static/" in each.url and answers.append(each))
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    viewer = open_place(page, without_routes, *place_of(run))
    expect(page.get_by_role("group", name="Classes")).to_be_visible()
    viewer.evaluate(WAIT_FOR_TILES)
    painted = canvas_of(viewer)
    viewer.evaluate(SWITCH_CLASS, "lymphocyte")
    viewer.evaluate(WAIT_FOR_TILES)
    bare = canvas_of(viewer)
    assert is_slide(bare)
    assert np.count_nonzero(np.any(painted != bare, axis=2)) > 1000, "the overlay is not painted"
    viewer.evaluate(SWITCH_CLASS, "lymphocyte")

    nucleus = middle_nucleus(run)
    inside = nucleus["geometry"].representative_point()
    page.mouse.move(*on_screen(viewer, inside.x, inside.y))
    expect(viewer.locator(".tip")).to_contain_text(f"{nucleus['area_um2']:.1f} µm²")
    page.mouse.click(*on_screen(viewer, inside.x, inside.y))
    card = page.get_by_role("complementary", name="Picked nucleus")
    expect(card).to_contain_text(f"Nucleus {nucleus['nucleus_id']},")
    expect(card.get_by_role("img")).to_be_visible()

    viewer.get_by_role("button", name="Full size").click()
    expect(viewer.locator(".hint")).to_contain_text("Snapshot saves what is seen")
    with page.expect_download() as download:
        viewer.get_by_role("button", name="Snapshot").click()
    assert download.value.path().stat().st_size > 0

    page.get_by_role("link", name="Nuclei").click()
    expect(page.get_by_test_id("stMetric").first).to_be_visible()
    page.get_by_role("link", name="Viewer").click()
    expect(viewer.locator(".openseadragon-canvas").first).to_be_visible()
    viewer.evaluate(WAIT_FOR_TILES)
    assert is_slide(canvas_of(viewer))
    assert answers, "the viewer's own addresses are tried first"
    assert not any(each.headers["content-type"].startswith("image/") for each in answers)
    assert not errors


@pytest.mark.parametrize("addresses", [r"/app/static/", r"/app/static/wsi/"])
def test_a_region_is_drawn_where_addresses_lead_to_the_page_itself(
    dashboard: str, page: Page, addresses: str
) -> None:
    page.route(re.compile(addresses), lambda route: route.fulfill(**PAGE_ITSELF))
    viewer = open_place(page, dashboard, PIECE)
    assert is_slide(canvas_of(viewer))
    viewer.get_by_role("button", name="Take the visible part as a region").click()
    expect(page.get_by_text("Rectangle of")).to_be_visible()
    expect(viewer.get_by_role("button", name="Region Region 1")).to_be_visible()


def test_a_view_that_has_expired_says_so(dashboard: str, page: Page) -> None:
    def forget(route: Route) -> None:
        route.fulfill(**FORGOTTEN)

    page.route(re.compile(r"/app/static/wsi/"), forget)
    page.goto(dashboard)
    page.get_by_role("button", name="Choose").first.click()
    page.get_by_role("button", name="Open in the viewer").click()
    sentence = "This view has expired; reload the page"
    expect(page.locator("section.viewer").get_by_role("status")).to_contain_text(sentence)


def middle_nucleus(run: Run) -> pd.Series:
    """The nucleus nearest to the middle, where no panel lies over it."""
    table = run.nuclei()
    middle = LEFT + SIDE / 2
    return table.loc[np.hypot(table["x"] - middle, table["y"] - middle).idxmin()]


def place_of(run: Run) -> tuple[str, str]:
    nucleus = middle_nucleus(run)
    place = f"&x={nucleus['x']:.0f}&y={nucleus['y']:.0f}&width={SIDE}"
    return place, run.facts.question.slide_id


def is_slide(canvas: np.ndarray) -> bool:
    """Tissue has many colours; what OpenSeadragon draws of nothing has one."""
    return bool(canvas[..., :3].std(axis=(0, 1)).min() > 10)
