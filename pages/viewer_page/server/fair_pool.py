"""Threads that draw for all visitors, each in turn, and bounds on what one of them may ask for.

One queue for all would let a visitor who asks for a thousand pictures keep everybody waiting.
"""

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

_Waiting = tuple["Future[Any]", Callable[[], Any]]


class TooManyError(Exception):
    """A visitor, or all of them together, ask for more than is answered at once."""


class Places:
    """How many questions are open, in all and of each visitor.

    Parameters
    ----------
    each, most : int
        So many of one visitor, and of all.
    """

    def __init__(self, each: int, most: int) -> None:
        self._each, self._most = each, most
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, visitor: str) -> None:
        """Take a place, to be given back with `give_back`.

        Raises
        ------
        TooManyError
            If there is none.
        """
        with self._lock:
            if self._taken[visitor] >= self._each:
                raise TooManyError(
                    f"Your browser has asked for {self._each} of these at once, which is the most; "
                    "wait for them to come, then ask again."
                )
            if self._taken.total() >= self._most:
                raise TooManyError(
                    "This server is answering as much as it can at once; try again in a moment."
                )
            self._taken[visitor] += 1

    def give_back(self, visitor: str) -> None:
        """Let another question have the place."""
        with self._lock:
            self._taken[visitor] -= 1
            if not self._taken[visitor]:
                del self._taken[visitor]

    @contextmanager
    def taken(self, visitor: str) -> Iterator[None]:
        """Take a place for as long as the context lasts."""
        self.take(visitor)
        try:
            yield
        finally:
            self.give_back(visitor)


class FairPool:
    """Some threads that work for one visitor after the other.

    Parameters
    ----------
    name : str
        Of the threads.
    threads : int
    of_one : int
        So many of them, at most, work for one visitor at a time.
    """

    def __init__(self, name: str, *, threads: int, of_one: int) -> None:
        self._name, self._threads, self._of_one = name, threads, of_one
        self._waiting: OrderedDict[str, deque[_Waiting]] = OrderedDict()
        self._running: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._started = 0

    def submit(self, visitor: str, work: Callable[[], T]) -> "Future[T]":
        """Have something done; a future that is cancelled while it waits leaves the queue."""
        future: Future[T] = Future()
        with self._changed:
            self._waiting.setdefault(visitor, deque()).append((future, work))
            if self._started < self._threads:
                self._started += 1
                name = f"{self._name}-{self._started}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
            self._changed.notify()
        future.add_done_callback(lambda ended: self._leave(visitor, ended))
        return future

    def waiting(self) -> int:
        """Return how much waits for a thread."""
        with self._changed:
            return sum(map(len, self._waiting.values()))

    def _leave(self, visitor: str, future: "Future[Any]") -> None:
        if not future.cancelled():
            return
        with self._changed:
            left = [each for each in self._waiting.get(visitor, ()) if each[0] is not future]
            if left:
                self._waiting[visitor] = deque(left)
            else:
                self._waiting.pop(visitor, None)

    def _work(self) -> None:
        while True:
            visitor, (future, work) = self._next()
            try:
                if future.set_running_or_notify_cancel():
                    _do(future, work)
            finally:
                with self._changed:
                    self._running[visitor] -= 1
                    if not self._running[visitor]:
                        del self._running[visitor]
                    self._changed.notify()
            del future, work

    def _next(self) -> tuple[str, _Waiting]:
        with self._changed:
            while True:
                for visitor, waiting in self._waiting.items():
                    if self._running[visitor] < self._of_one:
                        return visitor, self._take(visitor, waiting)
                self._changed.wait()

    def _take(self, visitor: str, waiting: deque[_Waiting]) -> _Waiting:
        taken = waiting.popleft()
        if waiting:
            self._waiting.move_to_end(visitor)
        else:
            del self._waiting[visitor]
        self._running[visitor] += 1
        return taken


def _do(future: "Future[Any]", work: Callable[[], Any]) -> None:
    try:
        answer = work()
    except BaseException as error:  # noqa: BLE001 - whoever waits gets it
        future.set_exception(error)
    else:
        future.set_result(answer)
