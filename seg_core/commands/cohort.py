"""``python -m seg_core cohort``: many slides, one table."""

import argparse
import json
import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NoReturn, Self

from distributed import Client
from tqdm import tqdm

from seg_core.cohort.cluster import existing_cluster, local_workers
from seg_core.cohort.journal import Journal, Outcome, name_of
from seg_core.cohort.named_classifier import NamedClassifier
from seg_core.cohort.plan import read_plan
from seg_core.cohort.report import check_report_path, write_cohort_report
from seg_core.cohort.work import CohortOptions, Event, counted, work_off
from seg_core.commands.analysis_options import add_analysis_options, analysis_settings
from seg_core.commands.terminal import Subparsers
from seg_core.errors import CohortError
from seg_core.store import default_store

_STDOUT = "-"

_TILES_SHARE = 0.85

# Some ten minutes of two cores (docs/performance.md): little against what a range costs beside, and
# short enough that no worker is left with the last slide while the others wait.
_SPLIT_MPX = 1000.0


def add_cohort(subparsers: Subparsers) -> None:
    """Add ``cohort``: find the nuclei of many slides, on several workers."""
    parser = subparsers.add_parser(
        "cohort",
        help="find the nuclei of many slides, on this machine or a cluster",
        description="Find the nuclei of many slides and score their TILs. Finished slides are "
        "skipped, a bad slide is reported and the others go on; the same command goes on after "
        "anything that stopped it.",
    )
    parser.add_argument(
        "sources",
        metavar="FOLDER|CSV|SLIDE",
        nargs="+",
        type=Path,
        help="a CSV has a column slide, and mpp, roi, patient, group and others as you like",
    )
    parser.add_argument("--out", metavar="STORE", type=Path, help="folder of all runs")
    parser.add_argument("--name", help="of the cohort; by default made of the first source")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        metavar="N",
        type=_count,
        default=1,
        help="processes of this machine, which share its cores (default: 1 with all cores)",
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster, for instance tcp://10.0.0.5:8786"
    )
    parser.add_argument(
        "--memory",
        metavar="GB",
        type=float,
        help="what each worker of this machine may take (default: an equal share)",
    )
    parser.add_argument(
        "--split",
        metavar="MPX",
        type=_megapixels,
        default=_SPLIT_MPX,
        help="share a slide among workers when more megapixels of tissue are to be looked at, in "
        f"ranges of about as much; 0: never (default: {_SPLIT_MPX:g}; with one worker nothing is "
        "shared)",
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="try slides again that failed before"
    )
    parser.add_argument(
        "--classifier",
        metavar="FILE",
        type=Path,
        help="let a taught classifier name the nuclei of every slide; see teach",
    )
    parser.add_argument("--no-til", action="store_true", help="do not score TILs")
    parser.add_argument(
        "--report",
        metavar="FILE",
        type=Path,
        help="write the cohort as one document at the end, HTML or PDF, over an earlier one",
    )
    add_analysis_options(parser)
    parser.add_argument(
        "--json",
        metavar="FILE",
        nargs="?",
        const=_STDOUT,
        help="a JSON object a line for each event; without FILE on stdout, in place of sentences",
    )
    parser.set_defaults(run=_cohort, parser=parser)


def _cohort(options: argparse.Namespace) -> int:
    asked = CohortOptions(
        model=options.model,
        settings=analysis_settings(options),
        mpp=options.mpp,
        region=options.region,
        til=not options.no_til,
        retry_failed=options.retry_failed,
        classifier=None if options.classifier is None else NamedClassifier.read(options.classifier),
        split_mpx=_split(options),
    )
    if options.report is not None:
        check_report_path(options.report)
    items = read_plan(options.sources, rois=options.roi)
    journal = Journal(options.out or default_store(), options.name or name_of(options.sources))
    outcomes: list[Outcome] = []
    skipped = 0
    with ExitStack() as stack:
        stack.enter_context(_stopped_by_batch_systems())
        tell = stack.enter_context(_Teller(options.json, len(items)))
        client = stack.enter_context(_workers(options))
        tell.started(journal.name, client.dashboard_link)
        events = stack.enter_context(closing(work_off(items, journal, asked, client)))
        try:
            for event in events:
                tell.happened(event)
                if event.kind in ("skipped", "ended") and event.outcome is not None:
                    outcomes.append(event.outcome)
                    skipped += event.kind == "skipped"
        except KeyboardInterrupt:
            raise CohortError("stopped; the same command goes on where it stopped.") from None
        tell.summary(journal.name, counted(outcomes), skipped)
    if options.report is not None:
        write_cohort_report(journal.store, journal.name, options.report, force=True)
    return int(any(outcome.state != "finished" for outcome in outcomes))


def _split(options: argparse.Namespace) -> float | None:
    """Return from when on a slide is shared; one worker of this machine has nobody to share with."""
    is_alone = options.scheduler is None and options.workers == 1
    return None if is_alone or not options.split else options.split


def _workers(options: argparse.Namespace) -> AbstractContextManager[Client]:
    if options.scheduler is not None:
        return existing_cluster(options.scheduler)
    return local_workers(options.workers, memory_gb=options.memory)


@contextmanager
def _stopped_by_batch_systems() -> Iterator[None]:
    """Take the signal by which a batch system ends a job for Ctrl-C."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Teller:
    """Tells a person, or a program, what happens.

    Parameters
    ----------
    target : str or None
        File for events as JSON, ``-`` for stdout; None for sentences.
    total : int
        Items of the cohort.
    """

    def __init__(self, target: str | None, total: int) -> None:
        self._target = target
        self._total = total
        self._shares: dict[str, float] = {}
        self._failed = 0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._lines: IO[str] = sys.stdout
        if self._target is not None and self._target != _STDOUT:
            with _unwritable(self._target):
                file = Path(self._target).open("w", encoding="utf-8")
            self._lines = self._stack.enter_context(file)
        self._bar: tqdm[NoReturn] = self._stack.enter_context(
            tqdm(
                total=self._total,
                disable=None,
                bar_format="{percentage:3.0f} % |{bar}| {desc}, ends about {eta:%d %b %H:%M}",
            )
        )
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def started(self, name: str, dashboard: str | None) -> None:
        """Tell where to look while it goes on."""
        if self._target is not None:
            self._line({"event": "started", "cohort": name, "slides": self._total})
        if dashboard is not None and find_spec("bokeh") is not None:
            tqdm.write(f"workers: {dashboard}", file=sys.stderr)

    def happened(self, event: Event) -> None:
        """Tell an event."""
        if self._target is not None:
            self._line(event.to_json())
        self._advance(event)
        if event.outcome is None or event.kind == "waiting":
            return
        if event.outcome.state != "finished":
            self._failed += 1
            tqdm.write(f"{event.item.name}: {event.outcome.error}", file=sys.stderr)
        elif event.kind == "ended" and self._target != _STDOUT:
            sentence = f"{event.item.name}: {event.outcome.nuclei} nuclei in "
            sentence += f"{event.outcome.megapixels:.1f} Mpx, {event.outcome.seconds:.1f} s"
            tqdm.write(f"{sentence}: {event.outcome.run}", file=sys.stdout)
            sys.stdout.flush()

    def summary(self, name: str, counts: dict[str, int], skipped: int) -> None:
        """Tell how it ended."""
        seconds = round(time.monotonic() - self._began, 1)
        failed = sum(counts.values()) - counts.get("finished", 0)
        finished = counts.get("finished", 0)
        if self._target is not None:
            facts = {"finished": finished, "failed": failed, "skipped": skipped}
            self._line({"event": "summary", "cohort": name, **facts, "seconds": seconds})
        if self._target != _STDOUT:
            sentence = f"cohort {name}: {self._total} slides, {finished} finished, {failed} failed"
            tqdm.write(f"{sentence}, {skipped} of them before; {seconds:.0f} s.", file=sys.stdout)

    def _advance(self, event: Event) -> None:
        name = event.item.name
        if event.progress is None:
            self._shares[name] = float(event.kind != "waiting")
        elif event.progress["stage"] == "tiles" and event.progress["total"]:
            # tiles take most of the time; a bar of slides alone would stand still for an hour
            self._shares[name] = _TILES_SHARE * event.progress["done"] / event.progress["total"]
        running = sum(0 < share < 1 for share in self._shares.values())
        ended = sum(share == 1 for share in self._shares.values())
        self._bar.set_description_str(
            f"{ended} of {self._total} slides, {running} at work, {self._failed} failed"
        )
        self._bar.update(sum(self._shares.values()) - self._bar.n)

    def _line(self, entries: dict[str, Any]) -> None:
        self._lines.write(json.dumps(entries, ensure_ascii=False) + "\n")
        self._lines.flush()


@contextmanager
def _unwritable(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CohortError(
            f"{path} cannot be written ({error.strerror}); choose another place."
        ) from error


def _megapixels(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if 0 <= value < math.inf:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number of megapixels; give 0 or more.")


def _count(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of workers; give 1 or more.")
