"""Who comes next: what waits for a worker, in the order in which it is done."""

import math
from bisect import insort_right
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from seg_core.errors import JobError

T = TypeVar("T")

# The round of what waits until all others are done.
_LAST = math.inf


@dataclass(slots=True)
class _Place(Generic[T]):
    item: T
    asker: Hashable
    round: float


class Turns(Generic[T]):
    """What waits; those who ask take turns: the second of one comes after the first of all others.

    It has no lock: whoever shares it between threads holds one.

    Parameters
    ----------
    each, most : int, optional
        So much of one asker, and of all, may wait; by default any number.
    """

    def __init__(self, *, each: int | None = None, most: int | None = None) -> None:
        self._each, self._most = each, most
        self._waiting: list[_Place[T]] = []
        self._current: _Place[T] | None = None

    @property
    def current(self) -> T | None:
        """Whose turn it is; None where nothing has been taken."""
        return None if self._current is None else self._current.item

    def __iter__(self) -> Iterator[T]:
        """Go through what waits, in the order in which it is done."""
        return iter([place.item for place in self._waiting])

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item: T, asker: Hashable) -> None:
        """Put something into its place.

        Raises
        ------
        JobError
            If too much waits already.
        """
        place = _Place(item, asker, self._round_of(asker))
        insort_right(self._waiting, place, key=lambda each: each.round)

    def take(self, item: T | None = None) -> T | None:
        """Go on to what comes next, or to one that is to overtake it; None where nothing waits."""
        chosen = [place for place in self._waiting if item is None or place.item is item]
        self._current = chosen[0] if chosen else None
        if self._current is not None:
            self._waiting.remove(self._current)
        return self.current

    def put_back(self) -> None:
        """Have the current one wait in front of all others."""
        if self._current is not None:
            first = min((place.round for place in self._waiting), default=self._current.round)
            self._current.round = min(first, self._current.round)
            self._waiting.insert(0, self._current)
            self._current = None

    def is_last(self, item: T) -> bool:
        """Tell whether something waits until all others are done."""
        return any(place.item is item and place.round == _LAST for place in self._waiting)

    def remove(self, item: T) -> bool:
        """Take something out; False where it does not wait."""
        left = [place for place in self._waiting if place.item is not item]
        removed = len(left) < len(self._waiting)
        self._waiting = left
        return removed

    def put_last(self, item: T) -> None:
        """Have something wait until all others are done; no matter if it does not wait."""
        for place in self._waiting:
            if place.item is item:
                place.round = _LAST
        self._waiting.sort(key=lambda each: each.round)

    def ahead_of(self, item: T) -> int:
        """Count what comes before something that waits, the current one included; 0 for the rest."""
        order = list(self)
        return order.index(item) + 1 if item in order else 0

    def _round_of(self, asker: Hashable) -> float:
        """Return in which round an asker's next one is done, 0 for the current one."""
        own = [place for place in self._waiting if place.asker == asker]
        if self._each is not None and len(own) >= self._each:
            raise JobError(
                f"{len(own)} of your requests are waiting already, which is the most; wait for one "
                "of them to end, or stop one."
            )
        if self._most is not None and len(self._waiting) >= self._most:
            raise JobError(
                f"{len(self._waiting)} requests are waiting on this server, which is the most; try "
                "again later."
            )
        if self._current is not None and self._current.asker == asker:
            own.append(self._current)
        first = min((place.round for place in self._waiting if place.round < _LAST), default=0)
        return max([first, *(place.round + 1 for place in own if place.round < _LAST)])
