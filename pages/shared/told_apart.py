"""Titles by which each of several things can be chosen."""

from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

K = TypeVar("K")


def told_apart(titles: Mapping[K, str], *further: Mapping[K, str]) -> dict[K, str]:
    """Return titles of which no two are alike, as far as further words go.

    The browser tells a choice by what it is called: of two things with one title, only one could be
    chosen.

    Parameters
    ----------
    titles : mapping of object to str
    further : mapping of object to str
        What is added, one after the other, to those that are still called alike.

    Examples
    --------
    >>> told_apart({1: "a", 2: "b", 3: "b"}, {1: "x", 2: "y", 3: "z"})
    {1: 'a', 2: 'b · y', 3: 'b · z'}
    """
    told = dict(titles)
    for words in further:
        several = Counter(told.values())
        told = {
            each: title if several[title] == 1 else f"{title} · {words[each]}"
            for each, title in told.items()
        }
    return told
