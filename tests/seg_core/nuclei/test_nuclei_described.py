"""Features of nuclei out of the pieces they are made of."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted_maps import discs, instances_of

from seg_core.geometry import Window
from seg_core.maps import piece_type
from seg_core.nuclei.described import features_of
from seg_core.tiling import TileGrid
from seg_core.tiling.pieces import pieces_of

LABELS = discs([(12, 12), (40, 14), (22, 40)], 9, (64, 64))


def colours(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 16, 16)).astype(np.float16)


def means(labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """The same the long way: each pixel has the features of its square."""
    full = features.repeat(4, axis=1).repeat(4, axis=2).astype(np.float64)
    return np.array([full[:, labels == k].mean(axis=1) for k in range(1, labels.max() + 1)])


@given(cuts=st.lists(st.integers(1, 63), max_size=5), rows=st.lists(st.integers(1, 63), max_size=5))
def test_however_the_map_is_cut_a_nucleus_has_the_mean_over_its_inside(
    cuts: list[int], rows: list[int]
) -> None:
    features = colours()
    cell, grid = Window(0, 0, 64, 64), TileGrid(64, 64, 64, 0)
    ternary = (LABELS > 0).astype(np.uint8)
    xs, ys = sorted({0, 64, *cuts}), sorted({0, 64, *rows})
    parts = [
        pieces_of(
            ternary[y:bottom, x:right],
            {(0, 0): features},
            grid,
            Window(x, y, right - x, bottom - y),
            cell,
        )
        for y, bottom in itertools.pairwise(ys)
        for x, right in itertools.pairwise(xs)
    ]
    found = features_of(instances_of(LABELS), np.concatenate(parts))
    np.testing.assert_allclose(found.astype(float), means(LABELS, features), atol=5e-3)


def test_a_piece_elsewhere_says_nothing_of_a_nucleus() -> None:
    pieces = np.zeros(2, piece_type(1))
    pieces["x"], pieces["y"], pieces["pixels"] = (12, 500), (12, 500), 4
    pieces["features"] = [[3.0], [7.0]]
    found = features_of(instances_of(LABELS), pieces)
    assert found[0, 0] == 3
    assert np.isnan(found[1:]).all()


def test_the_larger_piece_says_more() -> None:
    pieces = np.zeros(2, piece_type(1))
    pieces["x"], pieces["y"], pieces["pixels"] = (12, 13), 12, (30, 10)
    pieces["features"] = [[1.0], [5.0]]
    assert features_of(instances_of(LABELS), pieces)[0, 0] == pytest.approx(2.0)
