import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted_maps import EVERYTHING, noise_maps
from plain_growth import grown_plainly
from scipy import ndimage

from seg_core.maps import Maps
from seg_core.nuclei.growth import grow_seeds
from seg_core.nuclei.seeds import find_seeds


@given(noise_maps(largest=40), st.integers(0, 12))
def test_growth_is_what_its_docstring_says(maps: Maps, steps: int):
    seeds = find_seeds(maps.ternary_map, 0.25, EVERYTHING).labels
    foreground = maps.ternary_map > 0
    np.testing.assert_array_equal(
        grow_seeds(seeds, foreground, steps), grown_plainly(seeds, foreground, steps)
    )


@given(noise_maps(), st.integers(0, 20))
def test_growth_keeps_nuclei_connected_inside_the_foreground_and_near(maps: Maps, steps: int):
    seeds = find_seeds(maps.ternary_map, 0.25, EVERYTHING).labels
    grown = grow_seeds(seeds, maps.ternary_map > 0, steps)
    np.testing.assert_array_equal(grown[seeds > 0], seeds[seeds > 0])
    assert not grown[maps.ternary_map == 0].any()
    for label in range(1, int(seeds.max()) + 1):
        assert ndimage.label(grown == label)[1] == 1
        if (grown == label).sum() > (seeds == label).sum():
            away = ndimage.distance_transform_cdt(seeds != label, metric="chessboard")
            assert away[grown == label].max() <= steps


def test_a_point_grows_to_an_octagon():
    seeds = np.zeros((41, 41), np.int32)
    seeds[20, 20] = 1
    grown = grow_seeds(seeds, np.ones_like(seeds, dtype=bool), 12) > 0
    y, x = np.nonzero(grown)
    reached = np.hypot(y - 20, x - 20)
    np.testing.assert_array_equal(grown, grown.T)
    np.testing.assert_array_equal(grown, grown[::-1])
    assert (y - 20).max() == 12
    assert reached.max() < 1.13 * 12
    y, x = np.nonzero(~grown)
    assert np.hypot(y - 20, x - 20).min() > 12


def test_ties_go_to_the_seed_that_comes_first_in_reading_order():
    seeds = np.array([[0, 0, 0, 0, 1], [2, 0, 0, 0, 0]], dtype=np.int32)
    foreground = np.array([[False, False, False, False, True], [True] * 5])
    # seed 2 and seed 1 both reach the pixel between them at their second step
    assert grow_seeds(seeds, foreground, 9)[1].tolist() == [2, 2, 2, 1, 1]
    seeds = np.array([[1, 0, 0, 0, 2]], dtype=np.int32)
    assert grow_seeds(seeds, np.ones((1, 5), bool), 9).tolist() == [[1, 1, 1, 2, 2]]


def test_growth_goes_round_background_and_not_across():
    seeds = np.array([[1, 0, 0], [0, 0, 0]], dtype=np.int32)
    foreground = np.array([[True, False, True], [True, True, True]])
    assert grow_seeds(seeds, foreground, 2).tolist() == [[1, 0, 0], [1, 1, 0]]
    assert grow_seeds(seeds, foreground, 4).tolist() == [[1, 0, 1], [1, 1, 1]]


def test_diagonal_foreground_is_not_entered():
    """Two pixels that touch at a corner only would be one nucleus in two pieces."""
    seeds = np.array([[1, 0], [0, 0]], dtype=np.int32)
    foreground = np.array([[True, False], [False, True]])
    np.testing.assert_array_equal(grow_seeds(seeds, foreground, 9), seeds)


def test_no_steps_is_no_growth():
    seeds = np.array([[1, 0]], dtype=np.int32)
    np.testing.assert_array_equal(grow_seeds(seeds, np.ones((1, 2), bool), 0), seeds)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_growth_without_rivals_turns_with_the_picture(turns: int):
    seeds = np.zeros((30, 30), np.int32)
    seeds[8:12, 7:15] = 1
    foreground = np.hypot(*(np.indices((30, 30)) - 13)) < 11
    turned = grow_seeds(np.rot90(seeds, turns).copy(), np.rot90(foreground, turns), 6)
    np.testing.assert_array_equal(turned, np.rot90(grow_seeds(seeds, foreground, 6), turns))
