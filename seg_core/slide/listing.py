"""Which files of a folder are slides, one entry each."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from seg_core.slide.formats import DICOM, SLIDE_SUFFIXES, head_of

# The first of DICOM's elements that are needed here lie well before the pixels.
_HEAD_BYTES = 64 * 1024
# Series Instance UID, (0020,000E), explicit type, little endian: its length and text follow.
_SERIES = re.compile(rb"\x20\x00\x0e\x00UI(..)", re.DOTALL)

# What systems leave in folders: ".DS_Store", "._slide.svs", "Thumbs.db".
_STRAYS = ("thumbs.db", "desktop.ini")


def slides_among(files: Iterable[Path]) -> list[Path]:
    """Return the files that may be slides, a DICOM series as one, in the order of their names.

    A file without suffix counts if it begins as DICOM does, which archives name by numbers.
    """
    found = [path for path in files if _may_be_slide(path)]
    return series_apart(sorted(found, key=lambda path: str(path).casefold()))


def series_apart(files: Sequence[Path]) -> list[Path]:
    """Leave out all but the first file of each DICOM series: any of them opens the whole slide."""
    kept: list[Path] = []
    seen: set[tuple[Path, str]] = set()
    for path in files:
        series = series_of(path)
        if series is not None:
            if (path.parent, series) in seen:
                continue
            seen.add((path.parent, series))
        kept.append(path)
    return kept


def series_of(path: Path) -> str | None:
    """Return the series that a DICOM file belongs to, empty where it does not say; else None."""
    if path.suffix and path.suffix.lower() not in DICOM.suffixes:
        return None
    try:
        head = head_of(path, _HEAD_BYTES)
    except OSError:
        return None
    if not DICOM.is_begun_by(head):
        return None
    found = _SERIES.search(head)
    if found is None:
        return ""
    length = int.from_bytes(found[1], "little")
    return head[found.end() : found.end() + length].rstrip(b"\0 ").decode("latin-1")


def _may_be_slide(path: Path) -> bool:
    if path.name.startswith(".") or path.name.casefold() in _STRAYS:
        return False
    if path.suffix.lower() not in SLIDE_SUFFIXES and path.suffix:
        return False
    try:
        if not path.is_file():
            return False
    except OSError:  # a name that the system refuses, or a link that turns in a circle
        return False
    return bool(path.suffix) or series_of(path) is not None
