"""The cohorts that were asked for from pages: one at a time, and only while nobody waits for an analysis.

A cohort is batch work of hours, an analysis on the *Viewer* page is somebody who looks at the
screen. So a cohort at work makes way: it is stopped at its next tile, keeps what it has, and goes
on by itself when no analysis is left. One that a person stops does not, whatever else is wanted while
it finishes its tile. Cohorts follow one another in the order in which they were asked for.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pages.shared.cohort_process import CohortOrder, CohortProcess, start
from seg_core.errors import StoreError
from seg_core.process.logs import code_of

_log = logging.getLogger(__name__)

_LOOK_S = 0.5


@dataclass(frozen=True)
class CohortPlace:
    """A cohort that waits.

    Attributes
    ----------
    order : CohortOrder
    ahead : int
        Cohorts that come first, the one at work included.
    """

    order: CohortOrder
    ahead: int


class Cohorts:
    """All cohorts of the server; any number of threads may use it.

    Parameters
    ----------
    is_wanted : callable
        Tells whether anybody waits for an analysis, so that a cohort has to make way.
    begin : callable, optional
        Starts the process of an order.
    """

    def __init__(
        self,
        is_wanted: Callable[[], bool],
        begin: Callable[[CohortOrder], CohortProcess] = start,
    ) -> None:
        self._is_wanted = is_wanted
        self._begin = begin
        self._lock = threading.RLock()
        self._waiting: deque[CohortOrder] = deque()
        self._current: CohortProcess | None = None
        self._makes_way = False
        self._is_stopped = False  # the one at work, by a person
        self._problem: str | None = None
        self._conductor: threading.Thread | None = None

    @property
    def current(self) -> CohortProcess | None:
        """The cohort at work."""
        return self._current

    @property
    def makes_way(self) -> bool:
        """Whether the first cohort stands still for an analysis that somebody waits for."""
        with self._lock:
            return bool(self._current or self._waiting) and (
                self._makes_way or (self._current is None and self._is_wanted())
            )

    @property
    def problem(self) -> str | None:
        """Why the last one did not come to its end."""
        return self._problem

    def waiting(self) -> list[CohortPlace]:
        """List the cohorts that wait, the next one first."""
        with self._lock:
            ahead = int(self._current is not None)
            return [CohortPlace(order, ahead + n) for n, order in enumerate(self._waiting)]

    def add(self, order: CohortOrder) -> None:
        """Work off a cohort after those that were asked for before; the same one only once.

        One that was stopped and has not ended yet may be asked for again.
        """
        with self._lock:
            self.advance()
            known = {each.name for each in self._waiting}
            if self._current is not None and not self._is_stopped:
                known.add(self._current.order.name)
            if order.name not in known:
                self._problem = None
                self._waiting.append(order)
                self.advance()
            if self._conductor is None:
                self._conductor = threading.Thread(
                    target=self._conduct, name="cohorts", daemon=True
                )
                self._conductor.start()

    def stop(self, name: str) -> None:
        """Take a cohort from the queue, or stop it as Ctrl-C would; what is finished is kept."""
        with self._lock:
            self._waiting = deque(each for each in self._waiting if each.name != name)
            if self._current is not None and self._current.order.name == name:
                self._makes_way, self._is_stopped = False, True
                self._current.stop()

    def advance(self) -> None:
        """Look at what has ended, who wants the machine and who is next."""
        with self._lock:
            wanted = self._is_wanted()
            current = self._current
            if current is not None and not current.is_running():
                self._take_leave(current)
            elif current is not None and wanted and not (self._makes_way or self._is_stopped):
                self._makes_way = True
                current.stop()
            if self._current is None and self._waiting and not wanted:
                order = self._waiting.popleft()
                try:
                    self._current = self._begin(order)
                except (OSError, StoreError) as error:
                    reason = str(error).removesuffix(".")
                    self._problem = f"The cohort {order.name} could not be started ({reason})."

    def _take_leave(self, process: CohortProcess) -> None:
        is_done = process.progress().is_summed_up
        if self._makes_way and not is_done:
            self._waiting.appendleft(process.order.again())
        else:
            self._problem = process.problem()
        process.clear_up()
        self._current, self._makes_way, self._is_stopped = None, False, False

    def _conduct(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            try:
                self.advance()
            except Exception as error:  # noqa: BLE001 - a bug about one cohort must not end all
                _log.error("a cohort of a page went wrong\n%s", code_of(error))
