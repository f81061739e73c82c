"""How frequent classes are on labelled slides, told by labels that are as many of each."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.teaching.fitting import Fit, Fitted, fitted
from seg_core.teaching.shares import (
    LEAN,
    LEAST_SHARE,
    belief_in,
    class_shares,
    estimated_shares,
    joined_shares,
    leaning_on,
)


def drawn(rng: np.random.Generator, counts: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Nuclei of overlapping classes, each around a corner of its own."""
    truth = np.repeat(np.arange(len(counts)), counts)
    return rng.normal(1.5 * np.eye(len(counts))[truth], 1.0), truth


@given(
    errors=st.floats(0.05, 0.3),
    weights=st.lists(st.floats(0.05, 1.0), min_size=2, max_size=5),
)
def test_shares_are_what_was_blurred(errors: float, weights: list[float]) -> None:
    """Where the classes are told apart, the shares come out near whatever the errors are."""
    shares = np.array(weights) / sum(weights)
    count = len(shares)
    blur = np.full((count, count), errors / (count - 1))
    np.fill_diagonal(blur, 1 - errors)
    found = class_shares(blur, blur @ shares)
    assert found.sum() == pytest.approx(1)
    blurred = np.abs(blur @ shares - shares).max()
    assert np.abs(found - shares).max() <= max(blurred, 0.03)


def test_classes_that_are_not_told_apart_have_equal_shares() -> None:
    blur = np.full((3, 3), 1 / 3)
    np.testing.assert_allclose(class_shares(blur, np.full(3, 1 / 3)), np.full(3, 1 / 3), atol=1e-6)


def test_a_class_that_is_nowhere_keeps_a_chance() -> None:
    found = class_shares(np.eye(2), np.array([1.0, 0.0]))
    assert LEAST_SHARE / 2 <= found[1] < 0.05


def fit_of(classes: int) -> Fit:
    return lambda values, truth: fitted(values, truth, classes, 0.3)


def leant(
    values: np.ndarray, truth: np.ndarray, everywhere: np.ndarray, model: Fitted
) -> tuple[Fitted, np.ndarray]:
    shares = estimated_shares(values, truth, everywhere, fit_of(len(model.intercepts)))
    assert shares is not None
    offsets = leaning_on(shares, belief_in(truth))
    return replace(model, intercepts=model.intercepts + offsets), offsets


def test_leaning_on_shares_makes_fewer_errors_where_a_class_is_rare() -> None:
    """Over twenty simulated slides: as many labels of each class, one in seventy nuclei of the rare one."""
    gained = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values, truth = drawn(rng, (20, 20, 20))
        everywhere, there = drawn(rng, (900, 480, 20))
        model = fitted(values, truth, 3, 0.3)
        lean, _ = leant(values, truth, everywhere, model)
        before, after = (
            float((each.probabilities(everywhere).argmax(axis=1) == there).mean())
            for each in (model, lean)
        )
        gained.append(after - before)
    assert np.mean(gained) > 0.02
    assert min(gained) > -0.02


def test_shares_are_estimated_from_as_many_labels_of_each_class() -> None:
    """Twenty simulated slides: on average the shares come out, pulled a little towards equal ones."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values, truth = drawn(rng, (40, 40, 40))
        found.append(estimated_shares(values, truth, drawn(rng, (900, 480, 20))[0], fit_of(3)))
    np.testing.assert_allclose(np.mean(found, axis=0), [0.643, 0.343, 0.014], atol=0.06)


def test_equal_classes_are_hardly_leant_on_and_few_labels_lean_less() -> None:
    rng = np.random.default_rng(1)
    values, truth = drawn(rng, (200, 200, 200))
    model = fitted(values, truth, 3, 0.3)
    _, offsets = leant(values, truth, drawn(rng, (500, 500, 500))[0], model)
    assert np.ptp(offsets) < LEAN * np.log(1.35)
    shares = np.array([0.8, 0.2])
    few, many = (
        np.ptp(leaning_on(shares, belief_in(np.arange(2).repeat(each)))) for each in (10, 1000)
    )
    assert few == pytest.approx(LEAN / 2 * np.log(4))
    assert many == pytest.approx(LEAN * np.log(4), rel=0.02)


def test_a_class_with_one_label_says_nothing_of_shares_and_one_without_has_none() -> None:
    rng = np.random.default_rng(2)
    values, truth = drawn(rng, (10, 10, 1))
    assert estimated_shares(values, truth, values, fit_of(4)) is None
    kept = truth < 2
    values, truth = values[kept], truth[kept]
    model = fitted(values, truth, 4, 0.3)
    lean, offsets = leant(values, truth, values[truth == 0], model)
    assert offsets[0] > offsets[1]
    assert not offsets[2:].any()
    assert lean.probabilities(values)[:, 2:].max() < 1e-6


@given(belief=st.floats(0, 1), own=st.floats(0.05, 0.95))
def test_joined_shares_lie_between_those_of_the_slides_and_of_the_data_set(
    belief: float, own: float
) -> None:
    shares, usual = np.array([own, 0.0, 1 - own]), np.array([0.7, 0.2, 0.1])
    joined = joined_shares(shares, usual, belief)
    assert joined.sum() == pytest.approx(1)
    assert joined[1] == 0
    odds, slides, known = (each[0] / each[2] for each in (joined, shares, usual))
    assert min(slides, known) - 1e-9 <= odds <= max(slides, known) + 1e-9
    assert joined_shares(shares, usual, 0)[0] == pytest.approx(0.7 / 0.8)
