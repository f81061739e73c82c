"""TIL scores, computed beside the pages and kept for the next look.

A request is answered once: on any page and in any session the same request gives the same job.
"""

import hashlib
import json
import queue
import threading
import weakref
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field

from seg_core.errors import SegCoreError
from seg_core.process.worker import Job, Worker
from seg_core.scoring import Part
from seg_core.scoring.assessment import assess
from seg_core.store import Run
from seg_core.til import TilResult, TilSettings

# A whole slide's answer holds two maps of some 100 MB each.
_KEPT = 6

WAITING_EACH, WAITING_MOST = 8, 100
"""So many scorings of one visitor, and of all, may wait."""


@dataclass(frozen=True)
class ScoringRequest:
    """What is scored and how.

    Attributes
    ----------
    run : Run
    part : Part
    settings : TilSettings
    min_score : float
        See `seg_core.scoring.assessment.assess`.
    names : str
        What `seg_core.store.Run.names_version` said when this was made, before anything is scored.
    """

    run: Run
    part: Part
    settings: TilSettings
    min_score: float = 0.0
    names: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", self.run.names_version)

    @property
    def key(self) -> str:
        """A name that no other request has; it stays while people correct."""
        tumour = self.part.tumour
        outline = self.part.polygon.wkb_hex
        drawn = None if tumour is None else [tumour.polygon.wkb_hex, *tumour.names]
        run = [str(self.run.path), self.names]
        entries = [*run, outline, drawn, self.settings.to_json(), self.min_score]
        return hashlib.sha256(json.dumps(entries).encode()).hexdigest()[:16]


@dataclass(eq=False)
class Waiting:
    """That a session waits for an answer: the session holds it, and nothing else does.

    Attributes
    ----------
    key : str
        Of the request.
    job : Job
    """

    key: str
    job: Job[TilResult]


class Scorings:
    """The answers that are there or on their way, by the key of their request.

    What nobody waits for any more is not computed; what somebody waits for is never dropped for
    another's sake.

    Parameters
    ----------
    worker : Worker
        Bounds how much may wait.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._jobs: OrderedDict[str, Job[TilResult]] = OrderedDict()
        self._waiting: dict[str, weakref.WeakSet[Waiting]] = {}
        # filled by finalizers, which may run at any moment, even while this thread has the lock
        self._left: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()

    def ask(self, request: ScoringRequest, visitor: str | None = None) -> Waiting:
        """Return what waits for the job that answers a request, a new one where there is none.

        Parameters
        ----------
        request : ScoringRequest
        visitor : str, optional
            Who asks; visitors take turns.

        Raises
        ------
        JobError
            If too many requests wait already.
        """
        self.drop_what_nobody_waits_for()
        with self._lock:
            job = self._jobs.pop(request.key, None) or self._worker.submit(
                assess,
                asker=visitor,
                run=request.run,
                part=request.part,
                settings=request.settings,
                min_score=request.min_score,
            )
            self._jobs[request.key] = job
            ended = [key for key, other in self._jobs.items() if other.done()]
            for key in ended[:-_KEPT]:
                del self._jobs[key]
            waiting = Waiting(request.key, job)
            self._waiting.setdefault(request.key, weakref.WeakSet()).add(waiting)
            weakref.finalize(waiting, self._left.put, request.key).atexit = False
            return waiting

    def drop_what_nobody_waits_for(self) -> None:
        """Cancel the jobs whose sessions have gone on or ended."""
        with suppress(queue.Empty):
            while True:
                self._leave(self._left.get_nowait())

    def _leave(self, key: str) -> None:
        with self._lock:
            if self._waiting.get(key):
                return
            self._waiting.pop(key, None)
            job = self._jobs.get(key)
            if job is not None and not job.done():
                del self._jobs[key]
                job.cancel()

    def forget_ended(self) -> None:
        """Keep no answer for a next look; what nobody has answered yet goes on."""
        with self._lock:
            for key in [key for key, job in self._jobs.items() if job.done()]:
                del self._jobs[key]

    def forget(self, request: ScoringRequest) -> None:
        """Have a request answered anew the next time."""
        with self._lock:
            self._jobs.pop(request.key, None)

    def find(self, key: str) -> TilResult | None:
        """Return the answer to a request if it is there."""
        with self._lock:
            job = self._jobs.get(key)
        if job is None or not job.done():
            return None
        try:
            return job.result()
        except SegCoreError:
            return None
