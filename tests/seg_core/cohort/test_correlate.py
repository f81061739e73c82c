"""Rank correlation of measures: known answers, and what holds in simulated studies."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from seg_core.cohort.correlate import rank_correlation
from seg_core.errors import CohortError


def table(one: list[object], other: list[object], patients: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"one": one, "other": other, "patient": patients})


def test_patients_are_the_n_and_ranks_alone_count() -> None:
    found = rank_correlation(
        table(
            [1.0, 3.0, 3.0, 4.0, 50.0, 6.0, 7.0],
            ["1", "1", "2", "3", "5", "NA", "4"],
            ["P1", "P1", "P2", "P3", "P4", "P5", None],
        ),
        "one",
        "other",
    )
    # patients: (2, 1), (3, 2), (4, 3), (50, 5), (7, 4), all in one order
    assert (found.patients, found.slides) == (5, 6)
    assert found.rho == pytest.approx(1)
    assert found.p == pytest.approx(2 / math.factorial(5))
    assert math.isnan(found.low)


def test_rois_of_a_slide_are_one_slide_and_no_patients() -> None:
    rows = table([1.0, 3.0, 5.0, 6.0, 7.0, 8.0], [1.0, 1, 2, 3, 4, 5], [None] * 6)
    found = rank_correlation(rows.assign(slide_path=list("aabcde")), "one", "other")
    assert (found.patients, found.slides) == (5, 5)
    assert found.rho == pytest.approx(1)


def test_few_patients_are_tested_exactly() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.normal(size=(2, 8))
    found = rank_correlation(
        table(list(one), list(other), list(map(str, range(8)))), "one", "other"
    )
    expected = stats.spearmanr(one, other)
    assert found.rho == pytest.approx(expected.statistic)

    def rho(x: np.ndarray) -> float:
        return stats.spearmanr(x, other).statistic

    resampled = stats.permutation_test(
        (one,), rho, permutation_type="pairings", n_resamples=4000, random_state=rng
    )
    assert found.p == pytest.approx(resampled.pvalue, abs=0.03)


def test_the_interval_holds_the_truth_in_nineteen_studies_of_twenty() -> None:
    rng = np.random.default_rng(7)
    pearson, patients, studies = 0.6, 25, 400
    truth = 6 / math.pi * math.asin(pearson / 2)
    held = 0
    for _ in range(studies):
        one = rng.normal(size=patients)
        other = pearson * one + math.sqrt(1 - pearson**2) * rng.normal(size=patients)
        found = rank_correlation(
            table(list(one), list(other), list(map(str, range(patients)))), "one", "other"
        )
        held += found.low <= truth <= found.high
    assert 0.92 < held / studies < 0.98


@pytest.mark.parametrize("one", [[1.0, 2, 3, 4], [2.0] * 6])
def test_too_few_patients_or_all_alike_have_no_correlation(one: list[object]) -> None:
    patients = [f"P{number}" for number in range(len(one))]
    found = rank_correlation(table(one, list(range(len(one))), list(patients)), "one", "other")
    assert math.isnan(found.rho)
    assert found.patients == len(one)


def test_words_are_no_measure() -> None:
    with pytest.raises(CohortError, match="'other' holds something else than numbers"):
        rank_correlation(table([1.0] * 6, ["3+"] * 6, list(range(6))), "one", "other")
