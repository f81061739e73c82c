import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_core.evaluation.metrics.bootstrap import (
    FEW_PATIENTS,
    bootstrap_weights,
    interval95,
    patient_weights,
)

PATIENTS = st.lists(st.sampled_from([f"TCGA-{k}" for k in range(14)]), min_size=1, max_size=40)


@given(PATIENTS, st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_a_sample_has_as_many_patients_as_there_are_each_with_own_images_only(patients, seed):
    weights = bootstrap_weights(patients, np.random.default_rng(seed))
    names = np.array(patients)
    assert weights.shape == (len(set(patients)), len(patients))
    for row in weights:
        drawn = set(names[row > 0])
        assert len(drawn) == 1
        # as many images as the patient has
        assert row.sum() == patients.count(drawn.pop())


def test_with_enough_patients_each_comes_with_all_images_once():
    patients = [f"p{k}" for k in range(FEW_PATIENTS)] * 3
    weights = bootstrap_weights(patients, np.random.default_rng(0))
    assert set(weights.ravel()) == {0, 1}
    assert len({row.argmax() for row in weights}) < FEW_PATIENTS  # some drawn twice


def test_with_few_patients_their_images_are_drawn_again():
    weights = bootstrap_weights(["a"] * 8, np.random.default_rng(0))
    assert weights.sum() == 8
    assert weights.max() > 1


def test_weights_of_the_data_as_they_are():
    weights = patient_weights(["b", "a", "b"])
    assert weights.tolist() == [[0, 1, 0], [1, 0, 1]]


def test_interval_covers_the_middle_95_percent_of_what_is_known():
    samples = np.stack([np.arange(1001.0), np.full(1001, np.nan)], axis=1)
    interval = interval95(samples)
    assert interval[0].tolist() == [25, 975]
    assert np.isnan(interval[1]).all()


def test_a_sample_without_a_value_is_left_out():
    samples = np.array([[1.0], [np.nan], [1.0]])
    assert interval95(samples).tolist() == [[1, 1]]


def test_the_interval_of_a_mean_has_the_width_statistics_gives():
    """100 patients with one image each: 1.96 standard errors to each side."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=100)
    patients = [str(k) for k in range(100)]
    means = [
        [np.average(values, weights=bootstrap_weights(patients, rng).sum(axis=0))]
        for _ in range(1000)
    ]
    low, high = interval95(np.array(means))[0]
    error = values.std(ddof=1) / 10
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
