"""Sums by runs are sums by pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted_maps import noise_maps
from scipy import ndimage

from seg_core.maps import Maps
from seg_core.nuclei.pixels import NucleusPixels


def labels_of(maps: Maps) -> tuple[np.ndarray, int]:
    labels, count = ndimage.label(maps.ternary_map > 0)
    return labels.astype(np.int32), count


@given(noise_maps(), st.randoms(use_true_random=False))
def test_sums_are_those_of_every_pixel_by_itself(maps: Maps, random) -> None:
    labels, count = labels_of(maps)
    pixels = NucleusPixels.of(labels, count)
    np.testing.assert_array_equal(pixels.indices, np.flatnonzero(labels))
    np.testing.assert_array_equal(pixels.painted(labels.shape), labels)
    values = np.array([random.random() for _ in pixels.indices])
    plane = np.zeros(labels.shape)
    plane.reshape(-1)[pixels.indices] = values
    xx, yy, xy = pixels.central_moments()
    votes = pixels.votes(
        *(each.reshape(-1)[pixels.indices] for each in (maps.class_map, maps.score)), 5
    )
    for number in range(count):
        y, x = np.nonzero(labels == number + 1)
        assert pixels.areas_px[number] == len(x)
        assert pixels.coordinate_sums[number].tolist() == [x.sum(), y.sum()]
        assert pixels.sums(values)[number] == pytest.approx(plane[y, x].sum())
        covariances = np.cov(x, y, bias=True) if len(x) > 1 else np.zeros((2, 2))
        np.testing.assert_allclose(
            [xx[number], yy[number], xy[number]], covariances[[0, 1, 0], [0, 1, 1]], atol=1e-9
        )
        expected = [maps.score[y, x][maps.class_map[y, x] == each].sum() for each in range(5)]
        assert votes[number].tolist() == expected


@given(noise_maps(), st.integers(0, 1000))
def test_some_nuclei_are_those_with_the_others_painted_over(maps: Maps, seed: int) -> None:
    labels, count = labels_of(maps)
    keep = np.random.default_rng(seed).random(count) < 0.6
    chosen = NucleusPixels.of(labels, count).selected(keep)
    numbers = np.concatenate([[0], np.where(keep, keep.cumsum(), 0)])
    np.testing.assert_array_equal(chosen.painted(labels.shape), numbers[labels])
    assert chosen.count == keep.sum()
    expected = NucleusPixels.of(numbers[labels].astype(np.int32), chosen.count)
    np.testing.assert_array_equal(chosen.areas_px, expected.areas_px)


def test_moments_do_not_depend_on_the_place_far_out() -> None:
    labels = np.zeros((40, 3000), np.int32)
    labels[3:9, 5:20] = labels[30:36, 2900:2915] = 1
    labels[30:36, 2900:2915] = 2
    for variances in NucleusPixels.of(labels, 2).central_moments():
        assert variances[0] == variances[1]


def test_a_run_does_not_go_on_in_the_next_row() -> None:
    labels = np.array([[0, 1, 1], [1, 1, 0]], np.int32)
    pixels = NucleusPixels.of(labels, 2)
    assert pixels.starts.tolist() == [1, 3]
    assert pixels.lengths.tolist() == [2, 2]
    assert pixels.areas_px.tolist() == [4, 0]
