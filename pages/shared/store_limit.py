"""Room for new runs and uploads where the environment bounds the store."""

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
class LookedAt:
    """A run that one session shows.

    Attributes
    ----------
    run : Path
        Its folder.
    """

    run: Path


class Visitors:
    """The runs that any session shows, held weakly: when a session ends, its run is free to go."""

    def __init__(self) -> None:
        self._shown: weakref.WeakSet[LookedAt] = weakref.WeakSet()

    def look_at(self, run: Path) -> LookedAt:
        """Keep a run in the store for as long as the answer is held."""
        shown = LookedAt(run)
        self._shown.add(shown)
        return shown

    def runs(self) -> set[Path]:
        """Return the folders of all runs that are shown."""
        return {shown.run for shown in self._shown}

    def is_looked_at_by_others(self, run: Path, mine: LookedAt | None) -> bool:
        """Tell whether any session but that of ``mine`` shows a run."""
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
        limit = store_limit()
        if limit is None:
            return
        enough = Store().shrink(
            limit, wanted=wanted, keep_slides=_sample_ids(), keep_runs=self.runs()
        )
        if wanted and not enough:
            raise StoreError(
                "this server has no room for so large a file now; try again later, or take a "
                "smaller one."
            )


@cache
def _sample_ids() -> frozenset[str]:
    return frozenset(slide_id(sample_path(sample.name)) for sample in SAMPLES)
