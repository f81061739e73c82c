"""Writing that goes on while the next thing is computed."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_Item = TypeVar("_Item")

# Now and then a write takes longer, when coarser levels follow; a few bands bridge that.
_WAITING = 2


@contextmanager
def writing_behind(write: Callable[[_Item], None]) -> Iterator[Callable[[_Item], None]]:
    """Call ``write`` in a thread of its own, item after item; few may wait, then giving waits.

    What it raises is raised, as it is, where the next item is given or the block is left, and
    nothing is written any more. When the block is left, for whatever reason, everything else that
    was given is written and the thread has ended.

    Parameters
    ----------
    write : callable
        Called with each item, in order.

    Yields
    ------
    give : callable
        Takes an item to write.

    Examples
    --------
    >>> written = []
    >>> with writing_behind(written.append) as give:
    ...     give(1)
    ...     give(2)
    >>> written
    [1, 2]
    """
    waiting: queue.Queue[tuple[_Item, ...]] = queue.Queue(_WAITING)
    errors: list[BaseException] = []

    def work() -> None:
        while item := waiting.get():
            if errors:
                continue  # the giver may be waiting for room
            try:
                write(*item)
            except BaseException as error:  # noqa: BLE001 - it belongs to the one who gives
                errors.append(error)

    def give(item: _Item) -> None:
        if errors:
            raise errors[0]
        waiting.put((item,))

    thread = threading.Thread(target=work, name="map writer", daemon=True)
    thread.start()
    try:
        yield give
    finally:
        waiting.put(())
        thread.join()
        if errors:
            raise errors[0]
