"""What a worker does: one item of a cohort, from the slide to its scores."""

import logging
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import get_worker
from distributed.worker import Worker

from seg_core import ranges
from seg_core.analysis import analyse
from seg_core.apart import apart
from seg_core.classes import VoteWeight
from seg_core.cohort.journal import Ending, Outcome
from seg_core.cohort.named_classifier import NamedClassifier
from seg_core.cohort.plan import Item
from seg_core.cohort.summary import SUMMARY_FILE, is_kept_for, keep_summary
from seg_core.cohort.thumbnails import THUMBNAIL_FILE, keep_thumbnail
from seg_core.cohort.til_maps import MAP_FILE, is_of_scores, keep_map
from seg_core.errors import (
    BusyError,
    JobCancelled,
    ModelError,
    RegionError,
    SegCoreError,
    SlideError,
    StoreError,
    counted,
)
from seg_core.geometry import Region
from seg_core.model import find_model
from seg_core.nuclei.context_head import context_head_of
from seg_core.process.logs import code_of
from seg_core.process.memory import return_memory
from seg_core.process.progress import Progress
from seg_core.scoring.assessment import TIL_FILE, assess, keep_scores
from seg_core.settings import AnalysisSettings
from seg_core.store import RowRange, Run
from seg_core.teaching.apply import classify

_log = logging.getLogger(__name__)

# At least a fifth more than was resident at most, the model included, on a slide of 20,000 × 10,000 px
# (docs/cohort.md); it depends on neither the slide's width nor its height.
NEEDED_BYTES = int(1.6e9)
NEEDED_BYTES_TORCH = int(2.2e9)

# Between two reports of one slide; a hundred workers must not flood the scheduler.
_REPORT_S = 1.0

# Faults of the place, not of the slide: the next start tries again by itself.
_REFUSED = (StoreError, ModelError)


@dataclass(frozen=True)
class Asked:
    """What a worker needs to know; it travels to it.

    Attributes
    ----------
    item : Item
    key : str
        Of the item.
    store : Path
    model : str or Path or None
        As for `seg_core.analysis.analyse`.
    model_sha256 : str
        Of the model that the cohort began with.
    votes : tuple of VoteWeight or None
        What its card says of the votes of its classes.
    context_head : str or None
        Checksum of its context head.
    settings : AnalysisSettings
    region : Region or None
        Part of each slide, level-0 pixels.
    til : bool
        Whether TILs are scored too.
    topic : str
        Where the worker reports.
    split_mpx : float or None
        Larger slides are cut into ranges of about so many megapixels; None: never.
    rows : RowRange or None
        The range that is asked; None: the whole slide.
    joined : bool
        All ranges are done, and are to become one run.
    classifier : NamedClassifier or None
        Names the nuclei once they are found.
    """

    item: Item
    key: str
    store: Path
    model: str | Path | None
    model_sha256: str
    votes: tuple[VoteWeight, ...] | None
    context_head: str | None
    settings: AnalysisSettings
    region: Region | None
    til: bool
    topic: str
    split_mpx: float | None = None
    rows: RowRange | None = None
    joined: bool = False
    classifier: NamedClassifier | None = None

    @property
    def part(self) -> str:
        """What is asked of the item, in letters that a task's name may have."""
        if self.rows is not None:
            return f"{self.rows.top}-{self.rows.bottom}"
        return "joined" if self.joined else "whole"

    def question(self) -> ranges.AnalysisOptions:
        """Return what the analysis is asked."""
        return {
            "region": self.region if self.item.roi is None else None,
            "roi": self.item.roi,
            "model": self.model,
            "mpp": self.item.mpp,
            "unstated_mpp": self.item.unstated_mpp,
            "settings": self.settings,
        }


@dataclass(frozen=True)
class Division:
    """The answer for a slide that is so large that several workers are to do it.

    Attributes
    ----------
    ranges : tuple of RowRange
    """

    ranges: tuple[RowRange, ...]


def work_on(asked: Asked, name: str) -> Outcome | Division:
    """Analyse one item on a worker of Dask and tell how it ended; nothing is raised for a slide.

    Of a range the outcome is *finished* when it is done, and has no facts.

    Parameters
    ----------
    asked : Asked
    name : str
        Of this task at the scheduler.
    """
    worker = get_worker()
    here = _name_of(worker)

    def ended(state: Ending, **facts: Any) -> Outcome:
        return Outcome(asked.key, state, worker=here, **facts)

    try:
        if (reason := too_small(worker, asked.settings)) is not None:
            return ended("refused", error=reason)
        _refuse_other_model(asked)
        report = _Reporter(worker, asked, name)
        if asked.rows is not None:
            ranges.analyse_range(
                asked.item.slide, asked.store, asked.rows, report, **asked.question()
            )
            return ended("finished")
        if asked.split_mpx is not None and not asked.joined:
            planned = ranges.plan_ranges(
                asked.item.slide, asked.store, most_mpx=asked.split_mpx, **asked.question()
            )
            if planned:
                return Division(planned)
        run = _analysed(asked, report)
    except JobCancelled:
        return ended("stopped")
    except BusyError as error:
        return ended("busy", error=str(error))
    except _REFUSED as error:
        return ended("refused", error=str(error))
    except SegCoreError as error:
        return ended("failed", error=str(error))
    except Exception as error:  # noqa: BLE001 - a bug on one slide must not end the others
        _log.error("a slide of a cohort failed\n%s", code_of(error))
        sentence = f"a mistake in the program stopped the work ({type(error).__name__}); please"
        return ended("failed", error=f"{sentence} report it together with the worker's log.")
    finally:
        return_memory()
    return ended("finished", **_facts_of(run, asked.store))


def needed_bytes(settings: AnalysisSettings) -> int:
    """Return what a worker needs for one slide at a time, whatever the slide measures."""
    return NEEDED_BYTES_TORCH if settings.engine == "torch" else NEEDED_BYTES


def too_small(worker: Worker, settings: AnalysisSettings) -> str | None:
    """Return why a worker has not the memory for a slide, None where it has."""
    limit = worker.memory_manager.memory_limit
    slides = worker.state.nthreads
    needed = needed_bytes(settings)
    if limit is None or limit >= slides * needed:
        return None
    there, asked = apart(limit / 1e9, needed / 1e9, places=1)
    return (
        f"the worker {_name_of(worker)} has {there} GB for {counted(slides, 'slide')} "
        f"at a time, and each needs {asked} GB; give it more memory (--memory, or --memory-limit "
        "of dask worker), or start fewer workers."
    )


def _refuse_other_model(asked: Asked) -> None:
    card, weights = find_model(asked.model)
    answering = card.sha256, card.scheme.votes, context_head_of(card, weights)
    if answering != (asked.model_sha256, asked.votes, asked.context_head):
        raise ModelError(
            f"the model {card.name} of this worker is another one than the cohort began with; "
            "install the same version of the program and its weights on every machine."
        )


def _analysed(asked: Asked, report: "_Reporter") -> Run:
    if asked.joined:
        run = ranges.join_ranges(asked.item.slide, asked.store, report, **asked.question())
    else:
        run = analyse(asked.item.slide, asked.store, report=report, **asked.question())
    if asked.classifier is not None:
        classify(run, asked.classifier.classifier, name=asked.classifier.name)
    if not is_kept_for(run, SUMMARY_FILE):
        keep_summary(run)
    if not (run.path / THUMBNAIL_FILE).is_file():
        with suppress(SlideError), closing(run.open_slide()) as slide:
            keep_thumbnail(run, slide)
    if asked.til and not _has_scores_and_map(run):
        try:
            result = assess(run, report=report)
            keep_scores(run, result)
            with closing(run.open_slide()) as slide:
                keep_map(run, slide, result)
        except (ModelError, RegionError, SlideError) as error:
            # no tissue, or a model that knows no lymphocytes: nuclei without a score are still nuclei,
            # and the catalogue says that there is none
            _log.warning("no TIL score: %s", type(error).__name__, extra={"run": run.run_id})
    return run


def _has_scores_and_map(run: Run) -> bool:
    """Tell whether both are there, of the nuclei as they are called and counted now."""
    scores, drawn = run.path / TIL_FILE, run.path / MAP_FILE
    return (
        is_kept_for(run, TIL_FILE)
        and is_of_scores(run.path)
        # maps of before they told what they are of
        and drawn.stat().st_mtime_ns >= scores.stat().st_mtime_ns
    )


def _facts_of(run: Run, store: Path) -> dict[str, Any]:
    facts = run.facts
    counts = facts.counts if run.classifier is None else run.counts()
    return {
        "run": run.path.relative_to(store).as_posix(),
        "nuclei": sum(counts.get(name, 0) for name in run.scheme.names),
        "megapixels": facts.megapixels,
        "seconds": facts.seconds,
    }


def _name_of(worker: Worker) -> str:
    return str(worker.name if worker.name is not None else worker.address)


class _Reporter:
    """Tells the command how far a slide is, and stops it when nobody waits for it any more."""

    def __init__(self, worker: Worker, asked: Asked, name: str) -> None:
        self._worker = worker
        self._asked = asked
        self._name = name
        self._told = -float("inf")
        self._stage: str | None = None

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage == self._stage and now - self._told < _REPORT_S:
            return
        self._told, self._stage = now, progress.stage
        # The scheduler takes a task back when its command was stopped or has died.
        task = self._worker.state.tasks.get(self._name)
        if task is None or task.state not in ("executing", "long-running"):
            raise JobCancelled("nobody waits for this slide any more; what was finished is kept.")
        self._worker.log_event(
            self._asked.topic,
            {
                "key": self._asked.key,
                "part": self._asked.part,
                "by": _name_of(self._worker),  # Dask puts an address under worker
                "stage": progress.stage,
                "done": progress.done,
                "total": progress.total,
                "seconds_left": progress.seconds_left,
            },
        )
