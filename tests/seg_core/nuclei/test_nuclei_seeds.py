import numpy as np
import pytest
from hypothesis import given
from painted_maps import EVERYTHING, noise_maps
from scipy import ndimage
from skimage.measure import regionprops

from seg_core.geometry import Window
from seg_core.maps import Maps
from seg_core.nuclei.seeds import find_seeds
from seg_core.settings import AnalysisSettings


@pytest.mark.parametrize("density", [0.3, 0.5, 0.6])
def test_opencv_numbers_parts_by_their_first_pixel(density: float):
    """Ties rest on it. The picture is large enough for OpenCV to work in parallel."""
    ternary = (np.random.default_rng(1).random((900, 1100)) < density).astype(np.uint8)
    labels = find_seeds(ternary, 0.25, EVERYTHING).labels
    first_pixels = np.unique(labels, return_index=True)[1][1:]
    assert (np.diff(first_pixels) > 0).all()


@given(noise_maps())
def test_seeds_are_the_parts_connected_across_edges(maps: Maps):
    seeds = find_seeds(maps.ternary_map, 0.25, EVERYTHING)
    parts, count = ndimage.label(maps.ternary_map == 1)
    assert len(seeds.bounds) == count
    pairs = np.unique(np.stack([parts, seeds.labels]).reshape(2, -1), axis=1)
    assert len(pairs.T) == len(np.unique(parts))
    for part in regionprops(seeds.labels):
        top, left, bottom, right = part.bbox
        assert seeds.bounds[part.label - 1].tolist() == [left, top, right, bottom]


def test_a_seed_needs_its_least_area():
    ternary = np.zeros((5, 20), np.uint8)
    ternary[1, 1:16] = 1  # 15 px
    ternary[3, 1:17] = 1  # 16 px, at 0.25 µm/px just 1 µm²
    seeds = find_seeds(ternary, 0.25, AnalysisSettings(min_seed_um2=1.0))
    assert seeds.bounds.tolist() == [[1, 3, 17, 4]]
    assert np.unique(seeds.labels[3]).tolist() == [0, 1]
    assert not seeds.overlarge.any()


@pytest.mark.parametrize("turned", [False, True])
def test_what_is_wider_or_higher_than_the_largest_extent_is_overlarge(turned: bool):
    ternary = np.zeros((30, 60), np.uint8)
    ternary[3:7, 5:45] = 1  # 40 px, at 0.25 µm/px just 10 µm
    ternary[10:14, 5:46] = 1
    ternary = ternary.T.copy() if turned else ternary
    seeds = find_seeds(ternary, 0.25, AnalysisSettings(max_extent_um=10.0))
    overlarge = seeds.overlarge.T if turned else seeds.overlarge
    assert len(seeds.bounds) == 1
    assert overlarge[10:14, 5:46].all()
    assert overlarge.sum() == 4 * 41


def test_a_crop_keeps_numbers_and_whole_bounds():
    ternary = np.zeros((10, 30), np.uint8)
    ternary[2:6, 2:6] = ternary[2:6, 10:26] = 1
    cropped = find_seeds(ternary, 0.25, EVERYTHING).cropped(Window(8, 1, 6, 4))
    assert cropped.labels.shape == (4, 6)
    assert np.unique(cropped.labels).tolist() == [0, 2]
    assert cropped.bounds.tolist() == [[-6, 1, -2, 5], [2, 1, 18, 5]]


def test_seeds_reach_a_window_when_they_could_grow_into_it():
    ternary = np.zeros((10, 30), np.uint8)
    ternary[2:6, 2:6] = ternary[2:6, 10:16] = 1
    seeds = find_seeds(ternary, 0.25, EVERYTHING)
    core = Window(20, 0, 10, 10)
    assert seeds.reaching(core, 4).tolist() == []
    assert seeds.reaching(core, 5).tolist() == [1]
    assert seeds.reaching(core, 15).tolist() == [0, 1]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1)])
def test_the_smallest_maps_work(shape: tuple[int, int]):
    assert len(find_seeds(np.zeros(shape, np.uint8), 0.25, EVERYTHING).bounds) == 0
    assert len(find_seeds(np.ones(shape, np.uint8), 0.25, EVERYTHING).bounds) == 1
