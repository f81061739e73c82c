"""How two measures of patients go together, by ranks: shape and outliers of either do not matter."""

import math
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from seg_core.cohort.compare import numbers_of, patients_of, slides_of

MIN_PATIENTS = 5

# So many patients have 362,880 orders, which are all looked at; with more, Student's t is close.
_MOST_EXACT = 9

_Z = float(stats.norm.ppf(0.975))


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """Spearman's rank correlation of two measures.

    Attributes
    ----------
    patients, slides : int
    rho : float
        -1 to 1; NaN where there are fewer than `MIN_PATIENTS`, or a measure is the same for all.
    low, high : float
        95 % interval (Bonett and Wright 2000, Psychometrika 65:23); NaN where rho is -1 or 1, of
        which it knows none.
    p : float
        Two-sided, exact for up to nine patients.
    """

    patients: int
    slides: int
    rho: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan


def rank_correlation(
    table: pd.DataFrame, one: str, other: str, *, patient: str = "patient"
) -> RankCorrelation:
    """Average two measures over each patient's slides and correlate their ranks.

    Parameters
    ----------
    table : DataFrame
        A row a slide, or a ROI of it, for instance of `seg_core.cohort.catalog.RunCatalog.cohort`.
    one, other : str
        Columns of numbers; rows without either are left out.
    patient : str
        Column. A slide without a patient counts as one of its own.

    Raises
    ------
    CohortError
        If a column holds no numbers.
    """
    rows = pd.DataFrame(
        {
            "patient": patients_of(table, patient),
            "slide": slides_of(table),
            "one": numbers_of(table[one], one),
            "other": numbers_of(table[other], other),
        }
    ).dropna()
    slides = rows.groupby(["patient", "slide"], sort=False).mean()
    means = slides.groupby("patient", sort=False).mean()
    found = RankCorrelation(len(means), len(slides))
    if len(means) < MIN_PATIENTS or (means.nunique() < 2).any():
        return found
    a, b = (stats.rankdata(means[name]) for name in ("one", "other"))
    rho = float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))
    low = high = math.nan
    if not math.isclose(abs(rho), 1):
        error = math.sqrt((1 + rho**2 / 2) / (len(a) - 3))
        low, high = (math.tanh(math.atanh(rho) + sign * _Z * error) for sign in (-1, 1))
    return RankCorrelation(found.patients, found.slides, rho, low, high, _p(a, b, rho))


def _p(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], rho: float) -> float:
    if len(a) > _MOST_EXACT:
        return float(stats.spearmanr(a, b).pvalue)
    orders = np.array(list(permutations(range(len(b)))))
    a, b = a - a.mean(), b - b.mean()
    of_all = b[orders] @ a / math.sqrt(a @ a * (b @ b))
    return float(np.mean(np.abs(of_all) >= abs(rho) - 1e-9))
