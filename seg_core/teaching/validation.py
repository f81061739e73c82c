"""How well a classifier does on places it was not taught at.

Neighbouring nuclei look alike and are of one class more often than not, so labels left out among
those kept would flatter. What is left out is a whole slide; where there is one slide only, whole
squares of it, and of the labels around them nothing is learned either: what is known of a nucleus
has been averaged over its neighbours, so nuclei that share these share what is known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from sklearn.model_selection import GroupKFold

from seg_core.teaching.neighbourhood import AROUND_UM

FOLDS = 5

LEAST_SQUARE_UM, MOST_SQUARE_UM = 30.0, 500.0
"""Sides of the squares that are left out together where all labels are of one slide."""

FEW_LABELS = 10

DOUBT = 0.05
"""The part of the labels that may be anything: one that a classifier is surely wrong about must not
outweigh all others."""

AnswerRows = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float32]]
"""Takes rows to answer, gives (N, K) probabilities."""

Fit = Callable[[npt.NDArray[np.int64]], AnswerRows]
"""Takes rows of labels to learn from."""


@dataclass(frozen=True)
class Validation:
    """Out-of-place answers on the labels.

    Attributes
    ----------
    names : tuple of str
    confusion : (K, K) int64
        Labels by row, answers by column.
    unit : str
        What was left out together: *slide* or *square*.
    groups : int
        How many of them.
    log_loss : float
        Mean over the labels, each class weighing the same, `DOUBT` of them not believed.
    """

    names: tuple[str, ...]
    confusion: npt.NDArray[np.int64]
    unit: str
    groups: int
    log_loss: float

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the classes that have labels."""
        return float(np.mean([row["f1"] for row in self.by_class() if row["labels"]]))

    def by_class(self) -> list[dict[str, Any]]:
        """Return precision, recall, F1 and number of labels of each class; None where it has no label."""
        labels = np.arange(len(self.names))
        truth, answers = (axis.repeat(self.confusion.ravel()) for axis in self._pairs())
        figures = precision_recall_fscore_support(truth, answers, labels=labels, zero_division=0.0)
        return [
            {
                "class": name,
                "precision": round(float(precision), 4) if count else None,
                "recall": round(float(recall), 4) if count else None,
                "f1": round(float(f1), 4) if count else None,
                "labels": int(count),
            }
            for name, precision, recall, f1, count in zip(self.names, *figures, strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as they stand in a classifier's file."""
        return {
            "left_out": self.unit,
            "groups": self.groups,
            "macro_f1": round(self.macro_f1, 4),
            "by_class": self.by_class(),
            "confusion": self.confusion.tolist(),
        }

    def _pairs(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        labels = np.arange(len(self.names))
        rows, columns = np.meshgrid(labels, labels, indexing="ij")
        return rows.ravel(), columns.ravel()


def square_um(points_um: npt.NDArray[np.float64]) -> float:
    """Return the side of squares of which the extent of some points takes four.

    Examples
    --------
    >>> square_um(np.array([[0.0, 0.0], [800.0, 400.0]]))
    200.0
    """
    extent = float((points_um.max(axis=0) - points_um.min(axis=0)).max())
    return min(max(extent / 4, LEAST_SQUARE_UM), MOST_SQUARE_UM)


def cross_validated(
    fit: Fit,
    truth: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    names: tuple[str, ...],
    unit: str,
    *,
    points_um: npt.NDArray[np.float64] | None = None,
) -> Validation | None:
    """Answer each label by a classifier that has seen no label of its place.

    Parameters
    ----------
    fit : callable
        Takes the rows to learn from, gives what takes rows to answer: (N, K) probabilities. What it
        learns from beside the labels, nuclei that stand in for other classes, is its own affair.
    truth : (N,) int64
        Class of each label, 0 to K - 1.
    groups : (N,) int64
        Place of each label.
    names : tuple of str
    unit : str
        What a place is.
    points_um : (N, 2) float64, optional
        Where each label lies, if all are of one slide: a classifier that answers has then seen none
        within `AROUND_UM` of what it answers either.

    Returns
    -------
    Validation or None
        None where all labels are of one place, or lie so near to one another that some would have
        to be answered by a classifier that has seen none.
    """
    count = len(np.unique(groups))
    if count < 2:
        return None
    answered = np.zeros((len(truth), len(names)), np.float32)
    for seen, left_out in GroupKFold(min(FOLDS, count)).split(truth, truth, groups):
        if points_um is not None:
            seen = _apart(seen, left_out, points_um)
        if not len(seen):
            return None
        answered[left_out] = fit(seen)(left_out)
    own = answered[np.arange(len(truth)), truth] * (1 - DOUBT) + DOUBT / len(names)
    weights = (1 / np.bincount(truth, minlength=len(names)).clip(1))[truth]
    return Validation(
        names,
        confusion_matrix(truth, answered.argmax(axis=1), labels=np.arange(len(names))),
        unit,
        count,
        float(np.average(-np.log(own), weights=weights)),
    )


def _apart(
    seen: npt.NDArray[np.int64],
    left_out: npt.NDArray[np.int64],
    points_um: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """Return the rows seen that are not among the neighbours of any that is left out."""
    distances, _ = KDTree(points_um[left_out]).query(points_um[seen])
    return seen[distances > AROUND_UM]
