import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from seg_core.classes import BACKGROUND, BOUNDARY, INSIDE
from seg_core.nuclei.ternary import RIM_PX, ternary_of

LABELS = arrays(
    np.int32,
    st.tuples(st.integers(1, 14), st.integers(1, 14)),
    elements=st.sampled_from([0, 0, 3, 3, 3, 7]),
)


def by_definition(instances, rim_px):
    """Each nucleus by itself: the Euclidean distance to the nearest pixel that is not its own."""
    ternary = np.zeros(instances.shape, np.uint8)
    for label in np.unique(instances[instances > 0]):
        own = instances == label
        near = distance_transform_edt(own) <= rim_px if not own.all() else np.zeros_like(own)
        ternary[own] = np.where(near[own], BOUNDARY, INSIDE)
    return ternary


@given(LABELS, st.integers(0, 4))
@settings(max_examples=50, deadline=None)
def test_the_boundary_is_what_lies_within_the_rim_of_anything_else(instances, rim_px):
    np.testing.assert_array_equal(ternary_of(instances, rim_px), by_definition(instances, rim_px))


@given(LABELS)
@settings(max_examples=25, deadline=None)
def test_inside_and_boundary_together_are_the_exact_mask(instances):
    np.testing.assert_array_equal(ternary_of(instances) != BACKGROUND, instances > 0)


def test_a_square_of_nine_keeps_three_by_three_inside():
    instances = np.zeros((13, 13), np.int32)
    instances[2:11, 2:11] = 1
    ternary = ternary_of(instances)
    assert RIM_PX == 3
    assert (ternary == INSIDE).sum() == 9
    assert (ternary[5:8, 5:8] == INSIDE).all()
    assert (ternary == BOUNDARY).sum() == 81 - 9


def test_touching_nuclei_have_boundary_on_both_sides():
    instances = np.repeat([[1] * 8 + [2] * 8], 5, axis=0).astype(np.int32)
    row = ternary_of(instances)[2]
    assert row.tolist() == [INSIDE] * 5 + [BOUNDARY] * 6 + [INSIDE] * 5


def test_the_border_of_the_image_is_no_boundary():
    assert (ternary_of(np.full((6, 6), 4, np.int32)) == INSIDE).all()


@pytest.mark.parametrize("value", [0, 9])
def test_one_pixel_is_an_ordinary_image(value):
    assert ternary_of(np.array([[value]])).tolist() == [[INSIDE if value else BACKGROUND]]
