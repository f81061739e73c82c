"""A TIL assessment as tables: the scores with their formulas, and the curves of its plots."""

from dataclasses import asdict

import pandas as pd

from seg_core.til.result import TilResult
from seg_core.til.score import Score

TABLE_COLUMNS = (
    *("score", "value", "low", "high", "unit", "note", "formula", "source", "inputs"),
    "tumour_rois",
)
"""Of `score_table`; ``note`` is the reason where a value or its interval is missing, or a caution."""


def score_table(result: TilResult) -> pd.DataFrame:
    """Return a row for each score.

    Parameters
    ----------
    result : TilResult

    Returns
    -------
    table : DataFrame
        With `TABLE_COLUMNS`; ``low`` and ``high`` are the ends of the 95 % interval, ``inputs``
        the numbers that go into the formula, as text, ``tumour_rois`` the names of the ROIs that E
        and S lie in, the same in each row and empty where no tumour was drawn.
    """
    tumour = ", ".join(result.tumour.names) if result.tumour else ""
    rows = [
        (
            *(score.label, score.value, score.estimate.low, score.estimate.high, score.unit),
            *(_note(score), score.formula, score.source, score.inputs, tumour),
        )
        for score in result.scores
    ]
    return pd.DataFrame(rows, columns=list(TABLE_COLUMNS))


def formula_table(result: TilResult) -> pd.DataFrame:
    """Return a row for each formula: ``scores`` that it gives, ``formula``, ``source``, ``inputs``.

    What goes into a formula is told once, by score only where it is not the same for all of them.
    """
    by_formula: dict[tuple[str, str], list[Score]] = {}
    for score in result.scores:
        by_formula.setdefault((score.formula, score.source), []).append(score)
    rows = []
    for (formula, source), scores in by_formula.items():
        inputs = list(dict.fromkeys(score.inputs for score in scores))
        if len(inputs) > 1:
            inputs = [f"{score.label}: {score.inputs}" for score in scores]
        names = "; ".join(score.label for score in scores)
        rows.append((names, formula, source, "; ".join(inputs)))
    return pd.DataFrame(rows, columns=["scores", "formula", "source", "inputs"])


def _note(score: Score) -> str:
    return score.estimate.reason or score.estimate.caution or ""


def dilation_table(result: TilResult) -> pd.DataFrame:
    """Return the area score at each dilation."""
    columns = ["dilation_um", "stil_area_pct", "epithelium_mm2", "stroma_mm2"]
    return pd.DataFrame([asdict(each) for each in result.sensitivity], columns=columns)


def cross_table(result: TilResult) -> pd.DataFrame:
    """Return cross-type L and G with their envelopes, a row for each radius."""
    names = ("radius_um", "l_um", "l_low_um", "l_high_um", "g", "g_low", "g_high")
    columns = {name: pd.Series(getattr(result.cross, name), dtype=float) for name in names}
    return pd.DataFrame(columns)
