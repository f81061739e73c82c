"""What has been drawn lately, bounded by its size in memory."""

import sys
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Generic, NamedTuple, TypeVar

from cachetools import LRUCache

T = TypeVar("T")


class _Kept(NamedTuple, Generic[T]):
    value: T
    size: int


class TileCache(Generic[T]):
    """Keeps what was asked for last; safe to be asked from several threads.

    Two threads that ask for the same thing at once may both make it; the drawing itself is never
    done under the lock, since a slow tile would hold up all others.

    Parameters
    ----------
    most_bytes : int
        What is kept, with the keys by which it is found, takes no more than this.
    size_of : callable
        Answers how many bytes a thing takes.

    Examples
    --------
    >>> cache = TileCache(200, size_of=len)
    >>> cache.get("a", lambda: b"12345"), cache.get("a", lambda: b"another")
    (b'12345', b'12345')
    """

    def __init__(self, most_bytes: int, *, size_of: Callable[[T], int]) -> None:
        self._size_of = size_of
        self._lock = threading.Lock()
        self._kept: LRUCache[Hashable, _Kept[T]] = LRUCache(
            most_bytes, getsizeof=lambda kept: kept.size
        )

    @property
    def bytes(self) -> int:
        """What is kept now takes so much, keys included."""
        return int(self._kept.currsize)

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under a key, else what ``make`` answers, which is then kept."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None:
            return kept.value
        made = make()
        size = size_of_key(key) + self._size_of(made)
        with self._lock, suppress(ValueError):  # larger than all that may be kept
            self._kept.setdefault(key, _Kept(made, size))
        return made

    def forget(self) -> None:
        """Keep nothing of what is kept now."""
        with self._lock:
            self._kept.clear()


def size_of_key(key: object) -> int:
    """Return about how many bytes a key takes, with all that it holds.

    A tile without nuclei is a hundred bytes; its key, with paths and options, is several times
    that, so a cache that counted pictures alone would outgrow its bound tenfold.
    """
    inside = key if isinstance(key, (tuple, frozenset)) else ()
    return sys.getsizeof(key) + sum(map(size_of_key, inside))
