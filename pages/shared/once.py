"""What there is once in the process, whatever a visitor does.

Streamlit empties its caches when any browser asks for it, before sign-in too; workers, tokens and
the list of visitors must not go with them.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Return a function that answers what ``make`` answered the first time, in all threads.

    Examples
    --------
    >>> box = once(list)
    >>> box() is box()
    True
    """
    lock = threading.Lock()
    made: list[T] = []

    def get() -> T:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    get.__doc__ = make.__doc__
    return get
