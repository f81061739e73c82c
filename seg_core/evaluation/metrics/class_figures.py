"""The figures by class, and the means over classes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.classes import ClassScheme
from seg_core.evaluation.metrics.detection import (
    HoVerNetPairs,
    class_detection_counts,
    hovernet_class_counts,
)
from seg_core.evaluation.metrics.instance import (
    Comparison,
    Counts,
    challenge_pq,
    class_counts,
    nucleus_confusion,
    vote_confusion,
)
from seg_core.evaluation.metrics.pixel import (
    dice_of,
    iou_of,
    mean_known,
    patch_mious,
    pixel_confusion,
    weighted_mean,
)
from seg_core.labelled.nuclei import Nuclei

BACKGROUND_NAME, MISSED, SPURIOUS = "background", "missed", "spurious"

TABLES = ("confusion", "vote_confusion", "spurious")
"""Keys of what is counted, not measured, and has no interval: nuclei by what they are and what they
are called (matched pairs; the class map's opinion of the reference's), and spurious ones."""

WITH_ABSENT = "_with_absent"
"""End of the name of a mean in which a class that the reference does not have counts as 0."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """What one image contributes to the figures by class."""

    pixels: npt.NDArray[np.int64]
    """(C + 1, C + 1) confusion of the class maps, background first."""

    patch_mious: Floats
    """(N,) see `patch_mious`."""

    counts: Counts
    """(C,) matched, spurious and missed nuclei of each class."""

    detection: Counts
    """(C,) by the greatest matching of centroids within each class."""

    hovernet_detection: Counts
    """(C,) see `hovernet_class_counts`."""

    nuclei: npt.NDArray[np.int64]
    """(C + 2, C + 2) see `nucleus_confusion`."""

    votes: npt.NDArray[np.int64]
    """(C + 1, C + 1) see `vote_confusion`."""

    challenge_pq: float


def score_classes(
    comparison: Comparison,
    reference: Nuclei,
    classes: int,
    *,
    class_map: npt.NDArray[np.integer],
    ignore: npt.NDArray[np.bool_] | None,
    radius_px: float,
    blind: Comparison,
    pairs: HoVerNetPairs,
) -> ClassScore:
    """Score the classes of the prediction for one image.

    Parameters
    ----------
    comparison : Comparison
        With classes on both sides.
    reference : Nuclei
        The same nuclei as in the comparison, and those that were dropped.
    classes : int
        Number of classes, *other* not counted.
    class_map : (H, W) integer
        As predicted.
    ignore : (H, W) bool or None
    radius_px : float
        Of detection.
    blind : Comparison
        The nuclei that count whatever their class, from which HoVer-Net's ``pairs`` were made.
    pairs : HoVerNetPairs

    Returns
    -------
    score : ClassScore
    """
    kinds, true_map = classes + 1, reference.class_map()
    return ClassScore(
        pixels=pixel_confusion(true_map, class_map, kinds, ignore),
        patch_mious=patch_mious(true_map, class_map, kinds, ignore),
        counts=class_counts(comparison, classes),
        detection=class_detection_counts(comparison, radius_px, classes),
        hovernet_detection=hovernet_class_counts(blind, pairs, classes),
        nuclei=nucleus_confusion(comparison, classes),
        votes=vote_confusion(comparison, reference, class_map, classes),
        challenge_pq=challenge_pq(comparison, classes),
    )


class ClassStack:
    """The class scores of all images in arrays, the image along the first axis.

    Parameters
    ----------
    scores : sequence of ClassScore
    scheme : ClassScheme
    """

    def __init__(self, scores: Sequence[ClassScore], scheme: ClassScheme) -> None:
        self._scheme = scheme
        self._pixels = np.stack([score.pixels for score in scores])
        self._counts = Counts.stacked([score.counts for score in scores])
        self._detection = Counts.stacked([score.detection for score in scores])
        self._hovernet = Counts.stacked([score.hovernet_detection for score in scores])
        self._challenge_pq = np.array([score.challenge_pq for score in scores])
        self._patch_sums = np.array([score.patch_mious.sum() for score in scores])
        self._patches = np.array([len(score.patch_mious) for score in scores])
        self._nuclei = np.stack([score.nuclei for score in scores])
        self._votes = np.stack([score.votes for score in scores])

    def figures(self, weights: Floats, images: Floats) -> dict[tuple[str, ...], float]:
        """Return each figure by its path in the JSON.

        Whether a class is in the reference is asked of the images drawn, not of all, so that a
        bootstrap sample without a rare class has no figure of it either.

        Parameters
        ----------
        weights : (P, N) float64
            As in `bootstrap_weights`.
        images : (N,) float64
            Their sums over patients.
        """
        pixels = np.tensordot(images, self._pixels, axes=1)
        in_pixels = pixels.sum(axis=1) > 0
        iou, dice = iou_of(pixels), dice_of(pixels)
        pooled = self._counts.weighted(images)
        in_nuclei = pooled.tp + pooled.fn > 0
        pq, f1 = (np.where(in_nuclei, each, math.nan) for each in (pooled.pq, pooled.dq))
        near, hovernet = (
            np.where(in_nuclei, each.weighted(images).dq, math.nan)
            for each in (self._detection, self._hovernet)
        )
        of_patients = [mean_known(of_patient) for of_patient in self._counts.weighted(weights).pq]
        patches = images @ self._patches
        values = [
            *np.where(in_pixels, iou, math.nan),
            *np.where(in_pixels, dice, math.nan),
            mean_known(iou[in_pixels]),
            mean_known(iou),
            images @ self._patch_sums / patches if patches else math.nan,
            *pq,
            *f1,
            *near,
            *hovernet,
            mean_known(pq),
            mean_known(pooled.pq),
            mean_known(f1),
            mean_known(pooled.dq),
            mean_known(np.array(of_patients)),
            weighted_mean(self._challenge_pq, images),
        ]
        return dict(zip(class_figure_names(self._scheme), values, strict=True))

    def tables(self) -> dict[str, Any]:
        """Return what is counted over all images, see `TABLES`."""
        names = list(self._scheme.names_with_other)
        nuclei = self._nuclei.sum(axis=0)
        spurious = self._counts.fp.sum(axis=0).astype(int).tolist()
        return {
            "confusion": {
                "rows": [*names, SPURIOUS],
                "columns": [*names, MISSED],
                "counts": nuclei.tolist(),
            },
            "vote_confusion": {
                "rows": names,
                "columns": names,
                "counts": self._votes.sum(axis=0).tolist(),
            },
            "spurious": dict(zip(self._scheme.names, spurious, strict=True)),
        }


def class_figure_names(scheme: ClassScheme) -> list[tuple[str, ...]]:
    """Return the path of each figure by class in the JSON, in the order of their values."""
    by_class = ("pq_plus", "f1", "class_detection_f1", "class_detection_f1_hovernet")
    return [
        *(("pixel", "iou", name) for name in (BACKGROUND_NAME, *scheme.names)),
        *(("pixel", "dice", name) for name in (BACKGROUND_NAME, *scheme.names)),
        ("pixel", "class_mean_iou"),
        ("pixel", "class_mean_iou" + WITH_ABSENT),
        ("pixel", "patch_miou_macro"),
        *(("instance", figure, name) for figure in by_class for name in scheme.names),
        ("instance", "mpq_plus"),
        ("instance", "mpq_plus" + WITH_ABSENT),
        ("instance", "macro_f1"),
        ("instance", "macro_f1" + WITH_ABSENT),
        ("instance", "a_pq"),
        ("instance", "a_pq_challenge"),
    ]
