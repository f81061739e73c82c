"""Texts that others have written, refused before they are parsed where that would fill the memory.

Three bytes of JSON, ``{},``, become an object of seventy: what is short, or short when it is packed,
may take gigabytes. How many of each sign there are bounds that.
"""

import json
from collections.abc import Mapping
from typing import Any

_USUAL = 8 * 2**30

# What CPython takes at most for each sign that begins something, or parts it from the next: a list or
# a dictionary with some entries, a number with its place in a list, a word.
_JSON_BYTES = {b"{": 232, b"[": 88, b",": 40, b'"': 40}

XML_BYTES = {b"<": 160, b"=": 110}
"""For each element, or its end, and for each of its attributes."""

CSV_BYTES = {b"\n": 500, b"\r": 500, b",": 60}
"""For each row, with the point that is made of it, and for each cell."""


class _Bound:
    most_bytes = _USUAL


def bound_texts(most_bytes: int) -> None:
    """Let no text that is parsed in this process take more: for a server that strangers use."""
    _Bound.most_bytes = most_bytes


def refuse_large(content: bytes, costs: Mapping[bytes, int]) -> None:
    """Refuse a text that would take too much memory.

    Parameters
    ----------
    content : bytes
    costs : mapping of bytes to int
        Bytes of memory for each of a sign.

    Raises
    ------
    ValueError
        If so.
    """
    needed = 2 * len(content) + sum(content.count(sign) * each for sign, each in costs.items())
    if needed > _Bound.most_bytes:
        raise ValueError("it holds more than can be kept in memory here")


def parse_json(content: bytes) -> Any:
    """Parse a JSON text in UTF-8, with or without a byte-order mark.

    Raises
    ------
    ValueError
        If it is none, or would take too much memory.
    RecursionError
        If it is nested too deeply.

    Examples
    --------
    >>> parse_json(b'{"a": [1, 2]}')
    {'a': [1, 2]}
    """
    refuse_large(content, _JSON_BYTES)
    return json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
