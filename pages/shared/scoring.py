"""TIL scores, computed beside the pages and kept for the next look.

A request is answered once: on any page and in any session the same request gives the same job.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass

from seg_core.errors import SegCoreError
from seg_core.process.worker import Job, Worker
from seg_core.scoring import Part
from seg_core.scoring.assessment import assess
from seg_core.store import Run
from seg_core.til import TilResult, TilSettings

# A whole slide's answer holds two maps of some 100 MB each.
_KEPT = 6


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
    """

    run: Run
    part: Part
    settings: TilSettings
    min_score: float = 0.0

    @property
    def key(self) -> str:
        """A name that no other request has."""
        outline = self.part.polygon.wkb_hex
        run = [str(self.run.path), self.run.names_version]
        entries = [*run, outline, self.settings.to_json(), self.min_score]
        return hashlib.sha256(json.dumps(entries).encode()).hexdigest()[:16]


class Scorings:
    """The answers that are there or on their way, by the key of their request."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._jobs: OrderedDict[str, Job[TilResult]] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, request: ScoringRequest) -> Job[TilResult]:
        """Return the job that answers a request, a new one where there is none."""
        with self._lock:
            job = self._jobs.pop(request.key, None) or self._worker.submit(
                assess,
                run=request.run,
                part=request.part,
                settings=request.settings,
                min_score=request.min_score,
            )
            self._jobs[request.key] = job
            while len(self._jobs) > _KEPT:
                _, dropped = self._jobs.popitem(last=False)
                dropped.cancel()
            return job

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
