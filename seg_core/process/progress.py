"""How far work is, and how long the rest will take."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["waiting", "tiles", "nuclei", "scores", "looks"]

# Weight of the newest tile in the average pace: the last twenty or so tiles decide.
_NEWEST = 0.05


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes
    ----------
    stage : {"waiting", "tiles", "nuclei", "scores", "looks"}
        What is counted; while *waiting*, ``total`` is the number of jobs that come first.
    done, total : int
    seconds_left : float or None
        For this stage; None as long as nobody knows.

    Examples
    --------
    >>> Progress("tiles", 30, 120).fraction
    0.25
    """

    stage: Stage
    done: int
    total: int
    seconds_left: float | None = None

    @property
    def fraction(self) -> float:
        """Share that is done, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0


ProgressCallback = Callable[[Progress], None]

CountCallback = Callable[[int, int], None]
"""Called with the number of things done and of all."""


class Pace:
    """Turns counts into `Progress`, with the time left at the average pace of late."""

    def __init__(self, stage: Stage, report: ProgressCallback) -> None:
        self._stage: Stage = stage
        self._report = report
        self._done = 0
        self._at = time.monotonic()
        self._seconds_each: float | None = None

    def __call__(self, done: int, total: int) -> None:
        """Report that so many are done."""
        now = time.monotonic()
        if done > self._done:
            newest = (now - self._at) / (done - self._done)
            self._seconds_each = (
                newest
                if self._seconds_each is None
                else self._seconds_each + _NEWEST * (newest - self._seconds_each)
            )
            self._done, self._at = done, now
        left = None if self._seconds_each is None else self._seconds_each * (total - done)
        self._report(Progress(self._stage, done, total, left))
