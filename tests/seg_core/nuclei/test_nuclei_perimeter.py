import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from painted_maps import instances_of, noise_maps, read_labels
from scipy import ndimage
from scipy.special import ellipe
from skimage.measure import perimeter_crofton

from seg_core.classes import MONUSAC
from seg_core.nuclei import measure_nuclei
from seg_core.nuclei.perimeter import _DIRECTIONS, crofton_perimeters

MPP = 0.25


def perimeters(labels):
    areas = np.bincount(labels[labels > 0] - 1)
    return crofton_perimeters(labels, areas)


def ellipses(major, minor, angle, count, seed):
    """The same ellipse, axes in pixels, at random places between pixels; a label each."""
    rng = np.random.default_rng(seed)
    side = math.ceil(major) + 6
    y, x = np.mgrid[:side, :side] + 0.5
    tiles = []
    for label in range(1, count + 1):
        dx, dy = x - side / 2 - rng.random(), y - side / 2 - rng.random()
        along = dx * math.cos(angle) + dy * math.sin(angle)
        across = dy * math.cos(angle) - dx * math.sin(angle)
        tiles.append(label * (np.hypot(2 * along / major, 2 * across / minor) <= 1))
    return np.concatenate(tiles, axis=1).astype(np.int32)


def true_perimeter(major, minor):
    return 2 * major * ellipe(1 - (minor / major) ** 2)


@given(
    major=st.floats(2 / MPP, 20 / MPP),
    roundness=st.floats(1 / 3, 1),
    angle=st.floats(0, math.pi),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_the_perimeter_of_ellipses_of_2_to_20_um_is_right_within_one_percent(
    major, roundness, angle, seed
):
    """It was 5.5 % too long for a disc: the chain of pixels' sides knows eight directions.

    One small ellipse may be off by what its pixels happen to hold, so it is the mean over places
    between pixels that is right: 100 of them leave an error of a tenth.
    """
    minor = max(major * roundness, 2 / MPP)
    found = perimeters(ellipses(major, minor, angle, 100, seed))
    assert found.mean() == pytest.approx(true_perimeter(major, minor), rel=0.01)
    assert found.std() < 0.02 * found.mean()


@given(diameter=st.floats(2 / MPP, 20 / MPP), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_discs_are_round(diameter, seed):
    labels = ellipses(diameter, diameter, 0.0, 40, seed)
    table = measure_nuclei(
        instances_of(labels, mpp=MPP), np.full((*labels.shape, 3), 120, np.uint8), MONUSAC
    )
    assert table["circularity"].mean() == pytest.approx(1, abs=0.02)
    assert table["circularity"].max() <= 1
    assert table["perimeter_um"].mean() == pytest.approx(np.pi * diameter * MPP, rel=0.01)


@pytest.mark.parametrize(("side", "counts"), [(4, (4, 7, 10)), (1, (1, 1, 1))])
def test_a_square_is_worked_out_by_hand(side, counts):
    labels = np.zeros((10, 10), np.int32)
    labels[3 : 3 + side, 3 : 3 + side] = 1
    # Of its 16 pixels (or its only one) so many leave the square by a step to the side, by a
    # diagonal one and by a knight's; there are 2, 2 and 4 such directions.
    knight = math.atan(0.5)
    directions = [
        (2, 1, knight),
        (2, math.sqrt(2), math.pi / 4 - knight),
        (4, math.sqrt(5), math.pi / 8),
    ]
    expected = 0.0
    for (times, length, angle), count in zip(directions, counts, strict=True):
        width = count / length
        chord = 4 / math.pi * side**2 / width
        expected += times * angle * width / (1 - length**2 / (6 * chord**2))
    assert perimeters(labels)[0] == pytest.approx(expected)
    assert sum(times * angle for times, _, angle in directions) == pytest.approx(math.pi)


def test_real_nuclei_are_as_scikit_image_has_them_with_fewer_directions(shared_data):
    path = min((shared_data / "monusac" / "val" / "inst").glob("*.png"))
    labels = read_labels(path)
    found = perimeters(labels)
    theirs = [
        perimeter_crofton(np.pad(labels == label, 1), directions=4)
        for label in range(1, labels.max() + 1)
    ]
    # theirs has no correction for the ends of small nuclei, and errs by direction
    assert np.median(found / theirs) == pytest.approx(1, abs=0.01)
    assert np.abs(found / theirs - 1).max() < 0.08


def test_a_neighbour_and_the_edge_bound_a_nucleus_as_background_does():
    one = np.ones((6, 6), np.int32)
    surrounded = np.full((12, 12), 2, np.int32)
    surrounded[3:9, 3:9] = 1
    assert perimeters(one)[0] == perimeters(surrounded)[0] == perimeters(np.pad(one, 4))[0]


def test_the_edge_of_a_hole_counts():
    ring = np.zeros((30, 30), np.int32)
    y, x = np.mgrid[:30, :30] - 14.5
    ring[np.hypot(x, y) <= 12] = 1
    whole = perimeters(ring)[0]
    ring[np.hypot(x, y) <= 6] = 0
    assert perimeters(ring)[0] == pytest.approx(whole + 2 * np.pi * 6, rel=0.05)


@given(noise_maps(largest=50))
def test_every_pixel_that_a_step_leaves_is_counted(maps):
    """Only pixels near an edge are looked at; here all are, of one nucleus after the other."""
    labels = ndimage.label(maps.ternary_map > 0, output=np.int32)[0]
    expected = []
    for label in range(1, labels.max() + 1):
        own = np.pad(labels == label, 2)
        total = 0.0
        for step in _DIRECTIONS:
            there = np.roll(own, (-step.y, -step.x), axis=(0, 1))
            width = np.count_nonzero(own & ~there) / step.length
            chord = 4 / np.pi * own.sum() / width
            total += step.angle * width / (1 - step.length**2 / (6 * chord**2))
        expected.append(total)
    np.testing.assert_allclose(perimeters(labels), expected)
