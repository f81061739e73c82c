"""Figures of labelled nuclei: which of the reference were found, how exactly, and as what.

Everything follows from one `Comparison`: the nuclei of both sides with their areas, centroids and
classes, and the pixels each pair has in common. It is blind to the numbers that label maps use
(gaps do no harm), with the single exception of `challenge_pq`, whose error is exactly that.

Two nuclei are *matched* if their IoU is above 0.5. No pixel has two labels, so a nucleus has at
most one match, and matching within each class gives the same pairs as matching first and asking
for the same class afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from seg_core.classes import BACKGROUND
from seg_core.errors import DataError
from seg_core.evaluation.metrics.pixel import divide
from seg_core.labelled.nuclei import Nuclei, majority_class_ids

MATCH_IOU = 0.5
"""Two nuclei are the same one if their IoU is *above* this (Kirillov et al. 2019)."""

MOSTLY = 0.5
"""A nucleus with more than this part of its area in an ignore area is dropped, never cut."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Counts:
    """Right, wrong and missing, and how exact; one number, or an array with one a class or image.

    Examples
    --------
    >>> counts = Counts(tp=np.array(3.0), fp=np.array(1.0), fn=np.array(1.0), iou=np.array(2.4))
    >>> float(counts.dq), round(float(counts.sq), 3), round(float(counts.pq), 3)
    (0.75, 0.8, 0.6)
    """

    tp: Floats
    """Matched pairs."""

    fp: Floats
    """Predicted without a match (spurious)."""

    fn: Floats
    """Of the reference without a match (missed)."""

    iou: Floats
    """Sum of the matched pairs' IoU; 0 where it is not asked."""

    @property
    def dq(self) -> Floats:
        """Detection quality, which is F1; NaN where there is nothing on either side."""
        return divide(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def sq(self) -> Floats:
        """Segmentation quality: mean IoU of the matched pairs; 0 where nothing was matched."""
        anything = self.tp + self.fp + self.fn > 0
        return np.where(anything, self.iou / np.maximum(self.tp, 1), np.nan)

    @property
    def pq(self) -> Floats:
        """Panoptic quality, DQ times SQ."""
        return divide(self.iou, self.tp + (self.fp + self.fn) / 2)

    @classmethod
    def stacked(cls, counts: Iterable["Counts"]) -> Self:
        """Put the counts of several images into arrays with a new first axis."""
        each = list(counts)
        return cls(
            tp=np.stack([c.tp for c in each]),
            fp=np.stack([c.fp for c in each]),
            fn=np.stack([c.fn for c in each]),
            iou=np.stack([c.iou for c in each]),
        )

    def weighted(self, weights: Floats) -> Self:
        """Add up along the first axis, each image as often as its weight says."""
        return replace(
            self,
            tp=weights @ self.tp,
            fp=weights @ self.fp,
            fn=weights @ self.fn,
            iou=weights @ self.iou,
        )


@dataclass(frozen=True, slots=True)
class Side:
    """The nuclei of one side of a comparison, in the order of their first pixels, row by row.

    The place and not the label orders them: where two ways to pair are equally good, the one that
    is taken must not hang on how nuclei were numbered.
    """

    ids: Ints
    """(N,) labels."""

    areas: Ints
    """(N,) pixels."""

    centroids: Floats
    """(N, 2) (x, y); pixel i has its centre at i + 0.5."""

    classes: Ints | None
    """(N,) class ids, 0 *other*; None where unknown."""

    def __len__(self) -> int:
        return len(self.ids)

    def kept(self, keep: npt.NDArray[np.bool_]) -> "Side":
        """Return the nuclei for which ``keep`` is true."""
        return Side(
            self.ids[keep],
            self.areas[keep],
            self.centroids[keep],
            None if self.classes is None else self.classes[keep],
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides and the pixels their nuclei have in common; pairs without any are not listed."""

    reference: Side
    predicted: Side
    rows: Ints
    """(K,) index of the pair's nucleus in ``reference``."""

    columns: Ints
    """(K,) index in ``predicted``."""

    common: Ints
    """(K,) pixels."""

    @property
    def iou(self) -> Floats:
        """(K,) intersection over union of each pair."""
        areas = self.reference.areas[self.rows] + self.predicted.areas[self.columns]
        return self.common / (areas - self.common)

    def matched(self) -> "Comparison":
        """Return the comparison with the matched pairs only (IoU above 0.5)."""
        keep = self.iou > MATCH_IOU
        return replace(
            self, rows=self.rows[keep], columns=self.columns[keep], common=self.common[keep]
        )

    def kept(
        self, reference: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]
    ) -> "Comparison":
        """Return the comparison of the nuclei for which the masks, one a side, are true."""
        keep = reference[self.rows] & predicted[self.columns]
        return Comparison(
            self.reference.kept(reference),
            self.predicted.kept(predicted),
            (np.cumsum(reference) - 1)[self.rows[keep]],
            (np.cumsum(predicted) - 1)[self.columns[keep]],
            self.common[keep],
        )

    def without_predicted_other(self) -> "Comparison":
        """Return the comparison without the predicted nuclei that no class claims."""
        if self.predicted.classes is None:
            return self
        everything = np.ones(len(self.reference), dtype=bool)
        return self.kept(everything, self.predicted.classes != BACKGROUND)


def compare(
    reference: Nuclei, predicted: Nuclei, ignore: npt.NDArray[np.bool_] | None = None
) -> Comparison:
    """Compare the labelled nuclei of an image with those of its reference.

    Parameters
    ----------
    reference, predicted : Nuclei
    ignore : (H, W) bool, optional
        Where nobody knows what is right. A nucleus with more than half of its area inside is
        dropped; others stay whole.

    Returns
    -------
    comparison : Comparison

    Raises
    ------
    DataError
        If the shapes differ.
    """
    if reference.labels.shape != predicted.labels.shape or (
        ignore is not None and ignore.shape != reference.labels.shape
    ):
        raise DataError(
            f"nuclei on {reference.labels.shape} pixels cannot be compared with nuclei on "
            f"{predicted.labels.shape}; both, and the ignore mask, must have the image's shape."
        )
    of_reference, reference_side, reference_keep = _side(reference, ignore)
    of_predicted, predicted_side, predicted_keep = _side(predicted, ignore)
    both = (of_reference >= 0) & (of_predicted >= 0)
    codes, common = np.unique(
        of_reference[both] * max(len(predicted_side), 1) + of_predicted[both], return_counts=True
    )
    rows, columns = np.divmod(codes, max(len(predicted_side), 1))
    whole = Comparison(reference_side, predicted_side, rows, columns, common.astype(np.int64))
    return whole.kept(reference_keep, predicted_keep)


def _side(
    nuclei: Nuclei, ignore: npt.NDArray[np.bool_] | None
) -> tuple[Ints, Side, npt.NDArray[np.bool_]]:
    """Return each pixel's index among the nuclei (-1 background), the nuclei, and which to keep."""
    y, x = np.nonzero(nuclei.labels)
    ids, first, index = np.unique(nuclei.labels[y, x], return_index=True, return_inverse=True)
    by_place = np.argsort(first)
    ids, index = ids[by_place], np.argsort(by_place)[index]
    index_map = np.full(nuclei.labels.shape, -1, dtype=np.int64)
    index_map[y, x] = index
    ids = ids.astype(np.int64)
    areas = np.bincount(index, minlength=len(ids))
    sums = [np.bincount(index, weights=axis + 0.5, minlength=len(ids)) for axis in (x, y)]
    classes = None if nuclei.class_ids is None else nuclei.class_ids[ids - 1].astype(np.int64)
    side = Side(ids, areas, np.stack(sums, axis=1) / areas[:, None], classes)
    if ignore is None:
        return index_map, side, np.ones(len(ids), dtype=bool)
    ignored = np.bincount(index[ignore[y, x]], minlength=len(ids))
    return index_map, side, ignored <= MOSTLY * areas


def panoptic_counts(comparison: Comparison) -> Counts:
    """Count matched, spurious and missed nuclei whatever their class."""
    matched = comparison.matched()
    tp = len(matched.rows)
    return counts_of(
        tp, len(comparison.predicted) - tp, len(comparison.reference) - tp, matched.iou.sum()
    )


def class_counts(comparison: Comparison, classes: int) -> Counts:
    """Count matched, spurious and missed nuclei of each class.

    A nucleus found but called by another class is missed in its own and spurious in the other.

    Parameters
    ----------
    comparison : Comparison
        With classes on both sides.
    classes : int
        Number of classes, *other* not counted.

    Returns
    -------
    counts : Counts
        Arrays (classes,), the class with id 1 first.
    """
    of_reference, of_predicted = classes_of(comparison, classes)
    matched = comparison.matched()
    right = of_reference[matched.rows] == of_predicted[matched.columns]
    of_pair = of_reference[matched.rows][right]
    size = classes + 1
    tp = np.bincount(of_pair, minlength=size)
    iou = np.bincount(of_pair, weights=matched.iou[right], minlength=size)
    predicted = np.bincount(of_predicted, minlength=size)
    reference = np.bincount(of_reference, minlength=size)
    return counts_of(tp[1:], (predicted - tp)[1:], (reference - tp)[1:], iou[1:])


def nucleus_confusion(comparison: Comparison, classes: int) -> Ints:
    """Count the nuclei by what they are and what they are called.

    Parameters
    ----------
    comparison : Comparison
        With classes on both sides.
    classes : int
        Number of classes, *other* not counted.

    Returns
    -------
    confusion : (classes + 2, classes + 2) int64
        Rows are the reference's classes in the order of their ids, then *other*, then spurious
        (predicted, but nothing there); columns the predicted classes, then *other*, then missed.
        Its last element is 0.
    """
    of_reference, of_predicted = classes_of(comparison, classes)
    other, nothing = classes, classes + 1
    # ids 1 to N stand first, 0 (other) after them
    rows = np.where(of_reference == BACKGROUND, other, of_reference - 1)
    columns = np.where(of_predicted == BACKGROUND, other, of_predicted - 1)
    matched = comparison.matched()
    missed = np.delete(rows, matched.rows)
    spurious = np.delete(columns, matched.columns)
    confusion = np.zeros((classes + 2, classes + 2), dtype=np.int64)
    np.add.at(confusion, (rows[matched.rows], columns[matched.columns]), 1)
    confusion[:, nothing] += np.bincount(missed, minlength=classes + 2)
    confusion[nothing, :] += np.bincount(spurious, minlength=classes + 2)
    return confusion


def vote_confusion(
    comparison: Comparison,
    reference: Nuclei,
    class_map: npt.NDArray[np.integer],
    classes: int,
) -> Ints:
    """Count the nuclei of the reference by what the class map says of their pixels.

    Unlike `nucleus_confusion` this does not ask whether a nucleus was outlined well, or at all: it
    is the class map's opinion of what is there, by the majority of the nucleus's own pixels.

    Parameters
    ----------
    comparison : Comparison
        Whose nuclei of the reference are counted.
    reference : Nuclei
    class_map : (H, W) integer
        As predicted.
    classes : int
        Number of classes, *other* not counted.

    Returns
    -------
    confusion : (classes + 1, classes + 1) int64
        Rows are the reference's classes in the order of their ids, then *other*; columns the
        classes their pixels were called most, then *other* where that is background.
    """
    of_reference, _ = classes_of(comparison, classes)
    voted = majority_class_ids(reference.labels, class_map)[comparison.reference.ids - 1]
    confusion = np.zeros((classes + 1, classes + 1), dtype=np.int64)
    np.add.at(confusion, (of_reference, voted), 1)
    return np.roll(confusion, -1, axis=(0, 1))  # 0 (other) stands last


def challenge_pq(comparison: Comparison, classes: int) -> float:
    """Return an image's PQ as the code of the MoNuSAC challenge computed it, errors included.

    The mean over the classes *present in the reference*: false positives of other classes cost
    nothing. And of the predicted nuclei, not the matched ones are taken off the list of false
    positives, but those whose number happens to be that of a matched nucleus *of the reference*
    (Foucart et al. 2022). It depends on how the nuclei are numbered and is kept for comparison
    with published figures only.

    Returns
    -------
    pq : float
        NaN if the reference has no nucleus of any class.
    """
    of_reference, of_predicted = classes_of(comparison, classes)
    matched = comparison.matched()
    pqs = []
    for class_id in range(1, classes + 1):
        if not (of_reference == class_id).any():
            continue
        right = (of_reference[matched.rows] == class_id) & (
            of_predicted[matched.columns] == class_id
        )
        tp = int(right.sum())
        fn = int((of_reference == class_id).sum()) - tp
        removed = comparison.reference.ids[matched.rows[right]]
        left = np.setdiff1d(comparison.predicted.ids[of_predicted == class_id], removed)
        pqs.append(matched.iou[right].sum() / (tp + (len(left) + fn) / 2))
    return float(np.mean(pqs)) if pqs else float("nan")


def classes_of(comparison: Comparison, classes: int) -> tuple[Ints, Ints]:
    """Return the class ids of both sides, the reference's first.

    Raises
    ------
    DataError
        If a side has none, or an id is not one of the classes.
    """
    of_reference, of_predicted = comparison.reference.classes, comparison.predicted.classes
    if of_reference is None or of_predicted is None:
        raise DataError(
            "figures by class need the class of every nucleus; "
            "the reference or the prediction has none."
        )
    highest = max(of_reference.max(initial=0), of_predicted.max(initial=0))
    if highest > classes:
        raise DataError(f"a nucleus has class {highest}; there are {classes} classes only.")
    return of_reference, of_predicted


def counts_of(
    tp: npt.ArrayLike, fp: npt.ArrayLike, fn: npt.ArrayLike, iou: npt.ArrayLike
) -> Counts:
    """Return counts from whatever numbers or arrays they come in."""
    return Counts(*(np.asarray(value, dtype=np.float64) for value in (tp, fp, fn, iou)))
