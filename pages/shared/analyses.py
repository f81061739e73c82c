"""The analyses that wait or run: they belong to the server and to a slide, not to a visit.

A visit that is loaded anew, or another reader of the same slide, finds the analysis again; the
question that is being answered already is joined, not asked twice. One that is being stopped answers
nobody: whoever asks then has it answered anew.
"""

import threading
import weakref
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import shapely

from pages.shared.chosen_slide import ChosenSlide
from pages.shared.uploads import UploadFolder
from seg_core.analysis import analyse
from seg_core.errors import SegCoreError
from seg_core.process.worker import Job, Worker
from seg_core.roi import Roi
from seg_core.settings import AnalysisSettings
from seg_core.store import Run, Store, default_store
from seg_core.store.label import RunLabel
from seg_core.subject import opened

WAITING_EACH, WAITING_MOST = 20, 200
"""So many analyses of one reader, and of all, may wait."""


@dataclass(frozen=True)
class Wanted:
    """What is to be analysed and how; equal ones are one question.

    Attributes
    ----------
    slide_id : str
    mpp : float
        Size of a level-0 pixel, µm, as it is known for the slide.
    roi : Roi or None
        The part; None is the whole slide.
    rectangle : bool
        The part is asked as its pixels.
    model : str or None
    settings : AnalysisSettings
    """

    slide_id: str
    mpp: float
    roi: Roi | None
    rectangle: bool
    model: str | None
    settings: AnalysisSettings

    def same_as(self, other: "Wanted") -> bool:
        """Tell whether both are answered by one run; the name of a ROI does not matter."""
        return self._key == other._key

    @property
    def part(self) -> str:
        """What is analysed, in words."""
        return "whole slide" if self.roi is None else self.roi.name

    @property
    def _key(self) -> tuple[object, ...]:
        polygon = None if self.roi is None else shapely.normalize(self.roi.polygon).wkb
        return (self.slide_id, self.mpp, polygon, self.rectangle, self.model, self.settings)


@dataclass(frozen=True)
class Asked:
    """What is known of an analysis that waits or runs.

    Attributes
    ----------
    slide : ChosenSlide
    wanted : Wanted
    owner : str or None
        Who asked first, as `pages.shared.visitor.folder_name` says; None where nobody knows.
    uploads : UploadFolder or None
        Keeps an uploaded slide for as long as there is a job, though its session may end.
    person : str
        Who asked first, in other readers' words; empty where nobody signs in.
    size : float or None
        Area in pixels times views of each: much larger analyses make way for this one.
    joined : tuple of Asked
        What others have asked who wait for the same answer.
    """

    slide: ChosenSlide
    wanted: Wanted
    owner: str | None
    uploads: UploadFolder | None
    person: str = ""
    size: float | None = None
    joined: "tuple[Asked, ...]" = ()

    @property
    def everyone(self) -> "tuple[Asked, ...]":
        """What each who waits for the answer has asked, who asked first before all others."""
        return (self, *self.joined)

    @property
    def parameters(self) -> dict[str, Any]:
        """What `seg_core.subject.opened` takes to put the question."""
        part, rectangle = self.wanted.roi, self.wanted.rectangle
        return {
            "slide_path": self.slide.path,
            "region": part.region if part is not None and rectangle else None,
            "roi": None if rectangle else part,
            "model": self.wanted.model,
            "mpp": self.slide.mpp,
            "settings": self.wanted.settings,
        }

    @property
    def label(self) -> RunLabel:
        """What is kept of it with a new run."""
        return RunLabel(person=self.person, owner=self.owner or "")


class Analyses:
    """The analyses of all sessions.

    They are held weakly: the worker holds a job until it has ended, a session until it has seen
    the end.

    Parameters
    ----------
    worker : callable
        Returns the process that analyses.
    """

    def __init__(self, worker: Callable[[], Worker]) -> None:
        self._worker = worker
        self._asked: weakref.WeakKeyDictionary[Job[Run], Asked] = weakref.WeakKeyDictionary()
        self._folders: weakref.WeakKeyDictionary[Job[Run], Path] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def ask(self, asked: Asked) -> Job[Run]:
        """Return the job that answers a question, the running one where it is asked already."""
        wanted = asked.wanted
        with self._lock:
            for job, other in self._asked.items():
                if not (job.done() or job.stopping) and other.wanted.same_as(wanted):
                    if asked.owner not in {each.owner for each in other.everyone}:
                        self._asked[job] = replace(other, joined=(*other.joined, asked))
                    return job
            job = self._worker().submit(
                analyse,
                asker=asked.owner,
                size=asked.size,
                store=default_store(),
                label=asked.label,
                thoroughly=True,
                **asked.parameters,
            )
            self._asked[job] = asked
            return job

    def at_work(self) -> list[tuple[Job[Run], Asked]]:
        """List the analyses that wait or run, in their order."""
        with self._lock:
            return [(job, asked) for job, asked in self._asked.items() if not job.done()]

    def of_slide(self, slide_id: str) -> list[tuple[Job[Run], Asked]]:
        """List those of one slide."""
        return [each for each in self.at_work() if each[1].wanted.slide_id == slide_id]

    def asked_of(self, job: Job[Any]) -> Asked | None:
        """Return what a job answers; None of one that is no analysis."""
        with self._lock:
            return self._asked.get(job)

    def folder_of(self, job: Job[Run]) -> Path | None:
        """Return where a job's run lies or will lie; None where its question makes no sense."""
        asked = self.asked_of(job)
        if asked is None:
            return None
        if job not in self._folders:
            try:
                with opened(**asked.parameters) as subject:
                    self._folders[job] = Store().folder(subject.question)
            except SegCoreError:  # which the job itself says
                return None
        return self._folders[job]

    def put_absent_last(self, present: Collection[str]) -> None:
        """Have the analyses of readers who have left wait until those of all others are done.

        They are not given up: somebody may have asked for them to find them in the morning.
        """
        for job, asked in self.at_work():
            owners = {each.owner for each in asked.everyone}
            if None not in owners and owners.isdisjoint(present):
                job.put_last()

    def stop_running(self, reason: str) -> None:
        """Stop the analysis that runs and tell its readers why; what it has finished is kept."""
        for job, _ in self.at_work():
            if job.is_running():
                job.cancel(reason)
