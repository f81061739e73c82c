"""How far a cohort is: what happened, added up for whoever looks at it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Tiles take most of an item's time, and what is left of it nobody can foresee.
_TILES_SHARE = 0.85

AT_WORK = "at work"


@dataclass(frozen=True, slots=True)
class AtWork:
    """An item that somebody is at.

    Attributes
    ----------
    slide : str
    stage : str
        As of `seg_core.process.progress.Progress`.
    share : float
        Of the item that is done, 0 to 1.
    worker : str
    """

    slide: str
    stage: str
    share: float
    worker: str


class CohortProgress:
    """Adds up the events of one start of a cohort.

    Parameters
    ----------
    total : int
        Items of the cohort.

    Examples
    --------
    >>> progress = CohortProgress(3)
    >>> progress.happened({"event": "skipped", "key": "a", "slide": "a.svs", "state": "finished"})
    >>> tiles = {"stage": "tiles", "done": 30, "total": 51, "worker": "0"}
    >>> progress.happened({"event": "progress", "key": "b", "slide": "b.svs", **tiles})
    >>> progress.share, progress.seconds_left(10.0)
    (0.5, 30.0)
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.is_summed_up = False
        self.skipped = 0
        self._states: dict[str, str] = {}
        self._at_work: dict[str, AtWork] = {}
        self._worked = 0  # items that ended well, by what was done since this start

    def happened(self, event: Mapping[str, Any]) -> None:
        """Take an event as `seg_core.cohort.work.Event.to_json` gives it."""
        kind = event["event"]
        if kind == "summary":
            self.is_summed_up = True
        elif kind == "progress":
            self._states[event["key"]] = AT_WORK
            self._at_work[event["key"]] = self._advanced(event)
        elif kind in ("skipped", "ended", "waiting"):
            self._at_work.pop(event["key"], None)
            self._states[event["key"]] = event["state"]
            self.skipped += kind == "skipped"
            self._worked += kind == "ended" and event["state"] == "finished"

    @property
    def states(self) -> Counter[str]:
        """How many items are in each state, of those of which anything was heard."""
        return Counter(self._states.values())

    @property
    def at_work(self) -> list[AtWork]:
        """What is worked on, what is furthest first."""
        return sorted(self._at_work.values(), key=lambda each: -each.share)

    @property
    def ended(self) -> int:
        """Items that are done with, well or not."""
        counts = self.states
        return counts["finished"] + self.failed

    @property
    def failed(self) -> int:
        """Items that ended without a result."""
        counts = self.states
        return counts["failed"] + counts["refused"]

    @property
    def share(self) -> float:
        """Share of the cohort that is done, 0 to 1; items at work count in part."""
        begun = sum(each.share for each in self._at_work.values())
        return min((self.ended + begun) / self.total, 1.0) if self.total else 1.0

    def seconds_left(self, elapsed: float) -> float | None:
        """Return how long the rest takes at the pace since this start, None while nobody knows.

        What was skipped or failed took no time and says nothing of the others.

        Parameters
        ----------
        elapsed : float
            Since the start, s.
        """
        begun = sum(each.share for each in self._at_work.values())
        worked = self._worked + begun
        left = self.total - self.ended - begun
        return elapsed * left / worked if worked > 0 else None

    def _advanced(self, event: Mapping[str, Any]) -> AtWork:
        before = self._at_work.get(event["key"])
        share = 0.0 if before is None else before.share
        if event["stage"] == "tiles" and event["total"]:
            # a slide that is taken up again counts from where it was
            share = _TILES_SHARE * event["done"] / event["total"]
        elif event["stage"] in ("nuclei", "scores"):
            share = _TILES_SHARE
        return AtWork(event["slide"], event["stage"], share, event["worker"])
