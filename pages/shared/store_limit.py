"""Room for new runs and uploads where the environment bounds the store."""

import threading
import weakref
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from seg_core.errors import StoreError
from seg_core.samples import SAMPLES, sample_path
from seg_core.slide import slide_id
from seg_core.store import Store
from seg_core.store.limit import store_limit


@dataclass(eq=False)
class Present:
    """That a reader has a page open.

    Attributes
    ----------
    name : str
    """

    name: str


@dataclass(eq=False)
class LookedAt:
    """A run that one session shows.

    Attributes
    ----------
    run : Path
        Its folder.
    """

    run: Path


class Visitors:
    """Who is there and which runs they look at, held weakly: when a session ends, both are free.

    Any number of threads may use it.
    """

    def __init__(self) -> None:
        self._shown: weakref.WeakSet[LookedAt] = weakref.WeakSet()
        self._present: weakref.WeakSet[Present] = weakref.WeakSet()
        # one session must not add while another reads
        self._lock = threading.Lock()

    def arrive(self, name: str) -> Present:
        """Count a reader as present for as long as the answer is held."""
        present = Present(name)
        with self._lock:
            self._present.add(present)
        return present

    def present(self) -> set[str]:
        """Return the names of all who have a page open."""
        with self._lock:
            return {each.name for each in self._present}

    def look_at(self, run: Path) -> LookedAt:
        """Keep a run in the store for as long as the answer is held."""
        shown = LookedAt(run)
        with self._lock:
            self._shown.add(shown)
        return shown

    def runs(self) -> set[Path]:
        """Return the folders of all runs that are shown."""
        with self._lock:
            return {shown.run for shown in self._shown}

    def is_looked_at_by_others(self, run: Path, mine: LookedAt | None) -> bool:
        """Tell whether any session but that of ``mine`` shows a run."""
        with self._lock:
            return any(shown.run == run and shown is not mine for shown in self._shown)

    def make_room(self, wanted: int = 0) -> None:
        """Remove the oldest runs where the store is at its limit.

        Parameters
        ----------
        wanted : int
            Bytes that are about to come.

        Raises
        ------
        StoreError
            If so much has no room even then.
        """
        if not self.keep_limit(wanted) and wanted:
            raise StoreError(
                "this server has no room for so large a file now; try again later, or take a "
                "smaller one."
            )

    def keep_limit(self, wanted: int = 0) -> bool:
        """Remove the oldest runs where the store is at its limit, and tell whether that was enough."""
        limit = store_limit()
        return limit is None or Store().shrink(
            limit, wanted=wanted, keep_slides=_sample_ids(), keep_runs=self.runs()
        )


@cache
def _sample_ids() -> frozenset[str]:
    return frozenset(slide_id(sample_path(sample.name)) for sample in SAMPLES)
