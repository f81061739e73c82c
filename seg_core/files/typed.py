"""Values from a file against the types that a dataclass states for them."""

import dataclasses
import math
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def wrong_type(kind: type, entries: dict[str, Any]) -> str | None:
    """Return a clause on the first entry that is not of its field's type, None where all are.

    Whole numbers pass as numbers; types that are no plain values of a file are not looked at.

    Parameters
    ----------
    kind : type
        A dataclass.
    entries : dict
        Values by the names of its fields.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Options:
    ...     rate: float
    ...     sizes: tuple[int, ...] = ()
    >>> wrong_type(Options, {"rate": 1, "sizes": (1, 2)}) is None
    True
    >>> wrong_type(Options, {"rate": [1]})
    "'rate' is [1] and has to be a number"
    """
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if field.name in entries and not _fits(entries[field.name], hints[field.name]):
            shown = " ".join(repr(entries[field.name]).split())
            shown = shown if len(shown) <= 60 else shown[:57] + "…"
            return f"{field.name!r} is {shown} and has to be {_in_words(hints[field.name])}"
    return None


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is Literal:
        return any(value == each and type(value) is type(each) for each in inner)
    if origin is tuple:
        if not isinstance(value, tuple | list):
            return False
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        return len(kinds) == len(value) and all(map(_fits, value, kinds))
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(key, inner[0]) and _fits(each, inner[1]) for key, each in value.items()
        )
    if hint is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (str, bool, NoneType):
        return isinstance(value, hint)
    return True


def _in_words(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(_in_words(each) for each in inner if each is not NoneType)
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if origin is tuple:
        return f"a list, each {_in_words(inner[0])}"
    if origin is dict:
        return "a table"
    return _WORDS.get(hint, "what its section describes")
