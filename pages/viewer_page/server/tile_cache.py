"""What has been drawn lately, bounded by its size in memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class TileCache(Generic[T]):
    """Keeps what was asked for last; safe to be asked from several threads.

    Two threads that ask for the same thing at once may both make it; the drawing itself is never
    done under the lock, since a slow tile would hold up all others.

    Parameters
    ----------
    most_bytes : int
        What is kept takes no more than this.
    size_of : callable
        Answers how many bytes a thing takes.

    Examples
    --------
    >>> cache = TileCache(8, size_of=len)
    >>> cache.get("a", lambda: b"12345"), cache.get("a", lambda: b"another")
    (b'12345', b'12345')
    """

    def __init__(self, most_bytes: int, *, size_of: Callable[[T], int]) -> None:
        self._most_bytes = most_bytes
        self._size_of = size_of
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self.bytes = 0

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under a key, else what ``make`` answers, which is then kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self.bytes += self._size_of(made)
            while self.bytes > self._most_bytes:
                _, oldest = self._kept.popitem(last=False)
                self.bytes -= self._size_of(oldest)
        return made

    def forget(self) -> None:
        """Keep nothing of what is kept now."""
        with self._lock:
            self._kept.clear()
            self.bytes = 0
