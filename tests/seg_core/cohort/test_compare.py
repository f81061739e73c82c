"""Comparison of groups: known answers, and what holds in a thousand simulated studies."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seg_core.cohort.columns import groupings_of, measures_of
from seg_core.cohort.compare import (
    by_patient,
    cliffs_delta,
    compare_groups,
    rank_test,
    shift,
)
from seg_core.errors import CohortError

STUDIES = 600


def study(
    rng: np.random.Generator, *, difference: float = 0.0, patients: int = 12, slides: int = 5
) -> pd.DataFrame:
    """Slides of a patient resemble one another much more than those of two patients."""
    rows = []
    for number in range(2 * patients):
        group = "AB"[number % 2]
        own = rng.normal(difference if group == "A" else 0.0)
        rows += [
            {"patient": f"P{number}", "group": group, "til": own + rng.normal(0, 0.2)}
            for _ in range(slides)
        ]
    return pd.DataFrame(rows)


def test_patients_are_the_n_and_their_slides_are_averaged() -> None:
    table = pd.DataFrame(
        {
            "patient": ["P1", "P1", "P2", None, None, "P3"],
            "group": ["A", "A", "B", "B", "B", None],
            "til": [1.0, 3.0, 5.0, 7.0, np.nan, 9.0],
        }
    )
    patients = by_patient(table, "til")
    assert list(patients["value"]) == [2.0, 5.0, 7.0]
    assert list(patients["slides"]) == [2, 1, 1]
    assert list(patients["group"]) == ["A", "B", "B"]


def test_rois_of_a_slide_are_one_slide_and_no_patients() -> None:
    """Each ROI of a slide without a patient counted as one of its own."""
    table = pd.DataFrame(
        {
            "slide_path": ["a", "a", "a", "b", "c", "c", "d"],
            "patient": [None, None, None, None, "P1", "P1", "P1"],
            "group": ["A", "A", "A", "A", "B", "B", "B"],
            "til": [1.0, 2.0, 6.0, 4.0, 1.0, 3.0, 8.0],
        }
    )
    patients = by_patient(table, "til")
    assert list(patients["value"]) == [3.0, 4.0, 5.0]
    assert list(patients["slides"]) == [1, 1, 2]
    (row,) = compare_groups(table, ["til"]).to_dict("records")
    assert (row["patients"], row["slides"]) == ("2 / 1", "2 / 2")
    paired = table.assign(group=["A", "B", "B", "A", "B", "B", "B"])
    with pytest.raises(CohortError, match="a slide without a patient is in the groups A and B"):
        compare_groups(paired, ["til"])


def test_numbers_that_stand_for_groups_and_patients_are_no_measures() -> None:
    """Arms called 1 and 2 could not be chosen as groups."""
    table = pd.DataFrame(
        {"patient": ["7", "8", "9", "10"], "group": ["1", "2", "1", "2"], "til": [1.0, 2, 3, 4]}
    )
    assert measures_of(table) == ["til"]
    assert groupings_of(table) == ["group"]


def test_equal_groups_are_told_apart_in_one_study_of_twenty_and_slides_as_n_would_in_far_more() -> (
    None
):
    rng = np.random.default_rng(11)
    honest = naive = 0
    for _ in range(STUDIES // 3):
        table = study(rng, patients=8)
        honest += compare_groups(table, ["til"])["p"].item() < 0.05
        of = table.groupby("group")["til"]
        naive += rank_test(of.get_group("A"), of.get_group("B")) < 0.05
    assert honest / (STUDIES // 3) < 0.09
    assert naive / (STUDIES // 3) > 0.25


@pytest.mark.parametrize(("difference", "patients"), [(0.0, 6), (1.0, 10), (2.5, 8)])
def test_intervals_hold_the_truth_in_nineteen_studies_of_twenty(
    difference: float, patients: int
) -> None:
    rng = np.random.default_rng(5)
    truth = 2 * stats.norm.cdf(difference / np.sqrt(2)) - 1
    held = np.zeros(2)
    for _ in range(STUDIES):
        one, other = rng.normal(difference, 1, patients), rng.normal(0, 1, patients)
        _, low, high = cliffs_delta(one, other)
        _, least, most = shift(one, other)
        held += [low <= truth <= high, least <= difference <= most]
    assert (held / STUDIES > 0.925).all()
    assert (held / STUDIES < 0.995).all()


@pytest.mark.parametrize(
    ("m", "n", "whole_range"), [(3, 3, 0.9), (3, 4, 33 / 35), (4, 4, None), (3, 5, None)]
)
def test_few_patients_have_an_interval_that_holds_in_nineteen_studies_of_twenty_or_none(
    m: int, n: int, whole_range: float | None
) -> None:
    """For three against three what was called a 95 % interval held the truth in 90 % of studies."""
    rng = np.random.default_rng(7)
    one, other = rng.normal(1, 1, (4000, m)), rng.normal(0, 1, (4000, n))
    differences = (one[:, :, None] - other[:, None, :]).reshape(4000, -1)
    in_range = ((differences.min(axis=1) <= 1) & (differences.max(axis=1) >= 1)).mean()
    ends = np.array([shift(a, b)[1:] for a, b in zip(one, other, strict=True)])
    table = pd.DataFrame({"group": ["A"] * m + ["B"] * n, "til": [*one[0], *other[0]]})
    (row,) = compare_groups(table, ["til"]).to_dict("records")
    assert row["shift"] == pytest.approx(np.median(differences[0]))
    assert row["p"] > 0
    names = ["shift_low", "shift_high", "delta_low", "delta_high"]
    if whole_range is None:
        held = ((ends[:, 0] <= 1) & (ends[:, 1] >= 1)).mean()
        assert 0.95 <= held < 0.98
        assert row["reason"] is None
        assert not any(np.isnan(row[each]) for each in names)
        return
    assert in_range == pytest.approx(whole_range, abs=0.015)
    assert np.isnan(ends).all()
    assert all(np.isnan(row[each]) for each in names)
    assert row["reason"] == (
        f"{m} and {n} patients are too few for 95 % intervals: all their differences, from the least "
        f"to the greatest, would hold the true shift in {100 * whole_range:.3g} % of studies; it takes 4 "
        "in each group, or 3 and 5."
    )


def test_the_interval_of_the_shift_leaves_out_as_much_as_the_exact_test_does() -> None:
    """The normal approximation was a rank too wide in most small studies."""
    for m, n in [(3, 5), (3, 8), (4, 7), (5, 7), (6, 6), (8, 9), (20, 20), (12, 25), (30, 40)]:
        one, other = np.linspace(0, 1, m), np.linspace(100, 101, n) * np.pi
        differences = np.sort(np.subtract.outer(one, other).ravel())
        _, low, high = shift(one, other)
        end = int(np.searchsorted(differences, low)) + 1
        assert high == differences[-end]
        # U of one sample that is below the other in all pairs but so many
        p = [_p_of_u(u, m, n) for u in (end - 1, end)]
        assert p[0] <= 0.05
        assert p[1] > 0.05 or max(m, n) > 20


def _p_of_u(u: int, m: int, n: int) -> float:
    """Two-sided, from a sample with this U: the lowest ranks, of which the last are moved up."""
    ranks = np.arange(m)
    full, rest = divmod(u, n)
    ranks[m - full :] += n
    if rest:
        ranks[m - full - 1] += rest
    others = np.setdiff1d(np.arange(m + n), ranks)
    found = stats.mannwhitneyu(ranks, others, alternative="two-sided", method="exact")
    assert found.statistic == u
    return float(found.pvalue)


def test_of_what_is_called_different_few_are_not_when_many_measures_are_compared() -> None:
    rng = np.random.default_rng(3)
    false_shares = []
    for _ in range(25):
        group = np.repeat(["A", "B"], 15)
        table = pd.DataFrame({f"m{k}": rng.normal(0, 1, 30) for k in range(20)})
        for k in range(5):
            table.loc[group == "A", f"m{k}"] += 1.5
        found = compare_groups(table.assign(group=group), [f"m{k}" for k in range(20)])
        called = found[found["p_adjusted"] < 0.1]["measure"]
        false_shares.append(
            (~called.isin([f"m{k}" for k in range(5)])).mean() if len(called) else 0
        )
    assert np.mean(false_shares) < 0.13


values = st.lists(st.integers(-50, 50), min_size=3, max_size=12)


@given(values, values)
def test_delta_and_shift_turn_their_sign_when_the_groups_change_places(
    one: list[int], other: list[int]
) -> None:
    for measure in (cliffs_delta, shift):
        value, low, high = measure(one, other)
        back, back_low, back_high = measure(other, one)
        assert [back, back_low, back_high] == pytest.approx(
            [-value, -high, -low], abs=1e-6, nan_ok=True
        )
        if sorted([len(one), len(other)]) in ([3, 3], [3, 4]):
            assert np.isnan([low, high]).all()
        else:
            assert low - 1e-9 <= value <= high + 1e-9
    delta, low, high = cliffs_delta(one, other)
    pairs = np.sign(np.subtract.outer(one, other))
    assert delta == pytest.approx(pairs.mean())
    assert not low < -1
    assert not high > 1


def test_groups_that_do_not_overlap_still_have_an_interval() -> None:
    delta, low, high = cliffs_delta([5, 6, 7, 8], [1, 2, 3, 4])
    assert (delta, high) == (1.0, 1.0)
    assert 0 < low < 0.7


def test_more_than_two_groups_are_tested_together_and_in_pairs() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, 30) + np.repeat([0, 0, 3], 10)
    table = pd.DataFrame({"group": np.repeat(["A", "B", "C"], 10), "til": values})
    found = compare_groups(table, ["til"]).set_index("groups")
    assert list(found.index) == ["all", "A – B", "A – C", "B – C"]
    assert found.loc["all", "p"] == pytest.approx(
        stats.kruskal(values[:10], values[10:20], values[20:]).pvalue
    )
    assert found.loc["A – B", "p_adjusted"] > 0.05
    assert found.loc["A – C", "p_adjusted"] < 0.01
    assert found.loc["A – C", "delta"] < -0.8
    assert found.loc["all", "patients"] == "10 / 10 / 10"


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (
            {"group": ["A", "B"], "patient": ["P1", "P1"], "til": [1, 2]},
            "P1 is in the groups A and B",
        ),
        ({"group": ["A", "A"], "til": [1, 2]}, r"names 1 group; a comparison needs two"),
        ({"group": ["A", "B"], "til": ["high", "low"]}, "'til' holds something else than numbers"),
        # it was read as 1.2 beside 950
        (
            {"group": ["A", "B"], "til": ["1,200", "950"]},
            "commas of the column 'til' may be decimal",
        ),
        ({"grade": ["A", "B"], "til": [1, 2]}, "no column 'group'; choose one of grade, til"),
    ],
)
def test_what_cannot_be_compared_is_told(columns: dict[str, list[object]], sentence: str) -> None:
    with pytest.raises(CohortError, match=sentence):
        compare_groups(pd.DataFrame(columns), ["til"])


@pytest.mark.parametrize(
    ("values", "told", "medians"),
    [
        ([1, 2], "2 patients", "1.5 / 4"),
        ([1, None], "1 patient", "1 / 4"),
        ([None, None], "0 patients", "– / 4"),
    ],
)
def test_groups_that_are_too_small_have_a_row_with_the_reason(
    values: list[float | None], told: str, medians: str
) -> None:
    table = pd.DataFrame({"group": ["A", "A", "B", "B", "B"], "til": [*values, 3, 4, 5]})
    (row,) = compare_groups(table, ["til"]).to_dict("records")
    assert row["reason"] == (f"a group has {told} with this measure; a comparison needs 3 in each.")
    assert np.isnan(row["p"])
    assert row["medians"] == medians
