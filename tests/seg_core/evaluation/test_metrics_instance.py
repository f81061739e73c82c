import itertools
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seg_core.errors import DataError
from seg_core.evaluation.metrics.aji import aji, aji_plus
from seg_core.evaluation.metrics.detection import (
    class_detection_counts,
    detection_counts,
    hovernet_class_counts,
    hovernet_counts,
    hovernet_pairs,
)
from seg_core.evaluation.metrics.instance import (
    Counts,
    challenge_pq,
    class_counts,
    compare,
    nucleus_confusion,
    panoptic_counts,
    vote_confusion,
)
from seg_core.labelled.nuclei import Nuclei, majority_class_ids

CLASSES = 3


def nuclei(shape, *boxes, classes=None):
    """Label 1, 2, … for each (y0, y1, x0, x1), later ones on top."""
    labels = np.zeros(shape, np.int32)
    for label, (y0, y1, x0, x1) in enumerate(boxes, start=1):
        labels[y0:y1, x0:x1] = label
    return Nuclei(labels, None if classes is None else np.array(classes, np.uint8))


def as_numbers(counts):
    return [np.asarray(value).tolist() for value in (counts.tp, counts.fp, counts.fn, counts.iou)]


@st.composite
def label_maps(draw, max_side=9):
    """A small map of touching blobs, with gaps in the labels, and a class for each label."""
    height, width = draw(st.integers(1, max_side)), draw(st.integers(1, max_side))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.zeros((height, width), np.int32)
    for _ in range(draw(st.integers(0, 6))):
        y, x = rng.integers(height), rng.integers(width)
        labels[y : y + rng.integers(1, 5), x : x + rng.integers(1, 5)] = rng.integers(1, 12)
    return Nuclei(labels, rng.integers(0, CLASSES + 1, size=12).astype(np.uint8))


@st.composite
def pairs(draw):
    """A reference and a prediction that resembles it."""
    reference = draw(label_maps())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.roll(reference.labels, rng.integers(-1, 2), axis=1)
    labels[rng.random(labels.shape) < 0.15] = 0
    labels[: rng.integers(0, 2)] = 13
    class_ids = np.append(reference.class_ids, rng.integers(0, CLASSES + 1))
    class_ids[rng.integers(len(class_ids))] = rng.integers(0, CLASSES + 1)
    return reference, Nuclei(labels, class_ids.astype(np.uint8))


def all_figures(comparison):
    return [
        *as_numbers(panoptic_counts(comparison)),
        *as_numbers(class_counts(comparison, CLASSES)),
        *as_numbers(detection_counts(comparison, radius_px=2)),
        *as_numbers(class_detection_counts(comparison, 2, CLASSES)),
        *as_numbers(hovernet_counts(comparison, hovernet_pairs(comparison, 2))),
        *as_numbers(hovernet_class_counts(comparison, hovernet_pairs(comparison, 2), CLASSES)),
        nucleus_confusion(comparison, CLASSES).tolist(),
        aji(comparison),
        aji_plus(comparison),
    ]


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


@given(pairs())
@settings(max_examples=40, deadline=None)
def test_a_prediction_of_two_nuclei_costs_plain_aji_most(pair):
    comparison = compare(*pair)
    one_to_one = len(np.unique(comparison.columns)) == len(comparison.columns)
    if one_to_one and len(np.unique(comparison.rows)) == len(comparison.rows):
        assert aji(comparison) == pytest.approx(aji_plus(comparison), nan_ok=True)


def test_centroids_are_paired_within_the_radius_and_no_further():
    # centroids at x = 1.0 and 4.0: 3 px apart
    reference, predicted = nuclei((2, 9), (0, 2, 0, 2)), nuclei((2, 9), (0, 2, 3, 5))
    comparison = compare(reference, predicted)
    assert as_numbers(detection_counts(comparison, radius_px=3)) == [1, 0, 0, 0]
    assert as_numbers(detection_counts(comparison, radius_px=2.99)) == [0, 1, 1, 0]


def test_the_centroid_of_a_pixel_is_its_middle():
    comparison = compare(nuclei((4, 6), (1, 3, 2, 6)), nuclei((4, 6), (0, 1, 0, 1)))
    assert comparison.reference.centroids.tolist() == [[4, 2]]
    assert comparison.predicted.centroids.tolist() == [[0.5, 0.5]]


def test_as_many_centroids_are_paired_as_the_radius_allows():
    # centroids, radius 3: reference 0.5 and 3.5; predicted 3.5 and 6.5. The nearest pair alone
    # (3.5, 3.5) leaves 0.5 and 6.5 without a partner; crosswise both are paired, 3 px each.
    reference = nuclei((1, 9), (0, 1, 0, 1), (0, 1, 3, 4))
    predicted = nuclei((1, 9), (0, 1, 3, 4), (0, 1, 6, 7))
    assert as_numbers(detection_counts(compare(reference, predicted), 3)) == [2, 0, 0, 0]


def test_hovernets_assignment_gives_up_near_pairs_for_far_ones():
    # centroids: reference 4.5 and 8.5; predicted 0.5 and 4.5. As they lie the sum of distances is
    # 4 + 4 = 8, crosswise 0 + 8 = 8; with the second prediction at 5.5 it is 4 + 3 against 1 + 8.
    reference = nuclei((1, 12), (0, 1, 4, 5), (0, 1, 8, 9))
    predicted = nuclei((1, 12), (0, 1, 0, 1), (0, 1, 5, 6))
    comparison = compare(reference, predicted)
    # at a radius of 2 the least sum leaves no pair, the greatest matching the near one
    assert as_numbers(hovernet_counts(comparison, hovernet_pairs(comparison, 2))) == [0, 2, 2, 0]
    assert as_numbers(detection_counts(comparison, 2)) == [1, 1, 1, 0]
    # at 3 one of HoVer-Net's two pairs is left
    assert as_numbers(hovernet_counts(comparison, hovernet_pairs(comparison, 3))) == [1, 1, 1, 0]


@given(pairs(), st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_no_pairing_finds_more_than_the_greatest_matching(pair, radius):
    comparison = compare(*pair)
    most = detection_counts(comparison, radius)
    assert hovernet_counts(comparison, hovernet_pairs(comparison, radius)).tp <= most.tp
    by_class = class_detection_counts(comparison, radius, CLASSES)
    assert by_class.tp.sum() <= most.tp
    reference = [(comparison.reference.classes == each).sum() for each in (1, 2, 3)]
    assert (by_class.tp + by_class.fn).tolist() == reference


def test_detection_by_class_asks_for_the_class_in_both_ways_of_pairing():
    boxes = (0, 1, 0, 1), (0, 1, 5, 6), (0, 1, 10, 11)
    reference = nuclei((1, 20), *boxes, classes=[1, 2, 2])
    predicted = nuclei((1, 20), *boxes, (0, 1, 17, 18), classes=[1, 1, 2, 1])
    comparison = compare(reference, predicted)
    counts = class_detection_counts(comparison, 1, CLASSES)
    # class 1: one found, two called so in vain; class 2: one found, one missed
    assert as_numbers(counts)[:3] == [[1, 1, 0], [2, 0, 0], [0, 1, 0]]
    hovernet = hovernet_class_counts(comparison, hovernet_pairs(comparison, 1), CLASSES)
    # F_c of class 1: the pair of 2 and 1 counts twice, the nucleus without partner once
    assert hovernet.dq[0] == pytest.approx(2 / (2 + 2 * 1 + 1))
    assert hovernet.dq[1] == pytest.approx(2 / (2 + 2 * 1))
    assert np.isnan(hovernet.dq[2])


def test_a_radius_of_nothing_pairs_identical_centroids_only():
    comparison = compare(nuclei((3, 3), (0, 1, 0, 1)), nuclei((3, 3), (0, 1, 0, 1)))
    assert as_numbers(detection_counts(comparison, 0)) == [1, 0, 0, 0]


def test_the_right_place_with_the_wrong_class_is_missed_here_and_spurious_there():
    boxes = ((0, 3, 0, 3), (0, 3, 5, 8), (0, 3, 10, 13), (5, 8, 0, 3))
    reference = nuclei((8, 20), *boxes, classes=[1, 1, 2, 0])
    predicted = nuclei((8, 20), *boxes, (5, 8, 15, 18), classes=[1, 2, 2, 3, 0])
    comparison = compare(reference, predicted)
    counts = class_counts(comparison, CLASSES)
    # class 1: found, called 2. Class 2: found, and one too many. Class 3: on an *other* nucleus,
    # hence a false positive.
    assert counts.tp.tolist() == [1, 1, 0]
    assert counts.fp.tolist() == [0, 1, 1]
    assert counts.fn.tolist() == [1, 0, 0]
    assert nucleus_confusion(comparison, CLASSES).tolist() == [
        # 1  2  3 other missed
        [1, 1, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0],  # other
        [0, 0, 0, 1, 0],  # spurious
    ]


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


@given(label_maps())
@settings(max_examples=40, deadline=None)
def test_identity_gives_one(reference):
    comparison = compare(reference, reference)
    if not len(comparison.reference):
        return
    assert panoptic_counts(comparison).pq == 1
    assert detection_counts(comparison, 1).dq == 1
    assert aji_plus(comparison) == 1
    pq = class_counts(comparison, CLASSES).pq
    assert (pq[~np.isnan(pq)] == 1).all()
    confusion = nucleus_confusion(comparison, CLASSES)
    assert confusion.sum() == np.trace(confusion)


PAIRED_EQUALLY_WELL_IN_TWO_WAYS = (
    Nuclei(
        np.array([[0, 11, 11, 11, 1, 10], [0, 11, 11, 11, 3, 3]], np.int32),
        np.array([2, 2, 3, 2, 1, 0, 3, 0, 2, 3, 1, 0], np.uint8),
    ),
    Nuclei(
        np.array([[13] * 6, [3, 0, 11, 11, 0, 3]], np.int32),
        np.array([2, 2, 3, 2, 1, 0, 3, 0, 2, 0, 1, 0, 2], np.uint8),
    ),
)


@given(pairs(), st.randoms(use_true_random=False))
@example(PAIRED_EQUALLY_WELL_IN_TWO_WAYS, Random(1))
@example(PAIRED_EQUALLY_WELL_IN_TWO_WAYS, Random(2))
@example(PAIRED_EQUALLY_WELL_IN_TWO_WAYS, Random(3))
@settings(max_examples=40, deadline=None)
def test_relabelling_changes_nothing(pair, random):
    reference, predicted = pair

    def relabelled(nuclei):
        """New numbers up to 40 in another order, with other gaps."""
        numbers = np.array([0, *random.sample(range(1, 41), len(nuclei.class_ids))])
        class_ids = np.zeros(40, np.uint8)
        class_ids[numbers[1:] - 1] = nuclei.class_ids
        return Nuclei(numbers[nuclei.labels], class_ids)

    before = all_figures(compare(reference, predicted))
    after = all_figures(compare(relabelled(reference), relabelled(predicted)))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@given(pairs())
@settings(max_examples=40, deadline=None)
def test_swapping_the_two_swaps_spurious_and_missed(pair):
    there, back = compare(*pair), compare(*pair[::-1])
    for counts in (panoptic_counts, lambda c: class_counts(c, CLASSES)):
        one, other = counts(there), counts(back)
        np.testing.assert_array_equal(one.tp, other.tp)
        np.testing.assert_array_equal(one.fp, other.fn)
        np.testing.assert_array_equal(one.fn, other.fp)
        np.testing.assert_allclose(one.pq, other.pq)
    assert aji_plus(there) == pytest.approx(aji_plus(back), nan_ok=True)
    np.testing.assert_array_equal(
        nucleus_confusion(there, CLASSES), nucleus_confusion(back, CLASSES).T
    )


@given(pairs(), st.integers(0, CLASSES))
@settings(max_examples=40, deadline=None)
def test_an_added_false_positive_never_raises_a_score(pair, class_id):
    reference, predicted = (
        replace(each, labels=np.pad(each.labels, ((0, 0), (0, 9)))) for each in pair
    )
    more = Nuclei(
        predicted.labels.copy(), np.append(predicted.class_ids, class_id).astype(np.uint8)
    )
    more.labels[0, -2:] = len(more.class_ids)  # far from everything
    before, after = compare(reference, predicted), compare(reference, more)
    scores = (
        lambda c: panoptic_counts(c).pq,
        lambda c: panoptic_counts(c).dq,
        lambda c: panoptic_counts(c).sq,
        lambda c: class_counts(c, CLASSES).pq,
        lambda c: class_counts(c, CLASSES).dq,
        lambda c: detection_counts(c, 2).dq,
        lambda c: class_detection_counts(c, 2, CLASSES).dq,
        aji,
        aji_plus,
    )
    for score in scores:
        # a figure that could not be had is worth nothing yet, and the false positive makes it 0
        assert (np.nan_to_num(score(after)) <= np.nan_to_num(score(before))).all()


@given(pairs(), st.permutations(range(1, CLASSES + 1)))
@settings(max_examples=40, deadline=None)
def test_permuting_the_classes_permutes_the_rows(pair, order):
    new_id = np.array([0, *order])
    renamed = [replace(each, class_ids=new_id[each.class_ids]) for each in pair]
    before, after = compare(*pair), compare(*renamed)
    rows = np.array(order) - 1
    np.testing.assert_array_equal(
        class_counts(after, CLASSES).pq[rows], class_counts(before, CLASSES).pq
    )
    places = [*rows, CLASSES, CLASSES + 1]
    np.testing.assert_array_equal(
        nucleus_confusion(after, CLASSES)[np.ix_(places, places)],
        nucleus_confusion(before, CLASSES),
    )
    assert as_numbers(panoptic_counts(after)) == as_numbers(panoptic_counts(before))


@given(pairs(), pairs())
@settings(max_examples=30, deadline=None)
def test_pooled_equals_the_sum_of_the_parts(one, other):
    """Two images side by side, far apart, are one image with the nuclei of both."""
    joined = []
    for left, right in zip(one, other, strict=True):
        height = max(left.labels.shape[0], right.labels.shape[0])
        labels = [
            np.pad(each, ((0, height - each.shape[0]), (0, 9)))
            for each in (
                left.labels,
                np.where(right.labels > 0, right.labels + len(left.class_ids), 0),
            )
        ]
        joined.append(
            Nuclei(np.concatenate(labels, 1), np.concatenate([left.class_ids, right.class_ids]))
        )
    whole, parts = compare(*joined), [compare(*one), compare(*other)]
    for counts in (
        panoptic_counts,
        lambda c: class_counts(c, CLASSES),
        lambda c: detection_counts(c, 2),
    ):
        summed = Counts.stacked([counts(part) for part in parts]).weighted(np.ones(2))
        for one_field, other_field in zip(
            as_numbers(summed), as_numbers(counts(whole)), strict=True
        ):
            np.testing.assert_allclose(one_field, other_field, atol=1e-12)
    np.testing.assert_array_equal(
        sum(nucleus_confusion(part, CLASSES) for part in parts), nucleus_confusion(whole, CLASSES)
    )


@given(pairs())
@settings(max_examples=40, deadline=None)
def test_rows_and_columns_of_the_confusion_add_up_to_the_nuclei(pair):
    comparison = compare(*pair)
    confusion = nucleus_confusion(comparison, CLASSES)
    assert confusion[:-1].sum() == len(comparison.reference)
    assert confusion[:, :-1].sum() == len(comparison.predicted)
    assert confusion[-1, -1] == 0
    counts = class_counts(comparison, CLASSES)
    np.testing.assert_array_equal(np.diagonal(confusion)[:CLASSES], counts.tp)


@given(pairs())
@settings(max_examples=30, deadline=None)
def test_aji_plus_is_what_trying_all_pairings_gives(pair):
    sides = [
        [each.labels == label for label in np.unique(each.labels[each.labels > 0])] for each in pair
    ]
    few, many = sorted(sides, key=len)
    areas = sum(mask.sum() for mask in few + many)
    if areas == 0:
        return
    gains, indices = [], []
    for partners in itertools.permutations(many, len(few)):
        common = [(one & other).sum() for one, other in zip(few, partners, strict=True)]
        united = [(one | other).sum() for one, other in zip(few, partners, strict=True)]
        gains.append(sum(c / u for c, u in zip(common, united, strict=True)))
        # a pair with nothing in common is none: each of the two counts with all its pixels
        indices.append(sum(common) / (areas - sum(common)))
    best = np.isclose(gains, max(gains))  # pairings of the same sum may differ in AJI+
    assert np.isclose(aji_plus(compare(*pair)), np.array(indices)[best]).any()


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
