"""Figures against dots: nuclei of which somebody told place and class, not outline.

A dot is *found* by the predicted nucleus under it, or by the nearest one within
`DETECTION_RADIUS_UM`; of several dots on one nucleus the nearest to its centroid has it. Nuclei
without a dot count as wrongly called: some nuclei lack theirs, so precision, and with it F1, is a
lower bound that is comparable between models only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from seg_core.classes import BACKGROUND, ClassScheme
from seg_core.errors import DataError
from seg_core.evaluation.metrics import BOOTSTRAP_SAMPLES, BOOTSTRAP_SEED, DETECTION_RADIUS_UM
from seg_core.evaluation.metrics.bootstrap import bootstrapped, patient_weights
from seg_core.evaluation.metrics.pixel import divide
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.labelled_image import Dots
from seg_core.labelled.nuclei import Nuclei, nuclei_at

MISSED = "missed"

_BLIND, _BY_CLASS = ("detected", "detection_f1"), ("recall", "precision", "f1")
"""The figures in the order of `_figures`: those that do not ask for the class, then those of each."""


@dataclass(frozen=True, slots=True)
class DotScore:
    """What one image contributes; all of it can be added up."""

    patient: str

    called: npt.NDArray[np.int64]
    """(C + 1, C + 2): dots by their class, *other* last, and by what the nucleus that found them
    is called, *other* and missed last."""

    predicted: npt.NDArray[np.int64]
    """(C + 1,): predicted nuclei by class, *other* last."""


def score_dots(
    dots: Dots, predicted: Nuclei, scheme: ClassScheme, *, mpp: float, patient: str
) -> DotScore:
    """Score the prediction for one image with dots.

    Parameters
    ----------
    dots : Dots
        Those of unknown class are left out, and so are the nuclei that they find and no other dot
        does: nobody knows what they should be called.
    predicted : Nuclei
        With classes.
    scheme : ClassScheme
    mpp : float
        µm per pixel.
    patient : str
        Whose image it is; intervals are taken over patients.
    """
    assert predicted.class_ids is not None
    classes, labels = len(scheme.classes), predicted.labels
    known = dots.classes != UNKNOWN
    points, rows = dots.points[known], _at_the_end(dots.classes[known], classes)
    found = nuclei_of_dots(labels, points, mpp)
    called = np.full(len(points), classes + 1)
    of_nucleus = _at_the_end(predicted.class_ids, classes)
    called[found > 0] = of_nucleus[found[found > 0] - 1]
    table = np.zeros((classes + 1, classes + 2), dtype=np.int64)
    np.add.at(table, (rows, called), 1)
    there = np.setdiff1d(labels, [0, *nuclei_unjudged(dots, labels, found, mpp)])
    counts = np.bincount(of_nucleus[there - 1], minlength=classes + 1)
    return DotScore(patient, table, counts.astype(np.int64))


def nuclei_of_dots(
    labels: npt.NDArray[np.integer], points: npt.NDArray[np.float64], mpp: float
) -> npt.NDArray[np.int32]:
    """Return the label of the nucleus that each dot finds, 0 where it finds none.

    Parameters
    ----------
    labels : (H, W) integer
    points : (N, 2) float
        (x, y), pixels.
    mpp : float
        µm per pixel.
    """
    found = nuclei_at(labels, points, DETECTION_RADIUS_UM / mpp)
    owner = _nearest_dot(labels, found, points)
    return np.where(owner[found] == np.arange(len(points)) + 1, found, 0).astype(np.int32)


def nuclei_unjudged(
    dots: Dots,
    labels: npt.NDArray[np.integer],
    found: npt.NDArray[np.integer],
    mpp: float,
) -> npt.NDArray[np.int32]:
    """Return the labels of nuclei that dots of unknown class find and those of known class do not.

    Parameters
    ----------
    dots : Dots
    labels : (H, W) integer
    found : (N,) integer
        Labels that the dots of known class find, see `nuclei_of_dots`.
    mpp : float
        µm per pixel.
    """
    unknown = dots.points[dots.classes == UNKNOWN]
    return np.setdiff1d(nuclei_at(labels, unknown, DETECTION_RADIUS_UM / mpp), [0, *found])


def _at_the_end(class_ids: npt.NDArray[np.integer], classes: int) -> npt.NDArray[np.intp]:
    """Return 0 for class 1 and so on; *other*, whose id is 0, comes last."""
    return np.where(class_ids == BACKGROUND, classes, class_ids.astype(np.intp) - 1)


def _nearest_dot(
    labels: npt.NDArray[np.integer], found: npt.NDArray[np.int32], points: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp]:
    """Return for each label the number, from 1, of the dot nearest to its centroid; 0 if none."""
    owner = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.intp)
    if not found.any():
        return owner
    ids = np.unique(found[found > 0])
    centroids = np.zeros((len(owner), 2))
    means = np.array(ndimage.center_of_mass(labels > 0, labels, ids)).reshape(-1, 2)
    centroids[ids] = means[:, ::-1] + 0.5
    distances = np.hypot(*(points - centroids[found]).T)
    # the nearest is written last
    for number in np.argsort(-distances, kind="stable"):
        owner[found[number]] = number + 1
    owner[0] = 0
    return owner


def dot_figures(scores: Sequence[DotScore], scheme: ClassScheme) -> dict[str, Any]:
    """Return the figures of many images, pooled over them.

    ``detected`` is the share of all dots that a nucleus finds, ``detection_f1`` the F1 of dots and
    nuclei whatever their class. By the class of the dots: ``recall``
    the share called the same, ``precision`` the share of nuclei called so that find such a dot,
    ``f1``; of a class without dots all are None. ``called`` is the table of dots by class and by what they are called.
    """
    called = np.stack([each.called for each in scores])
    names = [*scheme.names_with_other]
    values = _figures(scores, patient_weights([each.patient for each in scores]))
    return {
        **_named(values, names),
        "called": {
            "rows": names,
            "columns": [*names, MISSED],
            "counts": called.sum(axis=0).tolist(),
        },
        "predicted": dict(
            zip(names, np.sum([each.predicted for each in scores], axis=0).tolist(), strict=True)
        ),
    }


def dot_intervals(
    scores: Sequence[DotScore],
    scheme: ClassScheme,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> dict[str, Any]:
    """Return the 95 % interval of each figure by bootstrap over patients; None for one image."""
    patients = [each.patient for each in scores]
    _, interval = bootstrapped(partial(_figures, scores), patients, samples, seed)
    return _named(interval, [*scheme.names_with_other])


def dot_differences(
    first: Sequence[DotScore],
    second: Sequence[DotScore],
    scheme: ClassScheme,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the second answer's figures less the first one's, and their 95 % intervals.

    As `seg_core.evaluation.metrics.paired_differences`: each bootstrap sample draws the same images
    for both.

    Parameters
    ----------
    first, second : sequence of DotScore
        Of the same images in the same order.
    scheme : ClassScheme
    samples, seed : int

    Returns
    -------
    differences, intervals : dict
        The keys of `dot_figures` but the tables; None where there is none, intervals also for a
        single image.

    Raises
    ------
    DataError
        If they are not of the same images.
    """
    patients = [each.patient for each in first]
    if patients != [each.patient for each in second]:
        raise DataError("two answers are compared on the same images; these are of different ones.")

    def differences(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return _figures(second, weights) - _figures(first, weights)

    names = [*scheme.names_with_other]
    as_they_are, interval = bootstrapped(differences, patients, samples, seed)
    return _named(as_they_are, names), _named(interval, names)


def _figures(
    scores: Sequence[DotScore], weights: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return `_BLIND`, then each of `_BY_CLASS` for all classes, *other* last: (2 + 3 (C + 1),).

    ``weights`` as in `seg_core.evaluation.metrics.bootstrap.bootstrap_weights`.
    """
    images = weights.sum(axis=0)
    called = np.tensordot(images, np.stack([each.called for each in scores]), axes=1)
    predicted = images @ np.stack([each.predicted for each in scores])
    right, dots = called.diagonal(), called.sum(axis=1)
    found = called[:, :-1].sum()
    detected = divide(found, called.sum())
    detection_f1 = divide(2 * found, called.sum() + predicted.sum())
    # nothing is known of a class without a dot, however often it is called
    asked = np.where(dots > 0, 1.0, np.nan)
    recall, precision = divide(right, dots), divide(right, predicted) * asked
    f1 = divide(2 * right, dots + predicted) * asked
    return np.concatenate([np.stack([detected, detection_f1]), recall, precision, f1])


def _named(values: npt.NDArray[np.float64], names: list[str]) -> dict[str, Any]:
    """Return figures, or their intervals, by name as they stand in JSON; NaN becomes None.

    Parameters
    ----------
    values : (K,) or (K, 2) float64
        In the order of `_figures`.
    names : list of str
        Of the classes.
    """
    plain = (None if np.isnan(each).any() else each.tolist() for each in values)
    blind = {figure: next(plain) for figure in _BLIND}
    return blind | {figure: {name: next(plain) for name in names} for figure in _BY_CLASS}
