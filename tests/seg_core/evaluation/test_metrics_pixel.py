import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seg_core.errors import DataError
from seg_core.evaluation.metrics.pixel import (
    dice_of,
    iou_of,
    mean_known,
    patch_mious,
    pixel_confusion,
)

KINDS = 4
MAPS = arrays(np.uint8, (2, 6, 7), elements=st.integers(0, KINDS - 1))


def test_two_squares_one_shifted_by_a_pixel():
    reference, predicted = np.zeros((2, 6, 8), np.uint8)
    reference[1:5, 1:5] = 1
    predicted[1:5, 2:6] = 1
    confusion = pixel_confusion(reference, predicted, kinds=2)
    # background: 48 - 20 = 28 in common; each square 16, 12 in common, 4 only here, 4 only there
    assert confusion.tolist() == [[28, 4], [4, 12]]
    np.testing.assert_allclose(iou_of(confusion), [28 / 36, 12 / 20])
    np.testing.assert_allclose(dice_of(confusion), [56 / 64, 24 / 32])


def test_a_class_on_neither_side_has_no_figure_and_does_not_pull_the_mean():
    confusion = pixel_confusion(np.array([[0, 2]]), np.array([[0, 2]]), kinds=4)
    np.testing.assert_array_equal(iou_of(confusion), [1, np.nan, 1, np.nan])
    np.testing.assert_array_equal(dice_of(confusion), [1, np.nan, 1, np.nan])
    assert mean_known(iou_of(confusion)) == 1


def test_a_class_that_is_only_predicted_counts_as_zero():
    iou = iou_of(pixel_confusion(np.array([[0, 0]]), np.array([[0, 1]]), kinds=2))
    # background 1 of 2, class 1 0 of 1
    assert iou.tolist() == [0.5, 0.0]


def test_mean_of_nothing_known_is_not_known():
    assert np.isnan(mean_known(np.array([np.nan, np.nan])))
    assert np.isnan(mean_known(np.array([])))


def test_ignored_pixels_are_left_out():
    reference, predicted = np.array([[1, 1, 0, 0]]), np.array([[1, 0, 0, 1]])
    ignore = np.array([[False, False, False, True]])
    assert pixel_confusion(reference, predicted, 2, ignore).tolist() == [[1, 0], [1, 1]]
    assert pixel_confusion(reference, predicted, 2, np.ones((1, 4), bool)).sum() == 0


def test_one_pixel_is_an_ordinary_image():
    assert pixel_confusion(np.array([[1]]), np.array([[1]]), 2).tolist() == [[0, 0], [0, 1]]


@given(MAPS)
@settings(max_examples=30, deadline=None)
def test_identity_gives_one_in_every_class_there_is(maps):
    iou = iou_of(pixel_confusion(maps[0], maps[0], KINDS))
    present = np.isin(np.arange(KINDS), maps[0])
    assert (iou[present] == 1).all()
    assert np.isnan(iou[~present]).all()


@given(MAPS)
@settings(max_examples=30, deadline=None)
def test_swapping_the_two_transposes_and_changes_no_figure(maps):
    there, back = pixel_confusion(*maps, KINDS), pixel_confusion(*maps[::-1], KINDS)
    np.testing.assert_array_equal(there, back.T)
    np.testing.assert_array_equal(iou_of(there), iou_of(back))


@given(MAPS, st.permutations(range(KINDS)))
@settings(max_examples=30, deadline=None)
def test_permuting_the_classes_permutes_the_figures(maps, order):
    renamed = np.array(order)[maps]
    figures = dice_of(pixel_confusion(*renamed, KINDS))
    np.testing.assert_array_equal(figures[order], dice_of(pixel_confusion(*maps, KINDS)))


@given(MAPS, st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_pooled_equals_the_sum_of_the_parts(maps, cut):
    parts = pixel_confusion(*maps[:, :cut], KINDS) + pixel_confusion(*maps[:, cut:], KINDS)
    np.testing.assert_array_equal(parts, pixel_confusion(*maps, KINDS))


def test_patch_miou_of_one_patch_is_the_mean_over_its_reference_classes():
    reference, predicted = np.zeros((2, 256, 256), np.uint8)
    reference[:, :64] = 1
    predicted[:, :32] = 1
    predicted[:10, 200:210] = 2
    # class 1: 32 of 64 columns, 1/2. Background: 192 · 256 - 100 right of 224 · 256 united.
    # Class 2 is nowhere in the reference: its 100 pixels cost background only.
    background = (192 * 256 - 100) / (224 * 256)
    np.testing.assert_allclose(patch_mious(reference, predicted, kinds=3), [(background + 0.5) / 2])


def test_patches_lie_128_px_apart_and_never_reach_past_the_image():
    full = np.ones((256 + 128 + 100, 256), np.uint8)
    assert len(patch_mious(full, full, kinds=2)) == 2


def test_an_image_smaller_than_a_patch_is_one_patch():
    reference = np.ones((40, 30), np.uint8)
    assert patch_mious(reference, reference, kinds=2).tolist() == [1.0]


@pytest.mark.parametrize(("foreground", "patches"), [(655, 0), (656, 1)])
def test_patches_need_one_percent_of_foreground(foreground, patches):
    # 1 % of 65,536 pixels is 655.36
    reference = np.zeros((256, 256), np.uint8)
    reference.ravel()[:foreground] = 1
    assert len(patch_mious(reference, reference, kinds=2)) == patches


def test_ignored_pixels_do_not_count_in_patches():
    reference = np.zeros((10, 10), np.uint8)
    reference[:5] = 1
    predicted = np.zeros_like(reference)
    ignore = np.zeros((10, 10), bool)
    ignore[:5] = True
    assert patch_mious(reference, predicted, 2).tolist() == [0.25]  # (50/100 + 0/50) / 2
    assert patch_mious(reference, predicted, 2, ignore).size == 0


def test_maps_of_different_shape_are_refused():
    with pytest.raises(DataError, match="must have the image's shape"):
        pixel_confusion(np.zeros((2, 2), int), np.zeros((2, 3), int), 2)
    with pytest.raises(DataError, match="must have the image's shape"):
        pixel_confusion(*np.zeros((2, 2, 2), int), 2, np.zeros((3, 2), bool))


def test_values_past_the_classes_are_refused():
    with pytest.raises(DataError, match="the prediction has values 0 to 5; it may have 0 to 1"):
        pixel_confusion(np.array([[0, 1]]), np.array([[0, 5]]), 2)
    with pytest.raises(DataError, match="the reference has values -1 to 1"):
        pixel_confusion(np.array([[-1, 1]]), np.array([[0, 0]]), 2)
