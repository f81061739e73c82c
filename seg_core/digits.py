"""How a figure is rounded: one rule, wherever it is read."""

import numpy as np
import pandas as pd

from seg_core.minus import with_minus

# Below it Python's own rounding to digits goes over to powers of ten.
_SMALLEST_WRITTEN_OUT = 1e-4


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


def in_digits(value: str | float | None, digits: int = 3) -> str:
    """Return a number with so many digits that count, a word as it is, a dash for nothing.

    All digits before the point stand, and never a power of ten in their place.

    Examples
    --------
    >>> in_digits(1234.5), in_digits(-0.012345), in_digits(None), in_digits("desert")
    ('1,234', '−0.0123', '–', 'desert')
    >>> in_digits(999.6), in_digits(0.123456, 4), in_digits(1234.5, 4), in_digits(12345.6, 4)
    ('1,000', '0.1235', '1,234', '12,346')
    >>> in_digits(0.00000498)
    '0.00000498'
    """
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return "–"
    if abs(value) >= 10**digits - 0.5:
        return with_minus(f"{value:,.0f}")
    if 0 < abs(value) < _SMALLEST_WRITTEN_OUT:
        return with_minus(
            np.format_float_positional(value, digits, unique=False, fractional=False, trim="-")
        )
    return with_minus(f"{value:,.{digits}g}")


def to_digits(values: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """Round numbers as `in_digits` does, for a table that writes them itself.

    Parameters
    ----------
    values : DataFrame
        Numbers; what is missing stays so.
    digits : int

    Examples
    --------
    >>> to_digits(pd.DataFrame({"per mm²": [1234.56, 0.1234, 15.96, 0.0, np.nan]}))["per mm²"].tolist()
    [1235.0, 0.123, 16.0, 0.0, nan]
    """
    before_point = np.floor(np.log10(values.abs().where(values != 0, 1.0))) + 1
    # ten to a power that a number can hold
    places = 10.0 ** np.clip(digits - before_point, 0, 300)
    return (values * places).round() / places


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
