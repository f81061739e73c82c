"""Numbers below zero, as they are printed for people."""

import re

_HYPHEN = re.compile(r"(?<![\w.])-(?=[\d.])")


def with_minus(written: str) -> str:
    """Return written numbers with the sign of minus, where a computer writes a hyphen.

    A hyphen is shorter than the plus that stands above it in a table, and may end a line. Files that
    programs read keep it.

    Examples
    --------
    >>> with_minus("-0.25 to +0.75")
    '−0.25 to +0.75'
    >>> with_minus("1e-05, T-1")
    '1e-05, T-1'
    """
    return _HYPHEN.sub("−", written)
