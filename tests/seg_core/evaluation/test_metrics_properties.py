"""What holds for the figures of any reference and any prediction."""

import itertools
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from label_pairs import CLASSES, all_figures, as_numbers, label_maps, pairs

from seg_core.evaluation.metrics.aji import aji, aji_plus
from seg_core.evaluation.metrics.detection import (
    class_detection_counts,
    detection_counts,
    hovernet_counts,
    hovernet_pairs,
)
from seg_core.evaluation.metrics.instance import (
    Counts,
    class_counts,
    compare,
    nucleus_confusion,
    panoptic_counts,
)
from seg_core.labelled.nuclei import Nuclei


@given(pairs())
@settings(max_examples=40, deadline=None)
def test_a_prediction_of_two_nuclei_costs_plain_aji_most(pair):
    comparison = compare(*pair)
    one_to_one = len(np.unique(comparison.columns)) == len(comparison.columns)
    if one_to_one and len(np.unique(comparison.rows)) == len(comparison.rows):
        assert aji(comparison) == pytest.approx(aji_plus(comparison), nan_ok=True)


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
