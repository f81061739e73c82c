"""How frequent classes are on labelled slides, told by labels that are as many of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.teaching.fitting import fitted
from seg_core.teaching.shares import LEAN, LEAST_SHARE, class_shares, leaning


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


def test_leaning_on_shares_makes_fewer_errors_where_a_class_is_rare() -> None:
    """Over twenty simulated slides: as many labels of each class, one in fifty nuclei of the rare one."""
    gained = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values, truth = drawn(rng, (20, 20, 20))
        everywhere, there = drawn(rng, (900, 480, 20))
        model = fitted(values, truth, 3, 0.3)
        lean = model.leaning(leaning(values, truth, everywhere, model))
        right, leant = (
            float((each.probabilities(everywhere).argmax(axis=1) == there).mean())
            for each in (model, lean)
        )
        gained.append(leant - right)
    assert np.mean(gained) > 0.02
    assert min(gained) > -0.02


def test_equal_classes_are_not_leant_on() -> None:
    rng = np.random.default_rng(1)
    values, truth = drawn(rng, (200, 200, 200))
    model = fitted(values, truth, 3, 0.3)
    offsets = leaning(values, truth, drawn(rng, (500, 500, 500))[0], model)
    assert np.ptp(offsets) < LEAN * np.log(1.35)


def test_a_class_with_one_label_or_none_says_nothing_of_shares() -> None:
    rng = np.random.default_rng(2)
    values, truth = drawn(rng, (10, 10, 1))
    model = fitted(values, truth, 4, 0.3)
    assert not leaning(values, truth, values, model).any()
    kept = truth < 2
    model = fitted(values[kept], truth[kept], 4, 0.3)
    offsets = leaning(values[kept], truth[kept], values[truth == 0], model)
    assert offsets[0] > offsets[1]
    assert not offsets[2:].any()
    assert model.leaning(offsets).probabilities(values)[:, 2:].max() < 1e-6
