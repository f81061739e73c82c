"""The columns of a cohort's table: which are measures, which name groups, what a reader calls them."""

import re

import numpy as np
import pandas as pd

USUAL_MEASURES = ("til_pct", "lymphocyte_per_mm2", "til_stroma_per_mm2")
"""What is compared where nobody chooses."""

_NO_MEASURES = {
    *("seconds", "megapixels", "peak_rss_mb", "mpp", "til_low", "til_high", "til_evaluable"),
}

_NO_GROUPS = {
    *("slide", "folder", "slide_path", "cohort", "patient", "error", "warnings", "settings"),
    *("started", "finished", "state", "status", "model", "model_sha256", "engine"),
}

_TITLES = {
    "til_pct": "TIL score, %",
    "til_low": "TIL score from, %",
    "til_high": "TIL score to, %",
    "til_tiger_pct": "TIGER-style score, %",
    "til_per_mm2": "TILs per mm² of tissue",
    "til_stroma_per_mm2": "TILs per mm² of stroma",
    "etils_pct": "lymphocytes in epithelium, %",
    "tissue_mm2": "tissue, mm²",
    "tumour_mm2": "epithelium, mm²",
    "stroma_mm2": "stroma, mm²",
}


def title_of(column: str) -> str:
    """Return what a reader calls a column.

    Examples
    --------
    >>> title_of("til_pct"), title_of("lymphocyte_per_mm2"), title_of("Stage")
    ('TIL score, %', 'lymphocyte per mm²', 'Stage')
    """
    if column in _TITLES:
        return _TITLES[column]
    if (density := re.fullmatch(r"(.+)_per_mm2", column)) is not None:
        return f"{density[1]} per mm²"
    return column


def measures_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of numbers that differ among the slides."""
    return [
        str(name)
        for name in table.columns
        if name not in _NO_MEASURES and _differs(_numbers(table[name]))
    ]


def groupings_of(table: pd.DataFrame) -> list[str]:
    """Return the columns that name at least two groups and more slides than groups."""
    return [
        str(name)
        for name in table.columns
        if name not in _NO_GROUPS
        and table[name].dtype == object
        and 2 <= table[name].nunique() < max(len(table), 3)
    ]


def _differs(numbers: "pd.Series[float]") -> bool:
    return bool(numbers.min() < numbers.max())


def _numbers(column: "pd.Series[float]") -> "pd.Series[float]":
    if column.dtype == bool:
        return pd.Series(np.nan, index=column.index)
    return pd.to_numeric(column, errors="coerce")
