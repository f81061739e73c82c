"""Strokes of the brush, as the viewer sends them."""

import json
from pathlib import Path

import pytest
import shapely
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.shared import singletons
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import TileSource
from pages.viewer_page.server.routes import routes_below

SQUARE = [[100, 100], [200, 100], [200, 200], [100, 200]]


@pytest.fixture
def source(slide_path: Path) -> TileSource:
    return singletons.tile_sources().add(ChosenSlide(slide_path, 0.25))


def paint(source: TileSource, line: object, *, rings: object = (), radius=20.0, erase=False):
    client = TestClient(Starlette(routes=routes_below("")))
    stroke = {"rings": rings, "line": line, "radius": radius, "erase": erase}
    return client.post(f"/{source.brush_address}", content=json.dumps(stroke))


def area_of(answer) -> float:
    outline, *holes = answer.json()["rings"]
    return shapely.Polygon(outline, holes).area


def test_a_stroke_is_as_wide_as_the_brush_and_ends_at_the_slide(source: TileSource) -> None:
    answer = paint(source, [[50, 100], [150, 100]])
    assert not answer.json()["joined"]
    assert area_of(answer) == pytest.approx(100 * 40 + 3.1416 * 20**2, rel=0.03)
    assert area_of(paint(source, [[0, 0]])) == pytest.approx(3.1416 * 20**2 / 4, rel=0.03)


def test_a_stroke_that_touches_the_region_is_joined_to_it_and_another_is_not(
    source: TileSource,
) -> None:
    touching = paint(source, [[150, 150], [260, 150]], rings=[SQUARE])
    assert touching.json()["joined"]
    assert area_of(touching) == pytest.approx(100**2 + 60 * 40 + 3.1416 * 20**2 / 2, rel=0.03)
    elsewhere = paint(source, [[350, 150]], rings=[SQUARE])
    assert not elsewhere.json()["joined"]
    assert area_of(elsewhere) == pytest.approx(3.1416 * 20**2, rel=0.03)


def test_what_is_erased_is_gone_were_it_a_hole_or_all_of_it(source: TileSource) -> None:
    hole = paint(source, [[150, 150]], rings=[SQUARE], erase=True).json()["rings"]
    assert len(hole) == 2
    assert paint(source, [[150, 150]], rings=[SQUARE], radius=90, erase=True).json() == {
        "rings": [],
        "joined": True,
    }
    halves = paint(source, [[130, 50], [130, 250]], rings=[SQUARE], radius=5, erase=True)
    assert area_of(halves) == pytest.approx(65 * 100, rel=0.03), "the larger part"


@pytest.mark.parametrize(
    ("line", "more"),
    [
        ([], {}),
        ("line", {}),
        ([[1, "x"]], {}),
        ([[0, 0], [9, 9]], {"radius": -1.0}),
        ([[0, 0], [9, 9]], {"radius": float("nan")}),
        ([[0, 0]], {"rings": [[[0, 0], [9, 9], [0, 9], [9, 0]]]}),
        ([[0, 0]], {"rings": [[[0, 0]]]}),
    ],
)
def test_what_is_no_stroke_is_refused_in_words(source: TileSource, line, more) -> None:
    answer = paint(source, line, **more)
    assert answer.status_code == 400
    assert answer.text == "What was sent is no stroke of a brush; reload the page."


def test_nobody_paints_without_a_session(source: TileSource) -> None:
    unknown = TileSource(source.slide)
    assert paint(unknown, [[0, 0]]).status_code == 404
