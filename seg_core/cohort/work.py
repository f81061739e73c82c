"""Work off a cohort: give items to workers, listen to them, write down how each ended."""

import queue
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from seg_core.cohort.division import DividedItem
from seg_core.cohort.journal import Journal, Outcome
from seg_core.cohort.named_classifier import NamedClassifier
from seg_core.cohort.plan import CohortQuestion, Item
from seg_core.cohort.task import Asked, Division, work_on
from seg_core.errors import BusyError, CohortError
from seg_core.files.lease import held
from seg_core.geometry import Region
from seg_core.model import find_model
from seg_core.nuclei.context_head import context_head_of
from seg_core.question import naming_of
from seg_core.settings import AnalysisSettings
from seg_core.teaching.apply import doubt_about

# An item that another process is at is asked for again after so long.
_BUSY_S = 5.0

# How long to wait for news before looking whether the scheduler is still there.
_LISTEN_S = 0.5

# Key of the item, and what of it is asked.
_Task = tuple[str, str]

_TOLD = ("worker", "stage", "done", "total", "seconds_left")


@dataclass(frozen=True)
class Event:
    """Something that happened to an item.

    Attributes
    ----------
    kind : {"skipped", "progress", "ended", "waiting"}
        *waiting*: another process is at work on it; it is asked for again.
    item : Item
    key : str
        Of the item, which no other one has, as two slides may have one name.
    outcome : Outcome or None
        Where it ended or was skipped.
    progress : dict or None
        ``worker``, ``stage``, ``done``, ``total``, ``seconds_left``.
    """

    kind: str
    item: Item
    key: str
    outcome: Outcome | None = None
    progress: dict[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the event as a line for machines."""
        entries: dict[str, Any] = {"event": self.kind, "slide": self.item.name, "key": self.key}
        if self.outcome is not None:
            entries |= {
                "state": self.outcome.state,
                "run": self.outcome.run,
                "error": self.outcome.error,
                "nuclei": self.outcome.nuclei,
                "seconds": self.outcome.seconds,
                "worker": self.outcome.worker,
            }
        return entries | (self.progress or {})


@dataclass(frozen=True)
class CohortOptions:
    """How a cohort is analysed.

    Attributes
    ----------
    model : str or Path or None
    settings : AnalysisSettings
    mpp : float or None
        Size of a level-0 pixel, µm, of slides for which neither row nor file states one.
    override_mpp : bool
        Whether ``mpp`` is taken for slides whose file states another, too.
    region : Region or None
        A part of every slide, level-0 pixels.
    til : bool
        Whether TILs are scored too.
    retry_failed : bool
        Whether items that failed before are tried again.
    split_mpx : float or None
        A slide on which the network is asked for more megapixels is done by several workers, in
        ranges of about as much; None: by one, whatever it measures.
    classifier : NamedClassifier or None
        Names the nuclei of every slide.
    """

    model: str | Path | None = None
    settings: AnalysisSettings = field(default_factory=AnalysisSettings)
    mpp: float | None = None
    override_mpp: bool = False
    region: Region | None = None
    til: bool = True
    retry_failed: bool = False
    split_mpx: float | None = None
    classifier: NamedClassifier | None = None

    def doubt(self) -> str | None:
        """Return what is to be told of the classifier before work begins, None where nothing is.

        Raises
        ------
        ModelError
            If there is no such model.
        """
        if self.classifier is None:
            return None
        card, weights = find_model(self.model)
        if self.classifier.classifier.model_sha256 != card.sha256:
            return None  # of another model: refused when work begins
        naming = naming_of(card.scheme.votes, context_head_of(card, weights))
        return doubt_about(self.classifier.classifier, naming)


def work_off(
    items: Sequence[Item],
    journal: Journal,
    options: CohortOptions,
    client: Client,
) -> Generator[Event, None, None]:
    """Give the items of a cohort to workers and tell what happens, until all have ended.

    What ended before is skipped: finished items, and failed ones unless they are to be tried
    again. Closing the iterator takes back what is not done; workers keep what they have finished.

    Parameters
    ----------
    items : sequence of Item
    journal : Journal
    options : CohortOptions
    client : distributed.Client

    Yields
    ------
    Event
        For each item a last one that is *skipped* or *ended*.

    Raises
    ------
    BusyError
        If another command works on the same cohort.
    CohortError
        If the scheduler is gone.
    ModelError, StoreError
        If nothing can be done for any slide.
    """
    card, weights = find_model(options.model)
    head = context_head_of(card, weights)
    if options.classifier is not None:
        options.classifier.classifier.refuse_other_model(card.name, card.sha256)
    question = CohortQuestion(
        card.name,
        card.sha256,
        options.settings,
        options.classifier,
        options.region,
        options.til,
        card.scheme.votes,
        head,
    )
    items = [item.sized(options.mpp, overrides=options.override_mpp) for item in items]
    with ExitStack() as stack:
        try:
            stack.enter_context(held(journal.folder))
        except BusyError as error:
            raise BusyError(
                f"another command is at work on the cohort {journal.name} of {journal.store}; wait "
                "until it is done, stop it there, or choose another --name."
            ) from error
        keys = journal.write_plan(items, question)
        before = journal.outcomes()
        crew = stack.enter_context(closing(_Crew(client)))
        for item, key in zip(items, keys, strict=True):
            asked = Asked(
                item=item,
                key=key,
                store=journal.store.absolute(),
                model=options.model,
                model_sha256=card.sha256,
                votes=card.scheme.votes,
                context_head=head,
                settings=options.settings,
                region=options.region,
                til=options.til,
                topic=crew.topic,
                split_mpx=options.split_mpx,
                classifier=options.classifier,
            )
            outcome = before.get(key)
            failed = outcome is not None and outcome.state == "failed"
            finished = journal.is_finished(outcome, options.classifier, til=options.til)
            if finished or (failed and not options.retry_failed):
                yield Event("skipped", item, key, outcome)
            elif item.problem is not None:
                outcome = Outcome(key, "failed", error=item.problem)
                journal.record(outcome)
                yield Event("ended", item, key, outcome)
            else:
                crew.give(asked)
        for event in crew.events():
            if event.kind == "ended":
                assert event.outcome is not None
                journal.record(event.outcome)
            yield event


class _Crew:
    """The workers, the tasks that they have, and what they say.

    A task is one item, or one range of it; it is called by the key of the item and by the part.
    """

    def __init__(self, client: Client) -> None:
        self.topic = f"seg_core-{time.time_ns():x}"
        self._client = client
        self._futures: dict[_Task, tuple[Asked, Future]] = {}
        self._again: dict[_Task, tuple[Asked, float]] = {}
        self._divided: dict[str, DividedItem] = {}
        self._news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._tries = 0
        client.subscribe_topic(self.topic, self._hear)

    def give(self, asked: Asked) -> None:
        """Let some worker do an item, or a range of it."""
        self._tries += 1
        task = (asked.key, asked.part)
        name = "-".join([self.topic, *task, str(self._tries)])
        future = self._client.submit(work_on, asked, name, key=name, pure=False, retries=0)
        self._futures[task] = (asked, future)
        future.add_done_callback(lambda _future: self._news.put(("done", (task, future))))

    def events(self) -> Iterator[Event]:
        """Give what happens until nothing is left."""
        while self._futures or self._again:
            self._ask_again()
            try:
                kind, news = self._news.get(timeout=_LISTEN_S)
            except queue.Empty:
                self._look_for_scheduler()
                continue
            if kind == "progress":
                task = (news["key"], news["part"])
                if task in self._futures:
                    asked, _future = self._futures[task]
                    told = self._progress(asked, news)
                    yield Event("progress", asked.item, asked.key, progress=told)
            else:
                task, future = news
                if self._futures.get(task, (None, None))[1] is future:  # else it was taken back
                    yield from self._ended(task)

    def _progress(self, asked: Asked, news: dict[str, Any]) -> dict[str, Any]:
        """Return what a worker has told; of a range, as what it means for the whole slide."""
        told = {name: news[name] for name in _TOLD}
        divided = self._divided.get(asked.key)
        if divided is not None and asked.rows is not None:
            told |= divided.advanced(asked.rows, news["stage"], news["done"])
        return told

    def _ended(self, task: _Task) -> Iterator[Event]:
        asked, future = self._futures.pop(task)
        answer = self._answer(future, asked.key)
        if isinstance(answer, Division):
            self._divided[asked.key] = DividedItem(answer)
            for rows in answer.ranges:
                self.give(replace(asked, rows=rows))
        elif answer.state in ("busy", "stopped"):
            self._again[task] = (asked, time.monotonic() + _BUSY_S)
            yield Event("waiting", asked.item, asked.key, answer)
        elif asked.rows is not None and answer.state == "finished":
            divided = self._divided[asked.key]
            divided.end(asked.rows)
            if divided.is_done:
                self.give(replace(asked, rows=None, joined=True))
        else:
            self._take_back(asked.key)
            yield Event("ended", asked.item, asked.key, answer)

    def _take_back(self, key: str) -> None:
        """Take back the other ranges of an item of which one has failed."""
        futures = [self._futures.pop(task)[1] for task in list(self._futures) if task[0] == key]
        self._again = {task: each for task, each in self._again.items() if task[0] != key}
        if futures:
            self._client.cancel(futures, force=True)

    def close(self) -> None:
        """Take back what is not done."""
        with suppress(OSError, RuntimeError, TimeoutError):  # the scheduler may be gone
            self._client.unsubscribe_topic(self.topic)
            futures = [future for _asked, future in self._futures.values()]
            self._client.cancel(futures, force=True)

    def _hear(self, event: tuple[float, Any]) -> None:
        _when, message = event
        self._news.put(("progress", {**message, "worker": message["by"]}))

    def _answer(self, future: Future, key: str) -> Outcome | Division:
        if future.status == "finished":
            return future.result()
        if future.status != "error":
            self._look_for_scheduler(lost=True)
        error = future.exception()
        if isinstance(error, KilledWorker):
            sentence = (
                f"the work on it ended {error.allowed_failures + 1} workers, most often for want "
                "of memory; give each worker more with --memory or start fewer."
            )
            return Outcome(key, "failed", error=sentence)
        sentence = (
            f"a worker could not do it ({type(error).__name__}: {error}); install the same version "
            "of the program on every machine."
        )
        return Outcome(key, "refused", error=sentence)

    def _ask_again(self) -> None:
        now = time.monotonic()
        for task, (asked, when) in list(self._again.items()):
            if when <= now:
                del self._again[task]
                self.give(asked)

    def _look_for_scheduler(self, *, lost: bool = False) -> None:
        if lost or self._client.status not in ("running", "connecting"):
            raise CohortError(
                "the scheduler is gone; start the same command again, it goes on where it stopped."
            )
