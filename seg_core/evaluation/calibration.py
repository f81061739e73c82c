"""How far a model's votes can be trusted, by class, learned from labelled images of several sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from seg_core.classes import VoteWeight
from seg_core.errors import DataError
from seg_core.evaluation.metrics import DETECTION_RADIUS_UM, compare
from seg_core.evaluation.prediction import predict_image
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.labelled.nuclei import Nuclei, nuclei_at
from seg_core.model import find_model, make_engine
from seg_core.nuclei.context_head import read_context_head
from seg_core.nuclei.vote import FLOOR, calibrated, log_odds
from seg_core.settings import AnalysisSettings

ENTRY = "votes"
"""Name of the figures of a calibration among the metrics of a card."""

_FEWEST = 20  # nuclei of a class on which a set's F1 of it is taken
_PRIOR = 0.0005  # pulls towards no change; strong beside classes with a handful of nuclei
_STEPS = 10
_BINS = np.array([0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])


@dataclass(frozen=True)
class Votes:
    """Nuclei that a model has found and whose class a person has told.

    Attributes
    ----------
    shares : (N, C + 1) float32
        Of the vote, *other* first.
    truth : (N,) int
        The class told, 0 *other*.
    """

    shares: npt.NDArray[np.float32]
    truth: npt.NDArray[np.intp]


def votes_on(
    images: Sequence[LabelledImage], model: str | None, settings: AnalysisSettings
) -> Votes:
    """Let a model find the nuclei of labelled images, and take those of known class.

    Outlined nuclei are matched at IoU above 0.5, dots with the nucleus under them or the nearest
    within `DETECTION_RADIUS_UM`.

    Parameters
    ----------
    images : sequence of LabelledImage
    model : str or None
    settings : AnalysisSettings
    """
    card, weights = find_model(model)
    engine = make_engine(card, weights, settings)
    head = read_context_head(card, weights)
    scheme = card.scheme.without_votes()
    shares, truth = [], []
    for image in images:
        labelled = image.at(card.mpp)
        answer = predict_image(
            labelled.image, labelled.mpp, card.mpp, engine, settings, scheme, head=head
        )
        assert answer.class_shares is not None
        labels, classes = told(labelled, answer.nuclei)
        shares.append(answer.class_shares[labels - 1])
        truth.append(classes)
    return Votes(np.concatenate(shares), np.concatenate(truth).astype(np.intp))


def told(
    image: LabelledImage, predicted: Nuclei
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the predicted labels of which somebody told the class, and the classes."""
    if image.dots is not None:
        known = image.dots.classes != UNKNOWN
        reach_px = DETECTION_RADIUS_UM / image.mpp
        labels = nuclei_at(predicted.labels, image.dots.points[known], reach_px).astype(np.intp)
        found = labels > 0
        return labels[found], image.dots.classes[known][found].astype(np.intp)
    matched = compare(image.nuclei, predicted, image.not_scored).matched()
    if matched.reference.classes is None:
        raise DataError(f"{image.name} has no classes; give images with classes to calibrate by.")
    return (
        matched.predicted.ids[matched.columns].astype(np.intp),
        matched.reference.classes[matched.rows].astype(np.intp),
    )


def calibrate(sets: Mapping[str, Votes]) -> tuple[VoteWeight, ...] | None:
    """Find the weights of the votes under which the told classes are likeliest, see `likeliest`.

    Likelihood goes by what is common, macro F1 by every class alike. Where the weights would cost
    a set any of its macro F1 they are taken back towards no change, step by step.

    Parameters
    ----------
    sets : mapping of str to Votes

    Returns
    -------
    weights : tuple of VoteWeight or None
        Of the classes in the order of their ids. None where none that cost nothing make the scores
        truer, as a mean over the sets.

    Raises
    ------
    DataError
        If there is no nucleus to go by.
    """
    best = likeliest(sets)
    several = [each for each in sets.values() if len(each.truth)]
    for part in np.linspace(1, 0, _STEPS, endpoint=False):
        weights = tuple(
            VoteWeight(round(part * each.bias, 4), round(each.sharpness**part, 4)) for each in best
        )
        if all(_lost(each, weights) <= 0 for each in several):
            changes = [_error(each, weights) - _error(each, None) for each in several]
            return weights if sum(changes) < 0 else None
    return None


def _called(
    votes: Votes, weights: Sequence[VoteWeight] | None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """Return the score of each nucleus's class, and the class."""
    shares = votes.shares if weights is None else calibrated(votes.shares, weights)
    return shares.max(axis=1), shares.argmax(axis=1)


def _error(votes: Votes, weights: Sequence[VoteWeight] | None) -> float:
    """Return the expected calibration error."""
    scores, called = _called(votes, weights)
    rows = reliability(scores, called == votes.truth)
    distances = [each["nuclei"] * abs(each["score"] - each["right"]) for each in rows]
    return float(sum(distances) / max(1, len(votes.truth)))


def _lost(votes: Votes, weights: Sequence[VoteWeight]) -> float:
    """Return what a calibration costs of the macro F1; nothing where there are too few nuclei for one."""
    before, after = (macro_f1(votes.truth, _called(votes, each)[1]) for each in (None, weights))
    return 0.0 if before is None or after is None else before - after


def likeliest(sets: Mapping[str, Votes]) -> tuple[VoteWeight, ...]:
    """Return the weights under which the told classes are likeliest; every set counts alike.

    Raises
    ------
    DataError
        If there is no nucleus to go by.
    """
    several = [each for each in sets.values() if len(each.truth)]
    if not several:
        raise DataError("no nucleus was found whose class is known; give labelled images.")
    classes = several[0].shares.shape[1] - 1
    logarithms = [np.log(each.shares + FLOOR) for each in several]

    def loss(parameters: npt.NDArray[np.float64]) -> float:
        weights = _weights(parameters)
        total = _PRIOR * float(np.square(parameters).sum())
        for each, logarithm in zip(several, logarithms, strict=True):
            odds = log_odds(logarithm, weights)
            highest = odds.max(axis=1)
            norm = highest + np.log(np.exp(odds - highest[:, None]).sum(axis=1))
            total += float((norm - odds[np.arange(len(odds)), each.truth]).mean()) / len(several)
        return total

    return _weights(minimize(loss, np.zeros(2 * classes), method="L-BFGS-B").x)


def _weights(parameters: npt.NDArray[np.float64]) -> tuple[VoteWeight, ...]:
    """Return the weights: biases first, then logarithms of the sharpness."""
    biases, sharpness = np.split(parameters, 2)
    return tuple(
        VoteWeight(float(bias), float(np.exp(sharp)))
        for bias, sharp in zip(biases, sharpness, strict=True)
    )


def macro_f1(truth: npt.NDArray[np.intp], called: npt.NDArray[np.intp]) -> float | None:
    """Return the mean F1 over the classes with enough nuclei, *other* among them; None without any.

    Examples
    --------
    >>> macro_f1(np.repeat([0, 1], 20), np.repeat([0, 1], 20))
    1.0
    """
    scores = []
    for k in np.flatnonzero(np.bincount(truth) >= _FEWEST):
        right = np.count_nonzero((truth == k) & (called == k))
        scores.append(2 * right / (np.count_nonzero(truth == k) + np.count_nonzero(called == k)))
    return float(np.mean(scores)) if scores else None


def report_of(sets: Mapping[str, Votes], weights: Sequence[VoteWeight] | None) -> dict[str, Any]:
    """Return what a calibration changes, by set, for the card; None changes nothing.

    ``macro_f1`` of the found nuclei, None where there are too few; ``error`` is the expected
    calibration error, the mean distance between score and share that is right over bins of the score
    (Naeini et al. 2015); ``reliability`` has a row a bin: its ends, nuclei, their mean score and the
    share that is right. Each before and after.
    """
    report: dict[str, Any] = {}
    for name, votes in sets.items():
        row: dict[str, Any] = {"nuclei": len(votes.truth)}
        for when, each in (("before", None), ("after", weights)):
            scores, called = _called(votes, each)
            row[when] = {
                "macro_f1": macro_f1(votes.truth, called),
                "error": _error(votes, each),
                "reliability": reliability(scores, called == votes.truth),
            }
        report[name] = row
    return report


def reliability(
    scores: npt.NDArray[np.floating], right: npt.NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Return for bins of the score how many nuclei are right; empty bins are left out."""
    bins = np.clip(np.searchsorted(_BINS, scores, side="right") - 1, 0, len(_BINS) - 2)
    return [
        {
            "from": float(_BINS[k]),
            "to": float(_BINS[k + 1]),
            "nuclei": int((bins == k).sum()),
            "score": float(scores[bins == k].mean()),
            "right": float(right[bins == k].mean()),
        }
        for k in np.unique(bins)
    ]
