"""How far work is, and how long the rest will take."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

Stage = Literal["waiting", "paused", "tiles", "nuclei", "scores", "looks", "images"]

# The pace is that of the later half of the work, and of so many seconds at least: engines answer in
# batches, and a single tile says little.
_LATELY_S = 30.0

# How much what is known from before weighs, as a share of all work.
_KNOWN_BEFORE = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes
    ----------
    stage : {"waiting", "paused", "tiles", "nuclei", "scores", "looks", "images"}
        What is counted; while *waiting*, ``total`` is the number of jobs that come first. What is
        *paused* makes way for another job, and goes on from there.
    done, total : int
    seconds_left : float or None
        Until the job is done; None as long as nobody knows.

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


@dataclass
class Cost:
    """How long a unit of work takes, as far as this process knows by now.

    Attributes
    ----------
    seconds_each : float

    Examples
    --------
    >>> cost = Cost(seconds_each=0.5)
    >>> cost.learn(seconds=20.0, work=10.0)
    >>> cost.seconds_each
    2.0
    """

    seconds_each: float

    def learn(self, seconds: float, work: float) -> None:
        """Take note of what some work took; less than a unit of it says little.

        A region of a few pixels takes the time that any work takes to begin, and by that measure a
        slide would take days.
        """
        if work > 0:
            trust = min(work, 1.0) ** 2
            self.seconds_each += trust * (seconds / work - self.seconds_each)


class Forecast:
    """Says how long the rest of some work will take, from when its parts were done.

    It knows no clock: times are given to it, in seconds of any beginning.

    Parameters
    ----------
    weights : sequence of float, optional
        Work of each part, in their order; by default 1 each. Glass, for instance, takes no time.
    cost : Cost, optional
        What a unit of work took before; it counts as much as the first tenth of the work does.
    after_s : float
        Of what comes after this work.

    Examples
    --------
    >>> forecast = Forecast(after_s=10.0)
    >>> [forecast.seconds_left(at, done, 40) for at, done in ((0.0, 0), (8.0, 8), (10.0, 10))]
    [None, 42.0, 40.0]
    """

    def __init__(
        self,
        weights: Sequence[float] | None = None,
        cost: Cost | None = None,
        after_s: float = 0.0,
    ) -> None:
        self._done_after = None if weights is None else [0.0, *accumulate(weights)]
        self._cost = cost
        self._after_s = after_s
        self._seen: deque[tuple[float, float]] = deque()
        self._began: tuple[float, float] | None = None

    def seconds_left(self, at: float, done: int, total: int) -> float | None:
        """Take note that so many are done, and return what is left; None as long as nobody knows."""
        work, whole = self._work(done), self._work(total)
        if self._began is None:
            self._began = (at, work)  # what an earlier start has done says nothing of the pace
        if not self._seen or work > self._seen[-1][1]:
            self._seen.append((at, work))
        self._forget(at)
        each = self._seconds_each(whole)
        return None if each is None else each * (whole - work) + self._after_s

    @property
    def spent(self) -> tuple[float, float]:
        """Seconds and work since the beginning."""
        if self._began is None:
            return 0.0, 0.0
        at, work = self._seen[-1] if self._seen else self._began
        return at - self._began[0], work - self._began[1]

    def _work(self, done: int) -> float:
        return float(done) if self._done_after is None else self._done_after[done]

    def _forget(self, at: float) -> None:
        """Keep what was seen in the later half of the time, and in half a minute at least."""
        assert self._began is not None, "something was seen"
        since = min(at - _LATELY_S, (at + self._began[0]) / 2)
        while len(self._seen) > 2 and self._seen[1][0] <= since:
            self._seen.popleft()

    def _seconds_each(self, whole: float) -> float | None:
        (first_at, first), (last_at, last) = self._seen[0], self._seen[-1]
        seconds, work = last_at - first_at, last - first
        if self._cost is not None:
            known = _KNOWN_BEFORE * whole
            seconds, work = seconds + known * self._cost.seconds_each, work + known
        return seconds / work if work else None


class Pace:
    """Turns counts into `Progress`, with the time that is left.

    Parameters
    ----------
    stage : str
    report : callable
    weights, cost, after_s
        As of `Forecast`; the cost learns from what this work took.
    """

    def __init__(
        self,
        stage: Stage,
        report: ProgressCallback,
        *,
        weights: Sequence[float] | None = None,
        cost: Cost | None = None,
        after_s: float = 0.0,
    ) -> None:
        self._stage: Stage = stage
        self._report = report
        self._cost = cost
        self._forecast = Forecast(weights, cost, after_s)

    def __call__(self, done: int, total: int) -> None:
        """Report that so many are done."""
        left = self._forecast.seconds_left(time.monotonic(), done, total)
        if done == total:
            self._learn()
        self._report(Progress(self._stage, done, total, left))

    def _learn(self) -> None:
        if self._cost is not None:
            self._cost.learn(*self._forecast.spent)
