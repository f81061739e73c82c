"""Compare groups of patients by what was measured on their slides.

What is independent is a patient, not a slide, a ROI or a nucleus: ROIs are averaged to their slide,
slides to their patient, and *n* counts patients. The figures suit small groups and skewed measures:

- the two-sided rank test of Mann and Whitney, exact where there are no ties and few patients;
- the shift, the median of all differences between a patient of one group and one of the other
  (Hodges and Lehmann 1963), with the interval that belongs to the test (Hollander and Wolfe 1999,
  section 4.3; exact for groups of up to 20), in the measure's own unit;
- Cliff's delta, how much more often a patient of the first group has the higher value than the
  lower one: 0 none, 1 always. Its interval is Newcombe's fifth (2006, Statistics in Medicine
  25:559), which holds for few patients and for groups that do not overlap;
- neither interval where even all differences, from the least to the greatest, hold the true shift in
  fewer than 95 % of studies: three patients against three, or against four;
- where there are more than two groups, the test of Kruskal and Wallis over all of them too;
- p-values adjusted over all that is compared (Benjamini and Hochberg 1995).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, stats

from seg_core.cohort.columns import has_doubtful_commas, known, numbers_in
from seg_core.digits import in_digits
from seg_core.errors import CohortError, counted

MIN_PATIENTS = 3
"""Of each group. Two against two cannot give a p below 0.33 whatever is measured."""

METHOD = (
    "A patient's slides are averaged first: n are patients, and a slide without a patient counts as "
    "one of its own. p is of the rank test of Mann and Whitney, of Kruskal and Wallis where all "
    "groups are tested; adjusted is for all that is compared here (Benjamini and Hochberg). The "
    "shift is the median difference between a patient of the first group and one of the second "
    "(Hodges and Lehmann), in the measure's unit. Delta tells how much more often the first has the "
    "higher value (Cliff): 0 no difference, 1 always, −1 never. Both have 95 % intervals, delta's "
    "an approximate one; three patients against three or four are too few for any. "
    "For research only."
)
"""How `compare_groups` compares, for a reader."""

_Z = float(stats.norm.ppf(0.975))

_MOST_EXACT = 20
"""Of each group; with more, the normal approximation is at most a rank too wide."""

_TINY = 1e-12

_OWN = "slide in row"

_Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two groups, or all of them, by one measure.

    Attributes
    ----------
    measure : str
    groups : str
        As *A – B*; *all* for the test over more than two groups.
    patients, slides : str
        How many in each group.
    medians : str
        Of the patients of each group.
    shift, shift_low, shift_high : float
        First group less second, in the measure's unit, with its 95 % interval; NaN for *all*.
    delta, delta_low, delta_high : float
        Cliff's delta with its 95 % interval; NaN for *all*. The ends of both are NaN where there are too
        few patients for an interval.
    p, p_adjusted : float
        NaN where there is no test.
    reason : str or None
        Why there is no test, or no interval.
    """

    measure: str
    groups: str
    patients: str
    slides: str
    medians: str
    shift: float = math.nan
    shift_low: float = math.nan
    shift_high: float = math.nan
    delta: float = math.nan
    delta_low: float = math.nan
    delta_high: float = math.nan
    p: float = math.nan
    p_adjusted: float = math.nan
    reason: str | None = None


def by_patient(
    table: pd.DataFrame, measure: str, *, group: str = "group", patient: str = "patient"
) -> pd.DataFrame:
    """Average a measure over the slides of each patient.

    Parameters
    ----------
    table : DataFrame
        A row a slide, or a ROI of it, for instance of `seg_core.cohort.catalog.RunCatalog.cohort`.
    measure, group, patient : str
        Columns. A slide without a patient counts as one of its own; rows without group or measure
        are left out, and those of one slide (`slides_of`) are averaged first.

    Returns
    -------
    patients : DataFrame
        ``patient``, ``group``, ``value`` and ``slides``, how many were averaged.

    Raises
    ------
    CohortError
        If a column is missing or holds no numbers, or a patient is in two groups.
    """
    for name in (measure, group):
        if name not in table:
            raise CohortError(
                f"there is no column {name!r}; choose one of {', '.join(map(str, table.columns))}."
            )
    found = pd.DataFrame(
        {
            "patient": patients_of(table, patient),
            "group": known(table[group]),
            "slide": slides_of(table),
            "value": numbers_of(table[measure], measure),
        }
    ).dropna()
    _refuse_two_groups(found)
    slides = found.groupby(["patient", "group", "slide"], sort=False)["value"].mean()
    return (
        slides.groupby(["patient", "group"], sort=False)
        .agg(value="mean", slides="size")
        .reset_index()
    )


def patients_of(table: pd.DataFrame, patient: str = "patient") -> "pd.Series[str]":
    """Return whose slide each row is; a slide without a patient is a patient of its own."""
    own = pd.Series([f"{_OWN} {row}" for row in slides_of(table)], index=table.index)
    return known(table.get(patient, own)).fillna(own).astype(str)


def slides_of(table: pd.DataFrame) -> list[int]:
    """Return the number of the slide of each row, which is that of its first row.

    ROIs of a slide are rows of their own and no more independent than the nuclei in them. Where no
    column says which slides they are of, each row is of another one.
    """
    first: dict[str, int] = {}
    paths = map(str, table.get("slide_path", pd.Series(range(len(table)))))
    return [first.setdefault(path, row) for row, path in enumerate(paths)]


def numbers_of(column: "pd.Series[Any]", name: str) -> _Values:
    """Return a column as numbers, NaN where nothing stands.

    Raises
    ------
    CohortError
        If it holds something else.
    """
    numbers = numbers_in(column)
    if numbers is None and has_doubtful_commas(column):
        raise CohortError(
            f"the commas of the column {name!r} may be decimal ones or part thousands; write its numbers "
            "with a point, and without anything between thousands."
        )
    if numbers is None:
        raise CohortError(
            f"the column {name!r} holds something else than numbers; choose a measure."
        )
    values: _Values = np.asarray(numbers, np.float64)
    return values


def compare_groups(
    table: pd.DataFrame,
    measures: Sequence[str],
    *,
    group: str = "group",
    patient: str = "patient",
) -> pd.DataFrame:
    """Compare all pairs of groups by some measures.

    Parameters
    ----------
    table, group, patient
        As for `by_patient`.
    measures : sequence of str
        Columns of numbers.

    Returns
    -------
    comparisons : DataFrame
        A row a `Comparison`; p-values are adjusted over all rows.

    Raises
    ------
    CohortError
        If a column is missing or holds no numbers, a patient is in two groups, or there is one
        group only.
    """
    rows: list[Comparison] = []
    for measure in measures:
        patients = by_patient(table, measure, group=group, patient=patient)
        names = sorted(known(table[group]).dropna().unique(), key=str)
        if len(names) < 2:
            raise CohortError(
                f"the column {group!r} names {counted(len(names), 'group')}; a comparison needs two "
                "or more."
            )
        parts = [patients[patients["group"] == name] for name in names]
        if len(names) > 2:
            rows.append(_all_groups(measure, parts))
        rows += [
            _pair(measure, f"{one} – {other}", parts[i], parts[k])
            for (i, one), (k, other) in combinations(enumerate(names), 2)
        ]
    found = pd.DataFrame([asdict(row) for row in rows])
    tested = found["p"].notna()
    if tested.any():
        found.loc[tested, "p_adjusted"] = stats.false_discovery_control(found.loc[tested, "p"])
    return found


def reasons_in_words(comparisons: pd.DataFrame) -> list[str]:
    """Return why comparisons have no test, or no intervals, each reason once."""
    missing = comparisons.dropna(subset="reason")
    words = [
        f"{'No test' if pd.isna(p) else 'No intervals'}: {reason}"
        for p, reason in zip(missing["p"], missing["reason"], strict=True)
    ]
    return list(dict.fromkeys(words))


def rank_test(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Return the two-sided p-value of the Mann-Whitney test."""
    return float(stats.mannwhitneyu(one, other, alternative="two-sided").pvalue)


def shift(one: npt.ArrayLike, other: npt.ArrayLike) -> tuple[float, float, float]:
    """Return the Hodges-Lehmann shift, first less second, and its 95 % interval.

    The ends are NaN where no interval of differences reaches 95 %.

    Examples
    --------
    >>> shift([4, 5, 6, 7, 8], [1, 2, 3, 4, 5])
    (3.0, 0.0, 6.0)
    """
    a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    differences = np.sort((a[:, None] - b[None, :]).ravel())
    value, end = float(np.median(differences)), _end_of_interval(len(a), len(b))
    if not end:
        return value, math.nan, math.nan
    return value, float(differences[end - 1]), float(differences[-end])


@lru_cache
def _end_of_interval(m: int, n: int) -> int:
    """Return which of all sorted differences bounds the 95 % interval, from either end; 0: none does.

    The interval from the k-th least to the k-th greatest misses the truth where Mann and Whitney's U
    is below k, or as far from its other end.
    """
    if max(m, n) > _MOST_EXACT:
        return math.floor(m * n / 2 - _Z * math.sqrt(m * n * (m + n + 1) / 12))
    # the orders of both groups by their U: the Gaussian binomial coefficient
    orders = np.zeros(m * n + 1, np.int64)
    orders[0] = 1
    for i in range(1, m + 1):
        factor = n + i
        orders[factor:] -= orders[:-factor].copy()
        for u in range(i, len(orders)):
            orders[u] += orders[u - i]
    return int(np.count_nonzero(40 * np.cumsum(orders) <= math.comb(m + n, m)))


def cliffs_delta(one: npt.ArrayLike, other: npt.ArrayLike) -> tuple[float, float, float]:
    """Return Cliff's delta and its 95 % interval; its ends are NaN where a shift has none.

    Examples
    --------
    >>> tuple(round(value, 2) for value in cliffs_delta([4, 5, 6, 7, 8], [1, 2, 3, 4, 5]))
    (0.84, 0.09, 0.98)
    """
    a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    m, n = len(a), len(b)
    statistic = stats.mannwhitneyu(a, b, method="asymptotic").statistic
    theta = float(statistic) / (m * n)
    if not _end_of_interval(m, n):
        return 2 * theta - 1, math.nan, math.nan

    def error(truth: float) -> float:
        """Return the standard error of theta if this were the truth (Newcombe 2006, method 5)."""
        others = (m + n) / 2 - 1
        spread = 1 + others * ((1 - truth) / (2 - truth) + truth / (1 + truth))
        return math.sqrt(truth * (1 - truth) * spread / (m * n))

    def excess(truth: float) -> float:
        return abs(theta - truth) - _Z * error(truth)

    # at 0 and 1 themselves the error vanishes, which would be a root that is none
    low = 0.0 if theta == 0 else optimize.brentq(excess, 0.0, min(theta, 1 - _TINY))
    high = 1.0 if theta == 1 else optimize.brentq(excess, max(theta, _TINY), 1.0)
    return 2 * theta - 1, 2 * low - 1, 2 * high - 1


def _pair(measure: str, groups: str, one: pd.DataFrame, other: pd.DataFrame) -> Comparison:
    told = _told(measure, groups, [one, other])
    if told.reason is not None:
        return told
    a, b = one["value"].to_numpy(), other["value"].to_numpy()
    moved, moved_low, moved_high = shift(a, b)
    delta, delta_low, delta_high = cliffs_delta(a, b)
    return replace(
        told,
        shift=moved,
        shift_low=moved_low,
        shift_high=moved_high,
        delta=delta,
        delta_low=delta_low,
        delta_high=delta_high,
        p=rank_test(a, b),
        reason=_no_interval(len(a), len(b)),
    )


def _all_groups(measure: str, parts: list[pd.DataFrame]) -> Comparison:
    told = _told(measure, "all", parts)
    if told.reason is not None:
        return told
    values = [part["value"].to_numpy() for part in parts]
    if len(np.unique(np.concatenate(values))) == 1:
        return replace(told, p=1.0)  # all are equal, which the test cannot rank
    return replace(told, p=float(stats.kruskal(*values).pvalue))


def _told(measure: str, groups: str, parts: list[pd.DataFrame]) -> Comparison:
    """Return what is compared, and the reason where it cannot be."""
    return Comparison(
        measure=measure,
        groups=groups,
        patients=" / ".join(str(len(part)) for part in parts),
        slides=" / ".join(str(part["slides"].sum()) for part in parts),
        medians=" / ".join(in_digits(part["value"].median(), 4) for part in parts),
        reason=_too_few(parts),
    )


def _too_few(parts: list[pd.DataFrame]) -> str | None:
    fewest = min(len(part) for part in parts)
    if fewest >= MIN_PATIENTS:
        return None
    return (
        f"a group has {counted(fewest, 'patient')} with this measure; a comparison needs "
        f"{MIN_PATIENTS} in each."
    )


def _no_interval(m: int, n: int) -> str | None:
    if _end_of_interval(m, n):
        return None
    held = in_digits(100 * (1 - 2 / math.comb(m + n, m)), 3)
    return (
        f"{m} and {counted(n, 'patient')} are too few for 95 % intervals: all their differences, from the "
        f"least to the greatest, would hold the true shift in {held} % of studies; it takes 4 in each "
        "group, or 3 and 5."
    )


def _refuse_two_groups(found: pd.DataFrame) -> None:
    groups = found.groupby("patient")["group"].unique()
    for name, its in groups[groups.map(len) > 1].items():
        who = "a slide without a patient" if str(name).startswith(_OWN) else f"the patient {name}"
        raise CohortError(
            f"{who} is in the groups {' and '.join(map(str, its))}; put all slides of "
            "a patient into one group, or compare a column that is the same for all of them."
        )
