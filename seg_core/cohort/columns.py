"""The columns of a cohort's table: which are measures, which name groups, what a reader calls them."""

import re
from typing import Any

import numpy as np
import pandas as pd

USUAL_MEASURES = ("til_pct", "lymphocyte_per_mm2", "til_stroma_per_mm2")
"""What is compared where nobody chooses."""

_NO_MEASURES = {
    *("seconds", "megapixels", "peak_rss_mb", "mpp", "til_low", "til_high", "til_evaluable"),
    *("patient", "group"),  # numbers may stand for them
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
    "etils_pct": "eTILs, %",
    "tissue_mm2": "tissue, mm²",
    "epithelium_mm2": "epithelium, mm²",
    "stroma_mm2": "stroma, mm²",
    "tumour_rois": "tumour as drawn",
    "til_reason": "why no TIL score",
    "til_evaluable": "TIL score evaluable",
    "seconds": "time of work, s",
    "peak_rss_mb": "memory, MB",
    "mpp": "µm/px",
    "name": "name of the analysis",
}


_ENDS = {"low": "from", "high": "to"}


def title_of(column: str) -> str:
    """Return what a reader calls a column.

    Examples
    --------
    >>> title_of("til_pct"), title_of("lymphocyte_per_mm2"), title_of("Stage")
    ('TIL score, %', 'lymphocyte per mm²', 'Stage')
    >>> title_of("lymphocyte_per_mm2_low"), title_of("count_lymphocyte")
    ('lymphocyte per mm², from', 'lymphocyte, count')
    """
    if column in _TITLES:
        return _TITLES[column]
    if (end := re.fullmatch(r"(.+)_(low|high)", column)) is not None:
        title = title_of(end[1])
        return column if title == end[1] else f"{title}, {_ENDS[end[2]]}"
    if (density := re.fullmatch(r"(.+)_per_mm2", column)) is not None:
        return f"{density[1]} per mm²"
    if (counted := re.fullmatch(r"count_(.+)", column)) is not None:
        return f"{counted[1]}, count"
    return column


_UNKNOWN = {"", "na", "n/a", "#n/a", "nan", "null"}


def is_unknown(cell: object) -> bool:
    """Tell whether a cell of somebody's table says that nothing is known.

    Examples
    --------
    >>> [is_unknown(cell) for cell in ("", "N/A", "none", "3+")]
    [True, True, False, False]
    """
    return isinstance(cell, str) and cell.strip().casefold() in _UNKNOWN


def known(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column with nothing where nothing is known."""
    return column.mask(column.map(is_unknown)) if column.dtype == object else column


# Where a comma may part thousands.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


def has_doubtful_commas(column: "pd.Series[Any]") -> bool:
    """Tell whether commas of a column may stand for the point or part thousands.

    They may part them where each is followed by three digits and smaller numbers have none: who writes
    three decimals writes them everywhere.

    Examples
    --------
    >>> [has_doubtful_commas(pd.Series(cells)) for cells in (["1,200", "950"], ["1,250", "0,950"])]
    [True, False]
    """
    cells = [cell.strip() for cell in known(column).dropna() if isinstance(cell, str)]
    parted = [cell for cell in cells if "," in cell]
    return 0 < len(parted) < len(cells) and all(map(_THOUSANDS.fullmatch, parted))


def numbers_in(column: "pd.Series[Any]") -> "pd.Series[float] | None":
    """Return a column as numbers, NaN where nothing is known; None where words stand in it.

    So it is where nobody can tell what its commas mean, see `has_doubtful_commas`.

    Examples
    --------
    >>> numbers_in(pd.Series(["1,5", "NA", "2"], dtype=object)).tolist()
    [1.5, nan, 2.0]
    >>> numbers_in(pd.Series(["1+", "2"], dtype=object)) is None
    True
    """
    if column.dtype == bool:
        return None
    told = known(column)
    if told.dtype == object:
        if has_doubtful_commas(told):
            return None
        # spreadsheets of some languages write a comma for the point
        told = told.map(lambda cell: cell.replace(",", ".") if isinstance(cell, str) else cell)
    try:
        return pd.to_numeric(told).astype(np.float64)
    except (ValueError, TypeError):
        return None


def measures_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of numbers that differ among the slides."""
    return [
        str(name)
        for name in table.columns
        if name not in _NO_MEASURES and _differs(numbers_in(table[name]))
    ]


def groupings_of(table: pd.DataFrame) -> list[str]:
    """Return the columns that name at least two groups and more slides than groups."""
    return [
        str(name)
        for name in table.columns
        if name not in _NO_GROUPS
        and table[name].dtype == object
        and 2 <= known(table[name]).nunique() < max(len(table), 3)
    ]


def _differs(numbers: "pd.Series[float] | None") -> bool:
    return numbers is not None and bool(numbers.min() < numbers.max())
