"""What a browser reads of a square is what stands in the table."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from seg_core.classes import MONUSAC, OTHER, UNCERTAIN_ID
from seg_core.nuclei.names import Names
from seg_core.picture.outline_squares import (
    HEADER,
    SQUARE_PX,
    UNIT_PX,
    OutlineSquares,
    pack_outlines,
)
from tests.seg_core.nuclei_tables import random_nuclei

Outlines = list[tuple[int, np.ndarray]]

CORNERS = st.lists(st.tuples(st.floats(-300, 1300), st.floats(-300, 1300)), min_size=3, max_size=40)


def unpack(content: bytes, corner: tuple[float, float] = (0, 0)) -> Outlines:
    """Read a square as the browser does: class id and corners of each outline, level-0 pixels."""
    count, corner_count, unit = HEADER.unpack_from(content)
    corners = np.frombuffer(content, "<i2", 2 * corner_count, HEADER.size).reshape(-1, 2)
    at = HEADER.size + corners.nbytes
    counts = np.frombuffer(content, "<u2", count, at)
    class_ids = np.frombuffer(content, np.uint8, count, at + counts.nbytes)
    assert at + counts.nbytes + class_ids.nbytes == len(content)
    assert counts.sum() == corner_count
    rings = np.split(corners * unit + corner, np.cumsum(counts)[:-1])
    return list(zip(class_ids.tolist(), rings, strict=True)) if count else []


@given(st.lists(CORNERS, max_size=6), st.integers(0, 90), st.integers(0, 90))
def test_outlines_come_back_to_half_a_unit(rings, column, row) -> None:
    corner = (column * SQUARE_PX, row * SQUARE_PX)
    placed = [np.array(ring) + corner for ring in rings]
    polygons = np.array([shapely.Polygon(ring) for ring in placed], dtype=np.object_)
    class_ids = np.arange(len(rings), dtype=np.uint8)
    found = unpack(pack_outlines(polygons, class_ids, corner), corner)
    assert [class_id for class_id, _ in found] == class_ids.tolist()
    for (_, ring), polygon in zip(found, polygons, strict=True):
        expected = shapely.get_coordinates(polygon.exterior)[:-1]
        assert np.abs(ring - expected).max() <= UNIT_PX / 2


def test_an_outline_too_large_for_the_unit_has_a_coarser_one() -> None:
    wide = shapely.box(-5000, 0, 20_000, 10)
    content = pack_outlines(np.array([wide]), np.array([1], np.uint8), (0, 0))
    *_, unit = HEADER.unpack_from(content)
    [(_, ring)] = unpack(content)
    assert unit == 1
    assert sorted(map(tuple, ring.tolist())) == [(-5000, 0), (-5000, 10), (20_000, 0), (20_000, 10)]


def test_an_outline_with_too_many_corners_is_refused() -> None:
    angles = np.linspace(0, 2 * np.pi, 70_000, endpoint=False)
    huge = shapely.Polygon(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    with pytest.raises(ValueError, match="an outline has 70000 corners; at most 65535 go"):
        pack_outlines(np.array([huge]), np.array([1], np.uint8), (0, 0))


def test_holes_are_left_out() -> None:
    ring = shapely.box(0, 0, 10, 10) - shapely.box(4, 4, 6, 6)
    [(_, corners)] = unpack(pack_outlines(np.array([ring]), np.array([1], np.uint8), (0, 0)))
    assert len(corners) == 4


@pytest.fixture(scope="module")
def table() -> gpd.GeoDataFrame:
    return random_nuclei(400, width=3000, height=2000, seed=4)


def test_each_nucleus_is_in_the_square_of_its_centroid_and_in_no_other(table) -> None:
    squares = OutlineSquares(table, MONUSAC)
    found = 0
    for column in range(4):
        for row in range(3):
            corner = (column * SQUARE_PX, row * SQUARE_PX)
            own = unpack(squares.packed(column, row), corner)
            inside = (table["x"] // SQUARE_PX == column) & (table["y"] // SQUARE_PX == row)
            expected = table[inside]
            centroids = [shapely.Polygon(ring).centroid.x for _, ring in own]
            assert sorted(centroids) == pytest.approx(sorted(expected["x"]), abs=UNIT_PX)
            names = [MONUSAC.name_of(class_id) for class_id, _ in own]
            assert sorted(names) == sorted(expected["class_name"])
            found += len(own)
    assert found == len(table)


def test_those_of_a_class_follow_each_other(table) -> None:
    class_ids = [class_id for class_id, _ in unpack(OutlineSquares(table, MONUSAC).packed(0, 0))]
    assert class_ids == sorted(class_ids)


def test_nuclei_under_the_least_score_are_uncertain(table) -> None:
    own = unpack(OutlineSquares(table, MONUSAC).packed(0, 0, min_score=0.6))
    inside = table[(table["x"] < SQUARE_PX) & (table["y"] < SQUARE_PX)]
    uncertain = (inside["class_score"] < np.float32(0.6)) & (inside["class_name"] != OTHER)
    assert [each for each, _ in own].count(UNCERTAIN_ID) == uncertain.sum() > 0


def test_renamed_squares_are_those_of_the_renamed_table(table) -> None:
    rng = np.random.default_rng(2)
    names = Names(
        rng.permutation(table["class_name"].to_numpy(object)),
        rng.permutation(table["class_score"].to_numpy()),
        rng.random(len(table)) < 0.8,
    )
    now = table.assign(class_name=names.class_names, class_score=names.class_scores)
    expected = OutlineSquares(now[names.present], MONUSAC)
    found, once = OutlineSquares(table, MONUSAC), OutlineSquares(table, MONUSAC).packed(0, 0)
    for square in ((0, 0), (1, 1), (2, 0)):
        renamed = found.renamed(names, MONUSAC)
        assert renamed.packed(*square, min_score=0.5) == expected.packed(*square, min_score=0.5)
    assert found.packed(0, 0) == once


def test_where_there_are_no_nuclei_a_square_is_its_header(table) -> None:
    assert OutlineSquares(table, MONUSAC).packed(7, 7) == HEADER.pack(0, 0, UNIT_PX)
    assert OutlineSquares(table.iloc[:0], MONUSAC).packed(0, 0) == HEADER.pack(0, 0, UNIT_PX)
