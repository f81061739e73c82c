"""One loaded model, lent to one analysis at a time."""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from seg_core.model.engine import Engine


class EngineLender:
    """Keeps the engine that was used last, so that a process loads a model once.

    One engine is in memory, and one thread at a time has it: the others wait, since an engine takes
    all cores of the processor and is not made for two callers.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: Hashable = None
        self._engine: Engine | None = None

    @contextmanager
    def lend(self, key: Hashable, load: Callable[[], Engine]) -> Iterator[Engine]:
        """Lend the engine of a key, for as long as the block lasts.

        Parameters
        ----------
        key : hashable
            What the engine depends on.
        load : callable
            Makes it where the engine used last is that of another key. What it raises is passed
            on, and nothing is kept.

        Yields
        ------
        Engine
        """
        with self._lock:
            if self._engine is None or self._key != key:
                self._engine = None  # before the next one is loaded, which needs the memory
                self._engine = load()
                self._key = key
            yield self._engine
