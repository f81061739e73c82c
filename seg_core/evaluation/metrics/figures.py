"""From images to the figures people quote, and their intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.classes import BOUNDARY, INSIDE, ClassScheme
from seg_core.errors import DataError
from seg_core.evaluation.metrics.aji import aji, aji_plus
from seg_core.evaluation.metrics.bootstrap import (
    BOOTSTRAP_SAMPLES,
    BOOTSTRAP_SEED,
    bootstrapped,
    patient_weights,
)
from seg_core.evaluation.metrics.class_figures import (
    TABLES,
    ClassScore,
    ClassStack,
    class_figure_names,
    score_classes,
)
from seg_core.evaluation.metrics.detection import (
    detection_counts,
    hovernet_counts,
    hovernet_pairs,
)
from seg_core.evaluation.metrics.instance import Counts, compare, panoptic_counts
from seg_core.evaluation.metrics.pixel import dice_of, pixel_confusion, weighted_mean
from seg_core.labelled.nuclei import Nuclei
from seg_core.nuclei.ternary import RIM_PX, ternary_of

DETECTION_RADIUS_UM = 3.0
"""A nucleus counts as detected if the centroids lie at most this far apart."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ImageScore:
    """What one image contributes to the figures; all of it can be added up or averaged."""

    patient: str
    ternary: npt.NDArray[np.int64]
    """(3, 3) confusion of the ternary maps."""

    binary: Counts
    """Matched, spurious and missed nuclei whatever their class."""

    aji: float
    aji_plus: float
    detection: Counts
    """By the greatest matching of centroids."""

    hovernet_detection: Counts
    """By HoVer-Net's pairs of centroids."""

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
    edge_um: float = 0.0,
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
    edge_um : float
        Width of the frame along the image's edges that is left out like an ignore area: nuclei
        that the edge cuts are outlined by some annotators and not by others.

    Returns
    -------
    score : ImageScore
    """
    if edge_um > 0:
        ignore = _with_edge(ignore, reference.labels.shape, round(edge_um / mpp))
    comparison = compare(reference, predicted, ignore)
    blind = comparison if count_other else comparison.without_predicted_other()
    if ternary_map is None:
        ternary_map = ternary_of(predicted.labels, rim_px)
    radius_px = DETECTION_RADIUS_UM / mpp
    pairs = hovernet_pairs(blind, radius_px)
    by_class = None
    if reference.class_ids is not None:
        by_class = score_classes(
            comparison,
            reference,
            len(scheme.classes),
            class_map=predicted.class_map() if class_map is None else class_map,
            ignore=ignore,
            radius_px=radius_px,
            blind=blind,
            pairs=pairs,
        )
    return ImageScore(
        patient=patient,
        ternary=pixel_confusion(ternary_of(reference.labels, rim_px), ternary_map, 3, ignore),
        binary=panoptic_counts(blind),
        aji=aji(blind),
        aji_plus=aji_plus(blind),
        detection=detection_counts(blind, radius_px),
        hovernet_detection=hovernet_counts(blind, pairs),
        by_class=by_class,
    )


def figures_of(scores: Sequence[ImageScore], scheme: ClassScheme) -> dict[str, Any]:
    """Return the figures of many images, as they stand in the JSON of ``evaluate``.

    - ``pixel``: IoU and Dice pooled over all pixels; ``class_mean_iou`` over the classes and
      background; ``ternary_dice`` pooled; ``patch_miou_macro`` the original project's own figure.
    - ``instance``: ``bpq``, ``dq``, ``sq``, ``aji`` and ``aji_plus`` are means over images (those
      with a nucleus on either side), so that an image with four nuclei weighs as much as one with
      six hundred; ``bpq_plus``, ``dq_plus``, ``sq_plus``, ``detection_f1``, ``pq_plus`` and ``f1``
      are pooled over images. ``detection_f1`` and ``class_detection_f1`` pair centroids to the
      greatest number, ``detection_f1_hovernet`` and ``class_detection_f1_hovernet`` as HoVer-Net
      does, see `seg_core.evaluation.metrics.detection`.
    - A class without anything in the reference has no IoU, Dice, PQ or F1 and is left out of
      ``class_mean_iou``, ``mpq_plus`` and ``macro_f1``; ``spurious`` counts the predicted nuclei of
      each class that match nothing of it. The same means with such a class as 0, as in earlier
      versions and some papers, are ``class_mean_iou_with_absent``, ``mpq_plus_with_absent`` and
      ``macro_f1_with_absent``.
    - ``a_pq`` is the mean over patients of the mean over the classes that occur, in the reference
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
    nested["instance"] |= stack.tables()
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
    _, interval = bootstrapped(stack.values, stack.patients, samples, seed)
    nested = _nested(dict(zip(stack.names, interval, strict=True)))
    nested["instance"] |= dict.fromkeys(TABLES)
    return nested


def paired_differences(
    first: Sequence[ImageScore],
    second: Sequence[ImageScore],
    scheme: ClassScheme,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the second answer's figures less the first one's, and their 95 % intervals.

    Both answers are to the same images, and each bootstrap sample draws the same images for both:
    what makes an image hard for both cancels, so the interval is narrower than the two suggest.

    Parameters
    ----------
    first, second : sequence of ImageScore
        Of the same images in the same order.
    scheme : ClassScheme
    samples, seed : int

    Returns
    -------
    differences, intervals : dict
        The keys of `figures_of` but the tables; None where there is none.

    Raises
    ------
    DataError
        If they are not of the same images, or there is no image.
    """
    if [each.patient for each in first] != [each.patient for each in second]:
        raise DataError("two answers are compared on the same images; these are of different ones.")
    stacks = _Stack(first, scheme), _Stack(second, scheme)

    def differences(weights: Floats) -> Floats:
        one, two = (each.values(weights) for each in stacks)
        return two - one

    names = stacks[0].names
    as_they_are, interval = bootstrapped(differences, stacks[0].patients, samples, seed)
    return (
        _nested(dict(zip(names, as_they_are, strict=True))),
        _nested(dict(zip(names, interval, strict=True))),
    )


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
        self._hovernet = Counts.stacked([score.hovernet_detection for score in scores])
        self._aji = np.array([score.aji for score in scores])
        self._aji_plus = np.array([score.aji_plus for score in scores])
        self._classes = ClassStack(by_class, scheme) if by_class else None

    def figures(self, weights: Floats) -> dict[tuple[str, ...], float]:
        """Return each figure by its path in the JSON; ``weights`` as in `bootstrap_weights`."""
        images = weights.sum(axis=0)
        ternary = dice_of(np.tensordot(images, self._ternary, axes=1))
        binary = self._binary.weighted(images)
        figures = {
            ("pixel", "ternary_dice", "inside"): ternary[INSIDE],
            ("pixel", "ternary_dice", "boundary"): ternary[BOUNDARY],
            ("instance", "bpq"): weighted_mean(self._binary.pq, images),
            ("instance", "bpq_plus"): binary.pq,
            ("instance", "dq"): weighted_mean(self._binary.dq, images),
            ("instance", "dq_plus"): binary.dq,
            ("instance", "sq"): weighted_mean(self._binary.sq, images),
            ("instance", "sq_plus"): binary.sq,
            ("instance", "aji"): weighted_mean(self._aji, images),
            ("instance", "aji_plus"): weighted_mean(self._aji_plus, images),
            ("instance", "detection_f1"): self._detection.weighted(images).dq,
            ("instance", "detection_f1_hovernet"): self._hovernet.weighted(images).dq,
        }
        if self._classes is None:
            return figures | dict.fromkeys(class_figure_names(self.scheme), math.nan)
        return figures | self._classes.figures(weights, images)

    @property
    def names(self) -> list[tuple[str, ...]]:
        """The paths of all figures, in the order of `values`."""
        return list(self.figures(patient_weights(self.patients)))

    def values(self, weights: Floats) -> Floats:
        """Return the figures alone."""
        return np.array(list(self.figures(weights).values()))

    def tables(self) -> dict[str, Any]:
        """Return the nuclei of all images by what they are and what they are called."""
        return dict.fromkeys(TABLES) if self._classes is None else self._classes.tables()


def _with_edge(
    ignore: npt.NDArray[np.bool_] | None, shape: tuple[int, ...], edge_px: int
) -> npt.NDArray[np.bool_]:
    """Return the area to ignore with a frame along the image's edges."""
    if ignore is not None and ignore.shape != shape:
        return ignore  # which `compare` refuses with a sentence
    framed = np.zeros(shape, dtype=np.bool_) if ignore is None else ignore.copy()
    for side in (framed, framed[::-1], framed.T, framed.T[::-1]):
        side[:edge_px] = True
    return framed


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
