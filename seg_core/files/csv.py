"""The one way in which tables become CSV: UTF-8, for spreadsheets and for programs.

A spreadsheet takes a cell that begins with ``=`` for a formula, which may send what stands beside it
to anybody; names come from files that others have written. Excel needs a byte-order mark for
letters beyond ASCII, and other readers (R's ``read.csv`` among them) take it for a part of the first
column's name, so it is there only where there are such letters.
"""

from typing import Any, TextIO

import pandas as pd

# How a cell begins that a spreadsheet may calculate; see OWASP, CSV injection.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_MARK = "\ufeff"


def write_csv(table: pd.DataFrame, file: TextIO, *, header: bool = True, later: str = "") -> None:
    """Write a table, or more rows of one; text that would be a formula gets an apostrophe.

    Parameters
    ----------
    table : DataFrame
    file : text file
        Opened with ``newline=""`` as UTF-8.
    header : bool
        Write the names of the columns; only then may a byte-order mark come first.
    later : str
        Words that rows to come may hold.
    """
    text = csv_text(table, header=header)
    if header and text.isascii() and not later.isascii():
        text = f"{_MARK}{text}"
    file.write(text)


def csv_text(table: pd.DataFrame, *, header: bool = True) -> str:
    r"""Return what `write_csv` writes.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"part": ["=1+2", "left"], "x": [-1, 2]}))
    "part,x\n'=1+2,-1\nleft,2\n"
    """
    safe = table.copy(deep=False)
    for name in safe.columns:
        if safe[name].dtype == object or isinstance(safe[name].dtype, pd.StringDtype):
            safe[name] = safe[name].map(_harmless)
        elif isinstance(safe[name].dtype, pd.CategoricalDtype):
            safe[name] = safe[name].astype(object).map(_harmless)
    text = safe.rename(columns=_harmless).to_csv(index=False, header=header, lineterminator="\n")
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if text.isascii() or not header else f"{_MARK}{text}"


def _harmless(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = value.replace("\r\n", "\n").replace("\r", "\n")  # which is quoted, unlike the former
    return f"'{value}" if value.startswith(_FORMULA) else value
