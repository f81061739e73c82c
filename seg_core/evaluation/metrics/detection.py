"""Detection: which nuclei were found, by how far their centroids lie apart.

There are two ways to pair centroids, and they give different figures:

- the *greatest matching*: as many pairs as the radius allows. It is what "found within 3 µm" says.
- *HoVer-Net's*: all centroids are paired so that the sum of distances is least, and pairs longer
  than the radius are cut afterwards (Graham et al. 2019). To make far pairs shorter the assignment
  gives up near ones, so fewer are left. Papers on CoNSeP, Kumar, Lizard and PanNuke quote this one.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from seg_core.evaluation.metrics.instance import (
    Comparison,
    Counts,
    Floats,
    Ints,
    classes_of,
    counts_of,
)
from seg_core.evaluation.metrics.pairing import best_pairs


def detection_counts(comparison: Comparison, radius_px: float) -> Counts:
    """Count found, spurious and missed nuclei by the greatest matching within ``radius_px``."""
    reference, predicted = comparison.reference.centroids, comparison.predicted.centroids
    tp = _most_pairs(reference, predicted, radius_px)
    return counts_of(tp, len(comparison.predicted) - tp, len(comparison.reference) - tp, 0)


def class_detection_counts(comparison: Comparison, radius_px: float, classes: int) -> Counts:
    """Count the same within each class: a nucleus is found by one of its own class.

    Returns
    -------
    counts : Counts
        Arrays (classes,), the class with id 1 first.
    """
    of_reference, of_predicted = classes_of(comparison, classes)
    ids = range(1, classes + 1)
    sides = comparison.reference.centroids, comparison.predicted.centroids
    tp = np.array(
        [
            _most_pairs(sides[0][of_reference == each], sides[1][of_predicted == each], radius_px)
            for each in ids
        ]
    )
    reference = np.array([(of_reference == each).sum() for each in ids])
    predicted = np.array([(of_predicted == each).sum() for each in ids])
    return counts_of(tp, predicted - tp, reference - tp, np.zeros(classes))


@dataclass(frozen=True, slots=True)
class HoVerNetPairs:
    """Nuclei paired as HoVer-Net's evaluation does."""

    rows: Ints
    """(K,) index of each pair's nucleus in the reference."""

    columns: Ints
    """(K,) index in the prediction."""


def hovernet_pairs(comparison: Comparison, radius_px: float) -> HoVerNetPairs:
    """Pair all centroids for the least sum of distances, then drop pairs beyond ``radius_px``."""
    distances = cdist(comparison.reference.centroids, comparison.predicted.centroids)
    rows, columns = linear_sum_assignment(distances)
    near = distances[rows, columns] <= radius_px
    return HoVerNetPairs(rows[near], columns[near])


def hovernet_counts(comparison: Comparison, pairs: HoVerNetPairs) -> Counts:
    """Count found, spurious and missed nuclei; ``dq`` of them is HoVer-Net's F_d."""
    tp = len(pairs.rows)
    return counts_of(tp, len(comparison.predicted) - tp, len(comparison.reference) - tp, 0)


def hovernet_class_counts(comparison: Comparison, pairs: HoVerNetPairs, classes: int) -> Counts:
    """Return counts of each class of which ``dq`` is HoVer-Net's F_c.

    F_c is 2 TP / (2 TP + 2 FP_c + 2 FN_c + FP_d + FN_d): a pair of nuclei of which one has the
    class and the other another counts twice, and a nucleus without a partner once. So ``fp`` is
    2 FP_c + FP_d here, and ``fn`` 2 FN_c + FN_d (Graham et al. 2019, equation 8).

    Returns
    -------
    counts : Counts
        Arrays (classes,), the class with id 1 first.
    """
    of_reference, of_predicted = classes_of(comparison, classes)
    size = classes + 1
    true, called = of_reference[pairs.rows], of_predicted[pairs.columns]
    right = true == called
    tp = np.bincount(true[right], minlength=size)
    missed = np.bincount(np.delete(of_reference, pairs.rows), minlength=size)
    spurious = np.bincount(np.delete(of_predicted, pairs.columns), minlength=size)
    fp = 2 * np.bincount(called[~right], minlength=size) + spurious
    fn = 2 * np.bincount(true[~right], minlength=size) + missed
    return counts_of(tp[1:], fp[1:], fn[1:], np.zeros(classes))


def _most_pairs(reference: Floats, predicted: Floats, radius_px: float) -> int:
    """Return how many centroids (N, 2) of two sides can be paired at most."""
    if not len(reference) or not len(predicted):
        return 0
    near = KDTree(reference).sparse_distance_matrix(
        KDTree(predicted), radius_px, output_type="ndarray"
    )
    # not by the distances themselves: a sparse matrix would leave out those of 0
    return len(best_pairs(near["i"], near["j"], np.ones(len(near))))
