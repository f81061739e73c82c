"""Dataclasses from what a file says, and one clause on the first thing in it that will not do."""

import json
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

T = TypeVar("T")

_Extra = Literal["forbid", "ignore"]

_MOST_SHOWN = 60

# pydantic's kinds of mistakes, in the words of somebody who has the file open
_WORDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    "dataclass_type": "a table",
}


def filled(kind: type[T], entries: object, *, extra: _Extra = "forbid", place: object = None) -> T:
    """Return what a file says as a dataclass, and the tables in it as those of its fields.

    Whole numbers pass as numbers; nothing else is taken for something that it is not.

    Parameters
    ----------
    kind : type
        A dataclass.
    entries : object
        What JSON or TOML was read as.
    extra : str
        Whether an entry that no field has is refused or ignored.
    place : object, optional
        The ``context`` of validators that the fields have.

    Raises
    ------
    ValueError
        With a clause that names the entry.

    Examples
    --------
    >>> import dataclasses
    >>> @dataclasses.dataclass
    ... class Options:
    ...     rate: float
    ...     sizes: tuple[int, ...] = ()
    >>> filled(Options, {"rate": 1, "sizes": [1, 2]})
    Options(rate=1.0, sizes=(1, 2))
    >>> filled(Options, {"rate": "1"})
    Traceback (most recent call last):
    ValueError: 'rate' is '1' and has to be a number
    >>> filled(Options, {"rat": 1})
    Traceback (most recent call last):
    ValueError: 'rat' is an unknown option, choose from rate, sizes
    """
    try:
        # read from JSON, a list is as good as a tuple, and "1" no number
        text = json.dumps([entries], default=_refuse)
        adapter = _adapter(kind, extra)  # type: ignore[arg-type]  # classes are hashable
        return adapter.validate_json(text, context=place)[0]
    except RecursionError as error:
        raise ValueError("it has tables within tables without end") from error
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
        # a name that is written wrong is lacking too, and the wrong one is what is seen in the file
        unknown = [each for each in mistakes if each["type"] == "unexpected_keyword_argument"]
        first = (unknown or mistakes)[0]
        raise ValueError(_in_words(kind, first["type"], first["loc"][1:], first)) from error


def _refuse(value: object) -> NoReturn:
    raise ValueError(f"{_shown(str(value))} is a date or a time, which no option takes")


@lru_cache
def _adapter(kind: type[T], extra: _Extra) -> TypeAdapter[list[T]]:
    # a list hands its configuration down to dataclasses, which would have one of their own
    config = ConfigDict(strict=True, extra=extra, allow_inf_nan=False)
    return TypeAdapter(list[kind], config=config)  # type: ignore[valid-type]


def _in_words(kind: type, mistake: str, where: tuple[int | str, ...], told: Any) -> str:
    name = _shown(where[-1]) if where else "the file"
    tables = [each for each in where[:-1] if isinstance(each, str)]
    name += f" of {_shown(tables[-1])}" if tables else ""
    if mistake == "unexpected_keyword_argument":
        known = sorted(each.name for each in fields(_dataclass_at(kind, tables)))
        return f"{name} is an unknown option, choose from {', '.join(known)}"
    if mistake == "missing":
        return f"{name} is lacking"
    shown = _shown(told["input"])
    if mistake == "literal_error":
        return f"{name} is {shown} and has to be {told['ctx']['expected']}"
    if mistake in _WORDS:
        return f"{name} is {shown} and has to be {_WORDS[mistake]}"
    return f"{name} is {shown}: {told['msg'][:1].lower()}{told['msg'][1:]}"


def _shown(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "…"


def _dataclass_at(kind: Any, tables: list[str]) -> Any:
    """Return the dataclass of a table in a table."""
    for name in tables:
        hint = get_type_hints(kind)[name]
        kind = next(each for each in (hint, *get_args(hint)) if is_dataclass(each))
    return kind
