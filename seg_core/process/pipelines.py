"""Pipelines of threads: read-ahead, write-behind, work beside other work, ordered map.

Each of them ends its threads before it is left, however it is left, and raises what its
threads raise where the next item is taken or given. How many items may be in memory is said by the
caller.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# A write takes longer now and then, when coarser levels follow; a few items bridge that.
_QUEUED_WRITES = 2


@dataclass(frozen=True)
class _End:
    """Stands in the queue after the last item; says why it is the last."""

    error: BaseException | None = None


@contextmanager
def read_ahead(
    source: Iterable[_Item], depth: int, *, name: str = "reader"
) -> Iterator[Iterator[_Item]]:
    """Run an iterable in a thread of its own, at most ``depth`` items before they are taken.

    What it raises is raised, as it is, where its items are taken. When the block is left, for
    whatever reason, the thread has ended, and nothing more is taken from the source.

    Parameters
    ----------
    source : iterable
        Nothing of it is touched outside the thread.
    depth : int
        Items that may wait to be taken, 1 or more.
    name : str
        Of the thread.

    Yields
    ------
    items : iterator
        The items of the source, in order.

    Examples
    --------
    >>> with read_ahead(range(3), depth=2) as numbers:
    ...     list(numbers)
    [0, 1, 2]
    """
    free_places = threading.Semaphore(depth)
    stopped = threading.Event()
    ready: queue.SimpleQueue[_Item | _End] = queue.SimpleQueue()

    def produce() -> None:
        try:
            remaining = iter(source)
            while free_places.acquire() and not stopped.is_set():
                ready.put(next(remaining))
        except StopIteration:
            ready.put(_End())
        except BaseException as error:  # noqa: BLE001 - raised where the next item is taken
            ready.put(_End(error))

    def items() -> Iterator[_Item]:
        while not isinstance(item := ready.get(), _End):
            free_places.release()
            yield item
        if item.error is not None:
            raise item.error

    thread = threading.Thread(target=produce, name=name, daemon=True)
    thread.start()
    try:
        yield items()
    finally:
        stopped.set()
        free_places.release()
        thread.join()
        ready.put(_End())  # a consumer that takes items in a thread of its own must not wait


@contextmanager
def write_behind(
    write: Callable[[_Item], object], *, name: str = "writer"
) -> Iterator[Callable[[_Item], None]]:
    """Call ``write`` in a thread of its own, item after item; giving blocks while two are queued.

    What it raises is raised, as it is, where the next item is given or the block is left, and
    nothing is written any more. When the block is left, for whatever reason, everything else that
    was given is written and the thread has ended.

    Parameters
    ----------
    write : callable
        Called with each item, in order.
    name : str
        Of the thread.

    Yields
    ------
    give : callable
        Takes an item to write.

    Examples
    --------
    >>> written = []
    >>> with write_behind(written.append) as give:
    ...     give(1)
    ...     give(2)
    >>> written
    [1, 2]
    """
    queued: queue.Queue[_Item | _End] = queue.Queue(_QUEUED_WRITES)
    errors: list[BaseException] = []

    def consume() -> None:
        while not isinstance(item := queued.get(), _End):
            if errors:
                continue  # the giver may be blocked by a full queue
            try:
                write(item)
            except BaseException as error:  # noqa: BLE001 - raised where the next item is given
                errors.append(error)

    def give(item: _Item) -> None:
        if errors:
            raise errors[0]
        queued.put(item)

    thread = threading.Thread(target=consume, name=name, daemon=True)
    thread.start()
    try:
        yield give
    finally:
        queued.put(_End())
        thread.join()
        if errors:
            raise errors[0]


@contextmanager
def done_beside(work: Callable[[], object], *, name: str) -> Iterator[None]:
    """Do something in a thread of its own while the block goes on.

    When the block is left, for whatever reason, it is done and the thread has ended; what it raises
    is raised there, unless the block has raised something itself.

    Parameters
    ----------
    work : callable
    name : str
        Of the thread.

    Examples
    --------
    >>> done = []
    >>> with done_beside(lambda: done.append(1), name="counter"):
    ...     pass
    >>> done
    [1]
    """
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised where the block is left
            errors.append(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if errors:
        raise errors[0]


def map_in_order(
    function: Callable[[_Item], _Result], items: Iterable[_Item], *, workers: int, ahead: int = 0
) -> Generator[_Result, None, None]:
    """Map in several threads; results come in the order of the items.

    At most ``workers + ahead`` items are taken of which no result was given yet. What the function
    raises is raised where its result is due. When the iterator ends or is closed the threads have
    ended.

    Parameters
    ----------
    function : callable
    items : iterable
    workers : int
        Number of threads.
    ahead : int
        Results that may wait for that of an earlier item, which would keep a thread idle else.

    Examples
    --------
    >>> list(map_in_order(abs, [-1, 2, -3], workers=2))
    [1, 2, 3]
    """
    remaining = iter(items)
    coming: deque[Future[_Result]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        coming.extend(pool.submit(function, item) for item in islice(remaining, workers + ahead))
        while coming:
            result = coming.popleft().result()
            coming.extend(pool.submit(function, item) for item in islice(remaining, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
