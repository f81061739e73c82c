"""How a figure is rounded: one rule, wherever it is read."""

import pandas as pd

from seg_core.minus import with_minus


def in_percent(value: float | None) -> str:
    """Return per cents with two digits behind the point, a dash for nothing.

    Examples
    --------
    >>> in_percent(0.2593), in_percent(12.0), in_percent(None)
    ('0.26', '12.00', '–')
    """
    if value is None or pd.isna(value):
        return "–"
    return with_minus(f"{value:.2f}")


def in_digits(value: str | float | None) -> str:
    """Return a number with three digits that count, a word as it is, a dash for nothing.

    Examples
    --------
    >>> in_digits(1234.5), in_digits(-0.012345), in_digits(None), in_digits("desert")
    ('1,234', '−0.0123', '–', 'desert')
    """
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return "–"
    return with_minus(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}")


def in_unit(value: str | float | None, unit: str) -> str:
    """Return a figure as its unit asks for.

    Examples
    --------
    >>> in_unit(0.2593, "% of stroma"), in_unit(0.2593, "per mm²"), in_unit("desert", "")
    ('0.26', '0.259', 'desert')
    """
    if isinstance(value, str) or not unit.startswith("%"):
        return in_digits(value)
    return in_percent(value)
