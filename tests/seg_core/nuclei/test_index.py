from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from seg_core.classes import UNCERTAIN
from seg_core.nuclei.index import STRIP_UM, NucleusIndex
from seg_core.nuclei.names import Names

MPP = 0.5
STRIP_PX = STRIP_UM / MPP


@pytest.fixture
def index() -> NucleusIndex:
    """Five nuclei in two strips; the third is of another class, the second a crescent."""
    crescent = shapely.Point(100, 30).buffer(10) - shapely.Point(105, 30).buffer(9)
    polygons = [
        shapely.Point(200, 20).buffer(8),
        crescent,
        shapely.Point(105, 30).buffer(4),
        shapely.Point(20, 40).buffer(8),
        shapely.Point(10, STRIP_PX + 10).buffer(8),
    ]
    return NucleusIndex(
        gpd.GeoDataFrame(
            {
                "nucleus_id": [11, 12, 13, 14, 15],
                "class_name": ["a", "a", "b", "a", "a"],
                "class_score": np.array([0.9, 0.4, 0.5, 0.9, 0.9], np.float32),
                "x": [200, 92, 105, 20, 10],
                "y": [20, 30, 30, 40, STRIP_PX + 10],
            },
            geometry=polygons,
        ),
        MPP,
    )


def test_the_nucleus_is_the_one_whose_outline_holds_the_point(index: NucleusIndex) -> None:
    both = ["a", "b"]
    assert index.at(92, 30, both) == 12
    assert index.at(105, 30, both) == 13  # inside the crescent's box, outside its outline
    assert index.at(105, 30, ["a"]) is None
    assert index.at(110, 36, both) is None


def test_the_reading_order_is_left_to_right_then_down(index: NucleusIndex) -> None:
    order = [14, 12, 11, 15]
    for before, after in zip(order, [*order[1:], order[0]], strict=True):
        assert index.next_of_class(before, 1) == after
        assert index.next_of_class(after, -1) == before
    assert [index.place_in_class(each) for each in order] == [(n, 4) for n in (1, 2, 3, 4)]
    assert index.next_of_class(13, 1) == 13


def test_an_unknown_id_is_no_nucleus(index: NucleusIndex) -> None:
    assert index.row(99) is None
    assert index.row(12)["x"] == 92
    assert len(index.outlines([99, 12, 13])) == 2


def test_names_of_now_go_over_the_same_outlines(index: NucleusIndex) -> None:
    """11 became b, 12 is no nucleus, 13 is sure of itself; the others are what they were."""
    names = Names(
        np.array(["b", "a", "b", "a", "a"], object),
        np.array([1, 0.4, 1, 0.9, 0.9], np.float32),
        np.array([True, False, True, True, True]),
    )
    now = index.renamed(names)
    assert [now.name(each) for each in (11, 12, 13, 14)] == ["b", None, "b", "a"]
    assert now.at(92, 30, ["a", "b"]) is None
    assert now.row(12) is None
    assert (now.row(11)["class_name"], now.row(13)["class_score"]) == ("b", 1)
    assert [now.place_in_class(each) for each in (14, 15)] == [(1, 2), (2, 2)]
    assert now.next_of_class(11, 1) == 13
    assert len(now.outlines([12, 13])) == 1
    unsure = index.renamed(replace(names, present=np.ones(5, np.bool_))).with_min_score(0.5)
    assert [unsure.name(each) for each in (12, 13)] == [UNCERTAIN, "b"]
    assert index.name(11) == "a"  # that it was made from stays


def test_nuclei_under_the_least_score_are_a_class_of_their_own(index: NucleusIndex) -> None:
    stricter = index.with_min_score(0.5)
    assert stricter.at(92, 30, ["a"]) is None
    assert stricter.at(92, 30, [UNCERTAIN]) == 12
    assert (stricter.name(12), stricter.name(13), stricter.name(99)) == (UNCERTAIN, "b", None)
    assert stricter.place_in_class(12) == (1, 1)
    assert stricter.next_of_class(14, 1) == 11
    assert index.name(12) == "a"


def test_no_nuclei_are_no_trouble() -> None:
    columns = {name: [] for name in ("nucleus_id", "class_name", "class_score", "x", "y")}
    empty = NucleusIndex(gpd.GeoDataFrame(columns, geometry=[]), MPP)
    assert empty.at(1, 1, ["a"]) is None
    assert empty.outlines([1]) == []
