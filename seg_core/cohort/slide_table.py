"""The table of a cohort as people write it: a CSV with a row a slide, read row by row.

What is wrong with one row is that row's problem; what is wrong with the table is refused.
"""

import codecs
import csv
from collections import Counter
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from seg_core.errors import CohortError
from seg_core.files.names import listed

SLIDE, MPP, ROI, PATIENT, GROUP = KNOWN = ("slide", "mpp", "roi", "patient", "group")
"""The columns that mean something; capitals in their names do not matter."""

_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


@dataclass(frozen=True, slots=True)
class Row:
    """What stands in a row.

    Attributes
    ----------
    number : int
        As a spreadsheet counts, which calls the names of the columns row 1.
    cells : dict of str
        By column, without blanks around; *slide* is always there.
    problem : str or None
        Why its cells cannot be told apart, as the rest of a sentence that begins with the row.
    """

    number: int
    cells: dict[str, str]
    problem: str | None = None


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a table, without those in which nothing stands.

    Commas, semicolons or tabs separate columns, whichever the first row has most of; UTF-8, or
    UTF-16 with its mark.

    Raises
    ------
    CohortError
        If there is no such file, it is no CSV, or its columns are not to be told apart.
    """
    text = _text_of(path)
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    try:
        # strictly: a quotation mark that is never closed would swallow the rows after it
        records = list(csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise _unreadable(path, error) from error
    if not records:
        raise _unreadable(path, "it is empty")
    names = _names_of(path, records[0])
    rows: list[Row] = []
    for number, record in enumerate(records[1:], start=2):
        cells = [cell.strip() for cell in record]
        if not any(cells):
            continue
        problem = None
        if any(cells[len(names) :]):
            problem = (
                f"has {len(cells)} cells where the first row has {len(names)}; put quotation marks "
                f"around what has {_SEPARATORS[separator]} in it."
            )
        cells += [""] * (len(names) - len(cells))
        rows.append(Row(number, dict(zip(names, cells, strict=False)), problem))
    unnamed = [
        name
        for name, title in zip(names, records[0], strict=True)
        if not title.strip() and not any(row.cells[name] for row in rows)
    ]
    for row in rows:
        for name in unnamed:
            del row.cells[name]
    return rows


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise CohortError(f"there is no {path}; check the name.") from None
    except OSError as error:
        raise _unreadable(path, error.strerror) from error
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, error) from error
    if "\0" in text:
        raise _unreadable(path, "it holds bytes that are no text")
    return text


def _names_of(path: Path, titles: list[str]) -> list[str]:
    """Return the names of the columns; one without a title is called by its place."""
    names = [title.strip() or f"column {place}" for place, title in enumerate(titles, start=1)]
    names = [name.casefold() if name.casefold() in KNOWN else name for name in names]
    # letters' size does not tell columns apart, as it does not in SQL
    times = Counter(name.casefold() for name in names)
    repeated = [name for name, count in times.items() if count > 1]
    if repeated:
        raise CohortError(
            f"{path.name} has several columns called {listed(repeated)}; give each its own name."
        )
    if SLIDE not in names:
        raise CohortError(
            f"{path.name} has the columns {listed(names)} and none called slide; "
            "name the column with the files slide."
        )
    return names


def _unreadable(path: Path, reason: object) -> CohortError:
    return CohortError(
        f"{path.name} cannot be read as a CSV ({reason}); save the table as CSV in UTF-8."
    )
