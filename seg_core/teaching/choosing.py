"""Choose by cross-validation what a classifier weighs, and how strongly."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from seg_core.teaching.directions import SetDirections, types_of_classes
from seg_core.teaching.features import is_of_neighbours
from seg_core.teaching.fitting import Fitted, fitted, fitted_towards
from seg_core.teaching.shares import belief_in, estimated_shares, joined_shares, leaning_on
from seg_core.teaching.standards import Standards
from seg_core.teaching.validation import AnswerRows, Validation, cross_validated

_Floats = npt.NDArray[np.float64]
_Rows = npt.NDArray[np.int64]

# Of features several strengths of regularisation are tried.
_STRENGTHS = (0.003, 0.03, 0.3)

# Twice as many features are weighed where that is clearly better, not by chance.
_CLEARLY = 1.1

# Of types how far labels are followed: from hardly further than to say which class is which of them.
_PULLS = (1.0, 0.1, 0.01)


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
    points_um : (L, 2) float64 or None
        Where each label lies; None where they are of several slides.
    """

    features: tuple[str, ...]
    standards: Standards
    values: _Floats
    truth: _Rows
    places: _Rows
    unit: str
    everywhere: _Floats
    points_um: _Floats | None = None


@dataclass(frozen=True)
class Choice:
    """What answers left-out labels best.

    Attributes
    ----------
    fitted : Fitted
        Of standardised features, leaning on the shares.
    weighed : SetDirections or None
        The directions that it weighs; None where it is features.
    neighbours : bool
        Whether means over neighbours are among these.
    shares : (K,) float64 or None
        How frequent each class is taken to be, see `seg_core.teaching.shares`; None where anchors
        stand in for a class.
    validation : Validation or None
        How well it does; None where all labels are of one place, or too near to one another.
    """

    fitted: Fitted
    weighed: SetDirections | None
    neighbours: bool
    shares: _Floats | None
    validation: Validation | None


class _Way(Protocol):
    """What is weighed."""

    @property
    def weighed(self) -> SetDirections | None:
        """Directions, or none where features are weighed."""

    @property
    def neighbours(self) -> bool:
        """Whether means over neighbours are weighed."""

    def fit(
        self, material: Material, rows: _Rows, classes: int, *, lean: bool
    ) -> tuple[Fitted, _Floats | None]:
        """Learn from some rows; the coefficients are of all features, beside them the shares."""
        ...


@dataclass(frozen=True)
class _Features:
    """All features, or those that are of the nucleus itself and of what stands around it."""

    strength: float
    neighbours: bool
    weighed: None = None

    def fit(
        self, material: Material, rows: _Rows, classes: int, *, lean: bool
    ) -> tuple[Fitted, _Floats | None]:
        columns = np.array([self.neighbours or not is_of_neighbours(n) for n in material.features])
        values, truth = material.values[rows][:, columns], material.truth[rows]

        def fit(values: _Floats, truth: _Rows) -> Fitted:
            return fitted(values, truth, classes, self.strength)

        found, shares = fit(values, truth), None
        if lean:
            shares = estimated_shares(values, truth, material.everywhere[:, columns], fit)
        if shares is not None:
            lent = leaning_on(shares, belief_in(truth))
            found = replace(found, intercepts=found.intercepts + lent)
        coefficients = np.zeros((classes, len(columns)))
        coefficients[:, columns] = found.coefficients
        return replace(found, coefficients=coefficients), shares


@dataclass(frozen=True)
class _Types:
    """What the types of a data set differ in, each class expected to be the type it looks most like."""

    weighed: SetDirections
    pull: float
    neighbours: bool = True

    def fit(
        self, material: Material, rows: _Rows, classes: int, *, lean: bool
    ) -> tuple[Fitted, _Floats | None]:
        directions = self.weighed.matrix * material.standards.scale
        everywhere = material.everywhere @ directions.T
        middle = everywhere.mean(axis=0) if len(everywhere) else np.zeros(len(directions))
        everywhere = everywhere - middle
        values, truth = material.values[rows] @ directions.T - middle, material.truth[rows]
        expected = types_of_classes(values, truth, classes)

        def fit(values: _Floats, truth: _Rows) -> Fitted:
            return fitted_towards(expected, self.pull, values, truth)

        found, shares = fit(values, truth), None
        if lean:
            shares = estimated_shares(values, truth, everywhere, fit)
        if shares is not None:
            shares = joined_shares(shares, expected @ self.weighed.shares, belief_in(truth))
            found = replace(found, intercepts=found.intercepts + leaning_on(shares))
        intercepts = found.intercepts - found.coefficients @ middle
        return Fitted(found.coefficients @ directions, intercepts), shares


_USUAL_STRENGTH = 0.03
"""Where labels are of one place or too near to one another, and nothing says which is best."""


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
        What may be weighed instead of all features, where there is a type for each class.
    """
    kinds = _without_and_with_neighbours(material.features)
    ways: list[_Way] = [
        _Features(strength, neighbours) for neighbours in kinds for strength in _STRENGTHS
    ]
    ways += [
        _Types(each, pull)
        for each in directions
        if len(each.nuclei) >= len(names)
        for pull in _PULLS
    ]
    way = _best(material, names, ways) or _Features(_USUAL_STRENGTH, kinds[0])
    everything = np.arange(len(material.truth))
    # anchors are where the model is sure, so they do not say how a classifier errs
    lean = len(material.places) == len(material.truth)
    found, shares = way.fit(material, everything, len(names), lean=lean)
    validation = _validated(material, names, way, lean=lean)
    return Choice(found, way.weighed, way.neighbours, shares, validation)


def _without_and_with_neighbours(features: Sequence[str]) -> tuple[bool, ...]:
    """Return whether means over neighbours are weighed, as far as there is a choice."""
    return tuple(sorted({is_of_neighbours(each) for each in features}))


def _best(material: Material, names: tuple[str, ...], ways: Sequence[_Way]) -> _Way | None:
    # leaning is left out of the choice: labels do not have the shares of the slide
    found = [(_validated(material, names, way, lean=False), way) for way in ways]
    losses = [
        (validation.log_loss * (_CLEARLY if way.neighbours and way.weighed is None else 1), way)
        for validation, way in found
        if validation is not None
    ]
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
    return cross_validated(
        fit, truth, material.places, names, material.unit, points_um=material.points_um
    )
