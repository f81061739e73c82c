"""Which series a DICOM file belongs to, and whether its frames lie where it says.

One slide is a series, and each of its levels is a file. A file is a list of elements in the order of their tags: DICOM PS3.5, sections 7.1 and 7.5. Those of
other files that it refers to stand in sequences and have a series of their own, so the elements are
walked through one by one; their values are passed over and not read.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from typing import IO

_PREAMBLE_BYTES = 132

_SYNTAX, _SERIES = (0x0002, 0x0010), (0x0020, 0x000E)
_FAR_OFFSETS, _PIXELS = (0x7FE0, 0x0001), (0x7FE0, 0x0010)
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

# Before the series stand some dozen in a file of a scanner, before the pixels a dozen for each frame
# where frames have places of their own.
_MOST_BEFORE_SERIES, _MOST_BEFORE_PIXELS = 20_000, 2_000_000
_ITEM_HEAD_BYTES = 8

_Tag = tuple[int, int]


def series_in(file: IO[bytes]) -> str:
    """Return the Series Instance UID of a DICOM file, empty where it has none.

    Parameters
    ----------
    file : binary file
        Of which is known that it begins as DICOM does.
    """
    for depth, tag, length in _elements(file, _MOST_BEFORE_SERIES):
        if depth == 0 and length != _NO_LENGTH:
            if tag == _SERIES:
                return _uid(file, length).decode("latin-1")
            if tag > _SERIES:  # also of nothing, at the end of the file
                return ""
    return ""


def frames_are_in_place(file: IO[bytes]) -> bool:
    """Tell whether the frames of a DICOM file begin where its table of offsets says.

    OpenSlide follows the table, and where that leads it into the middle of a frame the process ends.
    Where no table is written it looks for the frames itself; uncompressed ones need none.

    Parameters
    ----------
    file : binary file
        Of which is known that it begins as DICOM does.
    """
    size = file.seek(0, os.SEEK_END)
    far: Sequence[int] = ()
    for depth, tag, length in _elements(file, _MOST_BEFORE_PIXELS):
        if depth > 0:
            continue
        if tag == _FAR_OFFSETS:
            far = _numbers(file, min(length, size), "Q")
        elif tag == _PIXELS and length == _NO_LENGTH:
            item, table = _next_element(file, is_implicit=False)
            if item != _ITEM or table > size:
                return False
            near = _numbers(file, table, "I")
            return _items_begin_at(file, file.tell(), near or far, size)
        elif tag >= _PIXELS:
            return True
    return True


def _items_begin_at(file: IO[bytes], first: int, offsets: Sequence[int], size: int) -> bool:
    end = first
    for offset in offsets:
        if not end <= first + offset <= size - _ITEM_HEAD_BYTES:
            return False
        file.seek(first + offset)
        tag, length = _next_element(file, is_implicit=False)
        end = file.tell() + length
        if tag != _ITEM or end > size:
            return False
    return True


def _numbers(file: IO[bytes], length: int, kind: str) -> tuple[int, ...]:
    count = length // struct.calcsize(kind)
    value = file.read(length)
    return struct.unpack_from(f"<{count}{kind}", value.ljust(length, b"\0"))


def _elements(file: IO[bytes], most: int) -> Iterator[tuple[int, _Tag, int]]:
    """Yield how deep each element stands, its tag and its length, the file at its value."""
    file.seek(_PREAMBLE_BYTES)
    depth, syntax = 0, b""
    for _ in range(most):
        tag, length = _next_element(file, is_implicit=syntax == _IMPLICIT)
        if tag in (_END_OF_ITEM, _END_OF_SEQUENCE):
            depth -= 1
            continue
        start = file.tell()
        yield depth, tag, length
        file.seek(start)
        if length == _NO_LENGTH:
            depth += 1
        elif depth == 0 and tag == _SYNTAX:
            syntax = _uid(file, length)
            if syntax in _UNREAD:
                return
        else:
            file.seek(length, os.SEEK_CUR)


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
