"""Nuclei that are found where their centroids are near."""

import numpy as np
import pytest
from label_pairs import CLASSES, as_numbers, nuclei

from seg_core.evaluation.metrics.detection import (
    class_detection_counts,
    detection_counts,
    hovernet_class_counts,
    hovernet_counts,
    hovernet_pairs,
)
from seg_core.evaluation.metrics.instance import (
    class_counts,
    compare,
    nucleus_confusion,
)


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
