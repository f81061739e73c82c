"""Which series a DICOM file belongs to: one slide is a series, and each of its levels is a file.

A file is a list of elements in the order of their tags: DICOM PS3.5, sections 7.1 and 7.5. Those of
other files that it refers to stand in sequences and have a series of their own, so the elements are
walked through one by one; their values are passed over and not read.
"""

import os
from typing import IO

_PREAMBLE_BYTES = 132

_SYNTAX, _SERIES = (0x0002, 0x0010), (0x0020, 0x000E)
_ITEM, _END_OF_ITEM, _END_OF_SEQUENCE = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)

# A file of the first does not say of what kind a value is; the others, big endian and packed, are
# read by hardly anybody.
_IMPLICIT = b"1.2.840.10008.1.2"
_UNREAD = (b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99")

# Kinds of values whose length takes four bytes after two that say nothing.
_LONG_KINDS = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
_NO_LENGTH = 0xFFFFFFFF
_MOST_UID_BYTES = 64

# Before the series stand some dozen in a file of a scanner.
_MOST_ELEMENTS = 20_000

_Tag = tuple[int, int]


def series_in(file: IO[bytes]) -> str:
    """Return the Series Instance UID of a DICOM file, empty where it has none.

    Parameters
    ----------
    file : binary file
        Of which is known that it begins as DICOM does.
    """
    file.seek(_PREAMBLE_BYTES)
    depth, syntax = 0, b""
    for _ in range(_MOST_ELEMENTS):
        tag, length = _next_element(file, is_implicit=syntax == _IMPLICIT)
        if tag in (_END_OF_ITEM, _END_OF_SEQUENCE):
            depth -= 1
        elif length == _NO_LENGTH:
            depth += 1
        elif depth > 0:
            file.seek(length, os.SEEK_CUR)
        elif tag == _SERIES:
            return _uid(file, length).decode("latin-1")
        elif tag == _SYNTAX:
            syntax = _uid(file, length)
            if syntax in _UNREAD:
                return ""
        elif tag > _SERIES:  # also of nothing, at the end of the file
            return ""
        else:
            file.seek(length, os.SEEK_CUR)
    return ""


def _next_element(file: IO[bytes], *, is_implicit: bool) -> tuple[_Tag, int]:
    """Return the tag and the length of the element that comes, and leave the file at its value."""
    head = file.read(8)
    if len(head) < 8:
        return (0xFFFF, 0xFFFF), 0
    tag = (int.from_bytes(head[:2], "little"), int.from_bytes(head[2:4], "little"))
    if tag[0] == _ITEM[0] or (is_implicit and tag[0] > _SYNTAX[0]):
        return tag, int.from_bytes(head[4:], "little")
    if head[4:6] in _LONG_KINDS:
        return tag, int.from_bytes(file.read(4), "little")
    return tag, int.from_bytes(head[6:], "little")


def _uid(file: IO[bytes], length: int) -> bytes:
    value = file.read(min(length, _MOST_UID_BYTES))
    file.seek(length - len(value), os.SEEK_CUR)
    return value.rstrip(b"\0 ")
