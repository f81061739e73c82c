"""Choose by cross-validation what a classifier weighs, and how strongly."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seg_core.teaching.directions import SetDirections
from seg_core.teaching.fitting import Fitted, fitted
from seg_core.teaching.shares import estimated_shares, leaning_on
from seg_core.teaching.standards import Standards
from seg_core.teaching.validation import AnswerRows, Validation, cross_validated

_Floats = npt.NDArray[np.float64]
_Rows = npt.NDArray[np.int64]

# Of all features several strengths of regularisation are tried; a few directions need little.
_STRENGTHS = (0.003, 0.03, 0.3)
_STRENGTH_OF_DIRECTIONS = 0.3


@dataclass(frozen=True)
class Material:
    """What there is to learn from.

    Attributes
    ----------
    features : tuple of str
    standards : Standards
    values : (N, F) float64
        Standardised; labels first, then anchors.
    truth : (N,) int64
    places : (L,) int64
        Of the labels; anchors have none, they are seen in every fold and answered in none.
    unit : str
        What a place is.
    everywhere : (M, F) float64
        Standardised, of nuclei drawn evenly from the labelled slides.
    """

    features: tuple[str, ...]
    standards: Standards
    values: _Floats
    truth: _Rows
    places: _Rows
    unit: str
    everywhere: _Floats


@dataclass(frozen=True)
class Choice:
    """What answers left-out labels best.

    Attributes
    ----------
    fitted : Fitted
        Of standardised features, leaning on the shares.
    weighed : SetDirections or None
        The directions that it weighs; None where it is all features.
    shares : (K,) float64 or None
        How frequent each class is on the labelled slides, see `seg_core.teaching.shares`; None where
        anchors stand in for a class.
    validation : Validation or None
        How well it does; None where all labels are of one place.
    """

    fitted: Fitted
    weighed: SetDirections | None
    shares: _Floats | None
    validation: Validation | None


@dataclass(frozen=True)
class _Way:
    """What is weighed: all features, or directions."""

    weighed: SetDirections | None
    strength: float

    def fit(
        self, material: Material, rows: _Rows, classes: int, *, lean: bool
    ) -> tuple[Fitted, _Floats | None]:
        """Learn from some rows; the coefficients are of all features again, beside them the shares."""
        directions = (
            None if self.weighed is None else self.weighed.matrix * material.standards.scale
        )
        values, everywhere = (
            each if directions is None else each @ directions.T
            for each in (material.values[rows], material.everywhere)
        )
        truth, shares = material.truth[rows], None
        found = fitted(values, truth, classes, self.strength)
        if lean:
            shares = estimated_shares(values, truth, everywhere, found)
        if shares is not None:
            found = replace(found, intercepts=found.intercepts + leaning_on(shares, truth))
        if directions is not None:
            found = replace(found, coefficients=found.coefficients @ directions)
        return found, shares


_USUAL_WAY = _Way(None, 0.03)
"""Where all labels are of one place, and nothing says which is best."""


def best_fit(
    material: Material, names: tuple[str, ...], directions: Sequence[SetDirections]
) -> Choice:
    """Choose by the likelihood of left-out labels.

    Parameters
    ----------
    material : Material
    names : tuple of str
        Of the classes.
    directions : sequence of SetDirections
        What may be weighed instead of all features.
    """
    ways = [_Way(None, each) for each in _STRENGTHS]
    ways += [_Way(each, _STRENGTH_OF_DIRECTIONS) for each in directions]
    way = _best(material, names, ways) or _USUAL_WAY
    everything = np.arange(len(material.truth))
    # anchors are where the model is sure, so they do not say how a classifier errs
    lean = len(material.places) == len(material.truth)
    found, shares = way.fit(material, everything, len(names), lean=lean)
    validation = _validated(material, names, way, lean=lean)
    return Choice(found, way.weighed, shares, validation)


def _best(material: Material, names: tuple[str, ...], ways: Sequence[_Way]) -> _Way | None:
    # leaning is left out of the choice: labels do not have the shares of the slide
    found = [(_validated(material, names, way, lean=False), way) for way in ways]
    losses = [(validation.log_loss, way) for validation, way in found if validation is not None]
    return min(losses, key=lambda pair: pair[0])[1] if losses else None


def _validated(
    material: Material, names: tuple[str, ...], way: _Way, *, lean: bool
) -> Validation | None:
    count = len(material.places)
    anchors = np.arange(count, len(material.truth))

    def fit(seen: _Rows) -> AnswerRows:
        rows = np.concatenate([seen, anchors])
        known = np.unique(material.truth[rows])
        if len(known) < 2:  # who knows one class calls everything so
            only = np.eye(len(names), dtype=np.float32)[known[0]]
            return lambda left_out: np.tile(only, (len(left_out), 1))
        found, _ = way.fit(material, rows, len(names), lean=lean)
        return lambda left_out: found.probabilities(material.values[left_out]).astype(np.float32)

    truth = material.truth[:count]
    return cross_validated(fit, truth, material.places, names, material.unit)
