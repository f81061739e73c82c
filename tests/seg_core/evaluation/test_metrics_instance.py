"""Figures of nuclei that are counted by hand."""

import numpy as np
import pytest
from label_pairs import CLASSES, all_figures, as_numbers, nuclei

from seg_core.errors import DataError
from seg_core.evaluation.metrics.aji import aji, aji_plus
from seg_core.evaluation.metrics.detection import (
    detection_counts,
)
from seg_core.evaluation.metrics.instance import (
    challenge_pq,
    class_counts,
    compare,
    nucleus_confusion,
    panoptic_counts,
    vote_confusion,
)
from seg_core.labelled.nuclei import Nuclei, majority_class_ids


def test_two_squares_one_shifted_by_a_pixel():
    reference = nuclei((6, 20), (1, 5, 1, 5), (1, 5, 10, 14))
    predicted = nuclei((6, 20), (1, 5, 2, 6), (1, 5, 10, 14))
    counts = panoptic_counts(compare(reference, predicted))
    # IoU of the first pair: 12 in common, 16 + 16 - 12 = 20 united, 0.6; of the second 1
    assert as_numbers(counts)[:3] == [2, 0, 0]
    assert counts.iou == pytest.approx(1.6)
    assert counts.dq == 1
    assert counts.sq == pytest.approx(0.8)
    assert counts.pq == pytest.approx(0.8)


def test_an_iou_of_exactly_one_half_is_no_match():
    # 2 of 4 pixels: IoU 0.5
    reference, predicted = nuclei((1, 6), (0, 1, 0, 4)), nuclei((1, 6), (0, 1, 0, 2))
    assert as_numbers(panoptic_counts(compare(reference, predicted))) == [0, 1, 1, 0]


def test_touching_nuclei_merged_by_the_prediction_match_the_larger_one():
    reference = nuclei((4, 9), (0, 4, 0, 6), (0, 4, 6, 9))
    merged = nuclei((4, 9), (0, 4, 0, 9))
    # 24 of 36 pixels, IoU 2/3; the smaller one, 12 of 36, is missed
    assert as_numbers(panoptic_counts(compare(reference, merged))) == [1, 0, 1, 24 / 36]
    # AJI+: 24 in common, 36 united, and the 12 of the nucleus without a partner
    assert aji_plus(compare(reference, merged)) == pytest.approx(24 / (36 + 12))


def test_a_hole_belongs_to_nobody():
    reference = nuclei((5, 5), (0, 5, 0, 5))
    ring = Nuclei(reference.labels.copy())
    ring.labels[2, 2] = 0
    # 24 of 25 pixels
    assert panoptic_counts(compare(reference, ring)).iou == pytest.approx(24 / 25)


def test_a_nucleus_in_a_hole_of_another_is_a_nucleus():
    labels = np.ones((5, 5), np.int32)
    labels[2, 2] = 2
    counts = panoptic_counts(compare(Nuclei(labels), Nuclei(labels)))
    assert as_numbers(counts) == [2, 0, 0, 2]


@pytest.mark.parametrize("swap", [False, True])
def test_one_side_empty(swap):
    sides = [nuclei((5, 5), classes=[]), nuclei((5, 5), (0, 2, 0, 2), (3, 5, 3, 5), classes=[1, 0])]
    comparison = compare(*(sides[::-1] if swap else sides))
    fp, fn = (0, 2) if swap else (2, 0)
    assert as_numbers(panoptic_counts(comparison)) == [0, fp, fn, 0]
    assert as_numbers(detection_counts(comparison, 12)) == [0, fp, fn, 0]
    assert panoptic_counts(comparison).pq == 0
    assert panoptic_counts(comparison).sq == 0
    assert aji_plus(comparison) == 0
    # class 1: one nucleus on one side; the other is *other*, which is no class
    assert as_numbers(class_counts(comparison, 2)) == [
        [0, 0],
        [0 if swap else 1, 0],
        [1 if swap else 0, 0],
        [0, 0],
    ]


def test_nothing_on_either_side_has_no_figure():
    empty = nuclei((4, 4), classes=[])
    comparison = compare(empty, empty)
    counts = panoptic_counts(comparison)
    assert np.isnan([counts.pq, counts.dq, counts.sq, aji_plus(comparison)]).all()
    assert np.isnan(detection_counts(comparison, 12).dq)
    assert np.isnan(challenge_pq(comparison, CLASSES))
    assert nucleus_confusion(comparison, CLASSES).sum() == 0


def test_one_pixel_is_an_ordinary_image():
    one, none = Nuclei(np.array([[7]]), np.ones(7, np.uint8)), nuclei((1, 1), classes=[])
    assert all_figures(compare(one, one))[0] == 1
    assert as_numbers(panoptic_counts(compare(one, none))) == [0, 0, 1, 0]


def test_aji_plus_uses_a_prediction_once():
    # Both nuclei of the reference overlap the one prediction: 6 of 8 and 2 of 8 pixels.
    reference = nuclei((1, 20), (0, 1, 0, 6), (0, 1, 6, 8))
    predicted = nuclei((1, 20), (0, 1, 0, 8), (0, 1, 15, 18))
    # pair 1: 6 in common, 8 united; without a partner: 2 of the reference, 3 of the prediction
    assert aji_plus(compare(reference, predicted)) == pytest.approx(6 / (8 + 2 + 3))


def test_aji_may_be_above_aji_plus_where_nuclei_are_merged():
    """It was said never to be."""
    reference, merged = nuclei((1, 9), (0, 1, 0, 4), (0, 1, 4, 8)), nuclei((1, 9), (0, 1, 0, 8))
    comparison = compare(reference, merged)
    # both claim the prediction: 4 + 4 in common, 8 united twice
    assert aji(comparison) == pytest.approx((4 + 4) / (8 + 8))
    # one has it: 4 in common, 8 united, and the 4 of the other
    assert aji_plus(comparison) == pytest.approx(4 / (8 + 4))


def test_aji_plus_pairs_for_the_greatest_sum_not_greedily():
    # a: columns 0-9, b: 10-14. P: 4-13, Q: 0-3.
    reference = nuclei((1, 15), (0, 1, 0, 10), (0, 1, 10, 15))
    predicted = nuclei((1, 15), (0, 1, 4, 14), (0, 1, 0, 4))
    # IoU aP 6/14, aQ 4/10, bP 4/11. aP alone 0.43; aQ + bP 0.76.
    assert aji_plus(compare(reference, predicted)) == pytest.approx((4 + 4) / (10 + 11))


def test_aji_plus_pairs_by_iou_not_by_common_pixels():
    # a: columns 0-19, b: 20-23, P: 14-23. aP: 6 in common of 24; bP: 4 in common of 10.
    reference = nuclei((1, 24), (0, 1, 0, 20), (0, 1, 20, 24))
    predicted = nuclei((1, 24), (0, 1, 14, 24))
    assert aji_plus(compare(reference, predicted)) == pytest.approx(4 / (10 + 20))


def test_plain_aji_lets_two_nuclei_claim_one_prediction():
    # Both nuclei of the reference overlap the one prediction: 6 of 8 and 2 of 8 pixels.
    reference = nuclei((1, 20), (0, 1, 0, 6), (0, 1, 6, 8))
    predicted = nuclei((1, 20), (0, 1, 0, 8), (0, 1, 15, 18))
    # both pairs: 6 + 2 in common, 8 + 8 united; 3 pixels of the prediction that nobody claims
    assert aji(compare(reference, predicted)) == pytest.approx((6 + 2) / (8 + 8 + 3))


def test_plain_aji_takes_the_prediction_of_the_greatest_iou():
    # a: columns 0-9, P: 0-5 (IoU 6/10), Q: 6-9 (4/10); Q is claimed by nobody
    reference = nuclei((1, 12), (0, 1, 0, 10))
    predicted = nuclei((1, 12), (0, 1, 0, 6), (0, 1, 6, 10))
    assert aji(compare(reference, predicted)) == pytest.approx(6 / (10 + 4))


def test_the_class_maps_opinion_of_each_nucleus_whether_found_or_not():
    reference = nuclei(
        (1, 15), (0, 1, 0, 3), (0, 1, 4, 7), (0, 1, 8, 11), (0, 1, 12, 15), classes=[1, 2, 0, 2]
    )
    class_map = np.array([[1, 1, 2, 0, 3, 0, 3, 0, 2, 2, 2, 0, 0, 0, 2]])
    ignore = np.zeros((1, 15), bool)
    comparison = compare(reference, nuclei((1, 15), classes=[]), ignore)
    assert vote_confusion(comparison, reference, class_map, CLASSES).tolist() == [
        # 1  2  3 other
        [1, 0, 0, 0],
        [0, 0, 1, 1],
        [0, 0, 0, 0],
        [0, 1, 0, 0],  # other
    ]
    ignore[0, 12:] = True  # what is dropped has no vote
    comparison = compare(reference, nuclei((1, 15), classes=[]), ignore)
    assert vote_confusion(comparison, reference, class_map, CLASSES).sum() == 3


def test_a_tie_in_the_majority_goes_to_the_smaller_id():
    assert majority_class_ids(np.array([[1, 1]]), np.array([[4, 2]])).tolist() == [2]
    assert majority_class_ids(np.zeros((2, 2), int), np.zeros((2, 2), int)).size == 0


def test_a_nucleus_mostly_ignored_is_dropped_and_never_cut():
    reference = nuclei((1, 20), (0, 1, 0, 4))
    predicted = nuclei((1, 20), (0, 1, 2, 6), (0, 1, 10, 14))
    ignore = np.zeros((1, 20), bool)
    ignore[0, 4:6] = True  # half of the first prediction: it stays, whole
    ignore[0, 11:14] = True  # 3 of 4 pixels of the second: it goes
    comparison = compare(reference, predicted, ignore)
    assert comparison.predicted.areas.tolist() == [4]
    # 2 in common, 4 + 4 - 2 = 6 united: no match; cut at the ignore area it would be 2 of 4
    assert comparison.iou.tolist() == [2 / 6]
    assert as_numbers(panoptic_counts(comparison)) == [0, 1, 1, 0]


def test_a_reference_mostly_ignored_is_dropped_with_its_prediction():
    both = nuclei((1, 9), (0, 1, 0, 3), (0, 1, 5, 8), classes=[1, 2])
    ignore = np.zeros((1, 9), bool)
    ignore[0, 5:8] = True
    comparison = compare(both, both, ignore)
    assert as_numbers(panoptic_counts(comparison)) == [1, 0, 0, 1]
    assert comparison.reference.classes.tolist() == [1]


def test_the_number_of_a_nucleus_moves_the_challenges_pq_and_no_other():
    """The published code took the *reference's* numbers off the list of false positives."""
    boxes = ((0, 3, 0, 3), (0, 3, 5, 8), (0, 3, 10, 13))
    same = nuclei((8, 20), *boxes, classes=[1, 1, 1])
    shifted = Nuclei(
        np.where(same.labels > 0, same.labels + 3, 0), np.array([0, 0, 0, 1, 1, 1], np.uint8)
    )
    assert challenge_pq(compare(same, same), CLASSES) == 1
    # Three perfect matches, but 1, 2, 3 are not among 4, 5, 6: three false positives, 3 / (3 + 1.5)
    assert challenge_pq(compare(same, shifted), CLASSES) == pytest.approx(3 / 4.5)
    assert class_counts(compare(same, shifted), CLASSES).pq[0] == 1


def test_a_class_absent_from_the_reference_cost_nothing_in_the_challenge():
    reference = nuclei((4, 20), (0, 3, 0, 3), classes=[1])
    predicted = nuclei((4, 20), (0, 3, 0, 3), (0, 3, 5, 8), (0, 3, 10, 13), classes=[1, 2, 2])
    assert challenge_pq(compare(reference, predicted), CLASSES) == 1
    np.testing.assert_array_equal(class_counts(compare(reference, predicted), 3).pq, [1, 0, np.nan])


def test_without_predicted_other_keeps_the_reference_whole():
    reference = nuclei((4, 20), (0, 3, 0, 3), (0, 3, 10, 13), classes=[1, 0])
    predicted = nuclei((4, 20), (0, 3, 0, 3), (0, 3, 5, 8), (0, 3, 10, 13), classes=[0, 0, 2])
    comparison = compare(reference, predicted).without_predicted_other()
    # the first nucleus was found, but vaguely: it counts as missed
    assert as_numbers(panoptic_counts(comparison)) == [1, 0, 1, 1]
    assert comparison.predicted.ids.tolist() == [3]


def test_without_classes_there_is_no_other_to_leave_out():
    comparison = compare(nuclei((3, 3), (0, 2, 0, 2)), nuclei((3, 3), (0, 2, 0, 2)))
    assert comparison.without_predicted_other() is comparison


def test_a_label_map_is_whole_numbers_in_two_dimensions():
    with pytest.raises(DataError, match="two dimensions and whole numbers, not shape"):
        Nuclei(np.zeros((2, 2)))
    with pytest.raises(DataError, match="two dimensions"):
        Nuclei(np.zeros((2, 2, 1), int))


def test_negative_labels_are_refused():
    with pytest.raises(DataError, match="no negative label, got -3"):
        Nuclei(np.array([[-3]]))


def test_every_label_needs_a_class():
    with pytest.raises(DataError, match="goes up to 3, but there are classes for 2"):
        Nuclei(np.array([[3]]), np.array([1, 1], np.uint8))


def test_maps_of_different_shape_are_refused():
    with pytest.raises(DataError, match="must have the image's shape"):
        compare(nuclei((2, 2)), nuclei((2, 3)))
    with pytest.raises(DataError, match="must have the image's shape"):
        compare(nuclei((2, 2)), nuclei((2, 2)), np.zeros((1, 2), bool))


def test_figures_by_class_need_classes():
    unknown = compare(nuclei((3, 3), (0, 2, 0, 2)), nuclei((3, 3), (0, 2, 0, 2), classes=[1]))
    for figure in (class_counts, nucleus_confusion, challenge_pq):
        with pytest.raises(DataError, match="need the class of every nucleus"):
            figure(unknown, CLASSES)


def test_a_class_nobody_named_is_refused():
    same = nuclei((3, 3), (0, 2, 0, 2), classes=[9])
    with pytest.raises(DataError, match="a nucleus has class 9; there are 3"):
        class_counts(compare(same, same), CLASSES)


def test_unknown_classes_paint_an_empty_class_map():
    assert nuclei((2, 2), (0, 2, 0, 2)).class_map().tolist() == [[0, 0], [0, 0]]
    assert nuclei((1, 3), (0, 1, 1, 3), classes=[2]).class_map().tolist() == [[0, 2, 2]]
