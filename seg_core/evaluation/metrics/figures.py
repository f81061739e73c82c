"""From images to the figures people quote, and their intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.classes import BOUNDARY, INSIDE, ClassScheme
from seg_core.errors import DataError
from seg_core.evaluation.metrics.bootstrap import (
    BOOTSTRAP_SAMPLES,
    BOOTSTRAP_SEED,
    bootstrap_weights,
    interval95,
    patient_weights,
)
from seg_core.evaluation.metrics.instance import (
    Counts,
    aji_plus,
    challenge_pq,
    class_counts,
    compare,
    detection_counts,
    nucleus_confusion,
    panoptic_counts,
    vote_confusion,
)
from seg_core.evaluation.metrics.pixel import (
    dice_of,
    iou_of,
    mean_known,
    patch_mious,
    pixel_confusion,
)
from seg_core.labelled.nuclei import Nuclei
from seg_core.nuclei.ternary import RIM_PX, ternary_of

DETECTION_RADIUS_UM = 3.0
"""A nucleus counts as detected if the centroids lie at most this far apart."""

BACKGROUND_NAME, MISSED, SPURIOUS = "background", "missed", "spurious"

CONFUSIONS = ("confusion", "vote_confusion")
"""Keys of the tables of nuclei: matched pairs, and the class map's opinion of the reference's."""

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

    nuclei: npt.NDArray[np.int64]
    """(C + 2, C + 2) see `nucleus_confusion`."""

    votes: npt.NDArray[np.int64]
    """(C + 1, C + 1) see `vote_confusion`."""

    challenge_pq: float


@dataclass(frozen=True, slots=True)
class ImageScore:
    """What one image contributes to the figures; all of it can be added up or averaged."""

    patient: str
    ternary: npt.NDArray[np.int64]
    """(3, 3) confusion of the ternary maps."""

    binary: Counts
    """Matched, spurious and missed nuclei whatever their class."""

    aji_plus: float
    detection: Counts
    by_class: ClassScore | None
    """None where nobody knows the classes."""


def score_image(
    reference: Nuclei,
    predicted: Nuclei,
    scheme: ClassScheme,
    *,
    mpp: float,
    patient: str,
    count_other: bool,
    class_map: npt.NDArray[np.integer] | None = None,
    ternary_map: npt.NDArray[np.integer] | None = None,
    ignore: npt.NDArray[np.bool_] | None = None,
    rim_px: int = RIM_PX,
) -> ImageScore:
    """Score the prediction for one image.

    Parameters
    ----------
    reference, predicted : Nuclei
        Where the reference has no classes the figures by class are not to be had.
    scheme : ClassScheme
    mpp : float
        µm per pixel.
    patient : str
        Whose image it is; intervals are taken over patients.
    count_other : bool
        Whether predicted nuclei of class *other* count in the figures that are blind to class
        (PQ, AJI+, detection F1). True where the reference outlines every nucleus. False where it
        outlines only the classes of the scheme, as MoNuSAC does: an *other* nucleus is then
        neither right nor wrong, since nobody knows; one that lies on a nucleus of the reference
        does not count as found, so nothing is won by being vague.
    class_map : (H, W) integer, optional
        The network's own classes, pixel by pixel; the nuclei painted in their class otherwise.
    ternary_map : (H, W) integer, optional
        The network's own ternary map; that of the predicted nuclei otherwise.
    ignore : (H, W) bool, optional
        Where nobody knows what is right: left out pixel by pixel, and nuclei mostly inside are
        dropped whole.
    rim_px : int
        Thickness of the boundary in the reference's ternary map.

    Returns
    -------
    score : ImageScore
    """
    comparison = compare(reference, predicted, ignore)
    blind = comparison if count_other else comparison.without_predicted_other()
    if ternary_map is None:
        ternary_map = ternary_of(predicted.labels, rim_px)
    by_class = None
    if reference.class_ids is not None:
        if class_map is None:
            class_map = predicted.class_map()
        classes, kinds = len(scheme.classes), len(scheme.classes) + 1
        true_map = reference.class_map()
        by_class = ClassScore(
            pixels=pixel_confusion(true_map, class_map, kinds, ignore),
            patch_mious=patch_mious(true_map, class_map, kinds, ignore),
            counts=class_counts(comparison, classes),
            nuclei=nucleus_confusion(comparison, classes),
            votes=vote_confusion(comparison, reference, class_map, classes),
            challenge_pq=challenge_pq(comparison, classes),
        )
    return ImageScore(
        patient=patient,
        ternary=pixel_confusion(ternary_of(reference.labels, rim_px), ternary_map, 3, ignore),
        binary=panoptic_counts(blind),
        aji_plus=aji_plus(blind),
        detection=detection_counts(blind, DETECTION_RADIUS_UM / mpp),
        by_class=by_class,
    )


def figures_of(scores: Sequence[ImageScore], scheme: ClassScheme) -> dict[str, Any]:
    """Return the figures of many images, as they stand in the JSON of ``evaluate``.

    - ``pixel``: IoU and Dice pooled over all pixels; ``class_mean_iou`` over the classes and
      background; ``ternary_dice`` pooled; ``patch_miou_macro`` the original project's own figure.
    - ``instance``: ``bpq``, ``dq``, ``sq`` and ``aji_plus`` are means over images (those with a
      nucleus on either side), so that an image with four nuclei weighs as much as one with six
      hundred; ``bpq_plus``, ``detection_f1``, ``pq_plus`` and ``f1`` are pooled over images;
      ``a_pq`` is the mean over patients of the mean over the classes that occur, in the reference
      or the prediction, of the PQ pooled over the patient's images; ``a_pq_challenge`` is what
      the challenge computed instead; ``confusion`` counts nuclei matched at IoU above 0.5, and
      ``vote_confusion`` the reference's nuclei by the predicted class of most of their pixels.

    Parameters
    ----------
    scores : sequence of ImageScore
    scheme : ClassScheme

    Returns
    -------
    figures : dict
        None where a figure cannot be had.

    Raises
    ------
    DataError
        If there is no score.
    """
    stack = _Stack(scores, scheme)
    nested = _nested(stack.figures(patient_weights(stack.patients)))
    nested["instance"] |= stack.confusions()
    return nested


def intervals_of(
    scores: Sequence[ImageScore],
    scheme: ClassScheme,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> dict[str, Any]:
    """Return the 95 % interval of each figure, by bootstrap over patients.

    Parameters
    ----------
    scores : sequence of ImageScore
    scheme : ClassScheme
    samples, seed : int

    Returns
    -------
    intervals : dict
        The keys of `figures_of`, each with [low, high]; None where there is no interval: for the
        tables of nuclei, for figures that cannot be had, and for a single image, which says
        nothing about others.

    Raises
    ------
    DataError
        If there is no score.
    """
    stack = _Stack(scores, scheme)
    names = list(stack.figures(patient_weights(stack.patients)))
    interval = np.full((len(names), 2), np.nan)
    if len(scores) > 1:
        rng = np.random.default_rng(seed)
        drawn = [
            list(stack.figures(bootstrap_weights(stack.patients, rng)).values())
            for _ in range(samples)
        ]
        interval = interval95(np.array(drawn))
    nested = _nested(dict(zip(names, interval, strict=True)))
    nested["instance"] |= dict.fromkeys(CONFUSIONS)
    return nested


class _Stack:
    """The scores of all images in arrays, the image along the first axis."""

    def __init__(self, scores: Sequence[ImageScore], scheme: ClassScheme) -> None:
        if not scores:
            raise DataError("there is no image to make figures of; give at least one.")
        by_class = [score.by_class for score in scores if score.by_class is not None]
        if len(by_class) not in (0, len(scores)):
            raise DataError(
                f"only {len(by_class)} of {len(scores)} images have classes; "
                "score images with classes and images without them apart."
            )
        self.scheme = scheme
        self.patients = [score.patient for score in scores]
        self._ternary = np.stack([score.ternary for score in scores])
        self._binary = Counts.stacked([score.binary for score in scores])
        self._detection = Counts.stacked([score.detection for score in scores])
        self._aji_plus = np.array([score.aji_plus for score in scores])
        self._classes = _ClassStack(by_class, scheme) if by_class else None

    def figures(self, weights: Floats) -> dict[tuple[str, ...], float]:
        """Return each figure by its path in the JSON; ``weights`` as in `bootstrap_weights`."""
        images = weights.sum(axis=0)
        ternary = dice_of(np.tensordot(images, self._ternary, axes=1))
        figures = {
            ("pixel", "ternary_dice", "inside"): ternary[INSIDE],
            ("pixel", "ternary_dice", "boundary"): ternary[BOUNDARY],
            ("instance", "bpq"): _mean(self._binary.pq, images),
            ("instance", "bpq_plus"): self._binary.weighted(images).pq,
            ("instance", "dq"): _mean(self._binary.dq, images),
            ("instance", "sq"): _mean(self._binary.sq, images),
            ("instance", "aji_plus"): _mean(self._aji_plus, images),
            ("instance", "detection_f1"): self._detection.weighted(images).dq,
        }
        if self._classes is None:
            return figures | dict.fromkeys(_class_figure_names(self.scheme), math.nan)
        return figures | self._classes.figures(weights, images)

    def confusions(self) -> dict[str, Any]:
        """Return the nuclei of all images by what they are and what they are called."""
        if self._classes is None:
            return dict.fromkeys(CONFUSIONS)
        names = list(self.scheme.names_with_other)
        tables = (
            ([*names, SPURIOUS], [*names, MISSED], self._classes.nuclei),
            (names, names, self._classes.votes),
        )
        return {
            key: {"rows": rows, "columns": columns, "counts": counts.sum(axis=0).tolist()}
            for key, (rows, columns, counts) in zip(CONFUSIONS, tables, strict=True)
        }


class _ClassStack:
    """The same for the scores by class."""

    def __init__(self, scores: Sequence[ClassScore], scheme: ClassScheme) -> None:
        self._scheme = scheme
        self._pixels = np.stack([score.pixels for score in scores])
        self._counts = Counts.stacked([score.counts for score in scores])
        self._challenge_pq = np.array([score.challenge_pq for score in scores])
        self._patch_sums = np.array([score.patch_mious.sum() for score in scores])
        self._patches = np.array([len(score.patch_mious) for score in scores])
        self.nuclei = np.stack([score.nuclei for score in scores])
        self.votes = np.stack([score.votes for score in scores])

    def figures(self, weights: Floats, images: Floats) -> dict[tuple[str, ...], float]:
        pixels = np.tensordot(images, self._pixels, axes=1)
        iou, pooled = iou_of(pixels), self._counts.weighted(images)
        of_patients = [mean_known(of_patient) for of_patient in self._counts.weighted(weights).pq]
        patches = images @ self._patches
        values = [
            *iou,
            *dice_of(pixels),
            mean_known(iou),
            images @ self._patch_sums / patches if patches else math.nan,
            *pooled.pq,
            *pooled.dq,
            mean_known(pooled.pq),
            mean_known(pooled.dq),
            mean_known(np.array(of_patients)),
            _mean(self._challenge_pq, images),
        ]
        return dict(zip(_class_figure_names(self._scheme), values, strict=True))


def _class_figure_names(scheme: ClassScheme) -> list[tuple[str, ...]]:
    return [
        *(("pixel", "iou", name) for name in (BACKGROUND_NAME, *scheme.names)),
        *(("pixel", "dice", name) for name in (BACKGROUND_NAME, *scheme.names)),
        ("pixel", "class_mean_iou"),
        ("pixel", "patch_miou_macro"),
        *(("instance", "pq_plus", name) for name in scheme.names),
        *(("instance", "f1", name) for name in scheme.names),
        ("instance", "mpq_plus"),
        ("instance", "macro_f1"),
        ("instance", "a_pq"),
        ("instance", "a_pq_challenge"),
    ]


def _mean(values: Floats, weights: Floats) -> float:
    """Return the weighted mean of the values that are not NaN."""
    known = ~np.isnan(values) & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else math.nan


def _nested(figures: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    """Turn {("pixel", "iou", "background"): value} into nested dictionaries for JSON."""
    nested: dict[str, Any] = {}
    for path, value in figures.items():
        place = nested
        for name in path[:-1]:
            place = place.setdefault(name, {})
        known = not np.isnan(value).any()
        place[path[-1]] = np.asarray(value).tolist() if known else None
    return nested
