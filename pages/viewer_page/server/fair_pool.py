"""Threads that draw for all visitors, each in turn, and bounds on what one of them may ask for.

One queue for all would let a visitor who asks for a thousand pictures keep everybody waiting.
"""

import os
import sys
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_Waiting = tuple["Future[Any]", Callable[[], Any]]


class TooManyError(Exception):
    """A visitor, or all of them together, ask for more than is answered at once."""


class Places:
    """How many questions are open, in all, of each visitor and of each page that one has open.

    Parameters
    ----------
    each, most : int
        So many of one visitor, and of all.
    of_page : int, optional
        So many of one page; by default as many as of its visitor.
    """

    def __init__(self, each: int, most: int, *, of_page: int | None = None) -> None:
        self._each, self._most = each, most
        self._of_page = each if of_page is None else of_page
        self._taken: Counter[str] = Counter()
        self._of_pages: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, visitor: str, page: str = "") -> None:
        """Take a place, to be given back with `give_back`.

        Raises
        ------
        TooManyError
            If there is none.
        """
        page = page or visitor
        with self._lock:
            if self._of_pages[page] >= self._of_page:
                raise _too_many_of_one(self._of_page)
            if self._taken[visitor] >= self._each:
                raise _too_many_of_one(self._each)
            if self._taken.total() >= self._most:
                raise TooManyError(
                    "This server is answering as much as it can at once; try again in a moment."
                )
            self._taken[visitor] += 1
            self._of_pages[page] += 1

    def give_back(self, visitor: str, page: str = "") -> None:
        """Let another question have the place."""
        with self._lock:
            for taken, name in ((self._taken, visitor), (self._of_pages, page or visitor)):
                taken[name] -= 1
                if not taken[name]:
                    del taken[name]


def _too_many_of_one(most: int) -> TooManyError:
    return TooManyError(
        f"Your browser has asked for {most} of these at once, which is the most; wait for them to come, "
        "then ask again."
    )


class FairPool:
    """Some threads that work for one visitor after the other.

    Parameters
    ----------
    name : str
        Of the threads.
    threads : int
    of_one : int
        So many of them, at most, work for one visitor at a time.
    niceness : int
        By so much their priority is lower than that of this process, where a system knows any of
        threads (Linux): they have what time the others leave.
    """

    def __init__(self, name: str, *, threads: int, of_one: int, niceness: int = 0) -> None:
        self._name, self._threads, self._of_one = name, threads, of_one
        self._niceness = niceness
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
        if self._niceness and sys.platform == "linux":  # elsewhere it is the whole process
            os.nice(self._niceness)
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
