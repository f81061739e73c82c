"""Labels of one class only: others are stood in for by nuclei that the model is sure of."""

from dataclasses import replace

import numpy as np

from seg_core.teaching.choosing import Material, best_fit
from seg_core.teaching.fitting import fitted
from seg_core.teaching.standards import Standards

FEATURES = tuple(f"f{number}" for number in range(6))
NAMES = ("clicked", "stood in for")


def clicked_alone(apart: float) -> Material:
    """Thirty labels of one class at three places, then thirty nuclei that stand in for the other."""
    rng = np.random.default_rng(5)
    truth = np.repeat([0, 1], 30)
    values = rng.normal(size=(60, len(FEATURES)))
    values[:, 0] += apart * truth
    standards = Standards(
        np.zeros(len(FEATURES)), np.ones(len(FEATURES)), np.zeros((0, len(FEATURES)))
    )
    return Material(FEATURES, standards, values, truth, np.arange(30) % 3, "square", values)


def test_left_out_labels_are_answered_by_what_the_others_and_the_stand_ins_teach() -> None:
    choice = best_fit(clicked_alone(apart=5.0), NAMES, ())
    assert choice.validation is not None
    assert choice.validation.confusion[0].tolist() == [30, 0]
    assert choice.validation.log_loss < 0.2
    weak = fitted(clicked_alone(apart=5.0).values, np.repeat([0, 1], 30), 2, 0.003)
    steepness = [np.abs(each.coefficients).max() for each in (choice.fitted, weak)]
    assert steepness[0] > 2 * steepness[1], "the first of three that nothing told apart"


def test_without_stand_ins_there_is_nothing_to_tell_apart() -> None:
    alone = clicked_alone(apart=5.0)
    # of the second class there is one label, so the fold that leaves it out has one class
    truth = np.append(np.zeros(29, np.int64), 1)
    few = replace(alone, values=alone.values[:30], truth=truth)
    choice = best_fit(few, NAMES, ())
    assert choice.validation is not None
    assert choice.validation.confusion[1].sum() == 1


def test_a_fold_that_knows_one_class_calls_everything_so() -> None:
    """Where each slide has labels of one class alone, those of the first class counted as right."""
    both = clicked_alone(apart=5.0)
    choice = best_fit(replace(both, places=both.truth, unit="slide"), NAMES, ())
    assert choice.validation is not None
    assert choice.validation.confusion.tolist() == [[0, 30], [30, 0]]
    assert choice.validation.macro_f1 == 0
