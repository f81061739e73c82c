"""``python -m seg_core cohort``: many slides, one table."""

import argparse
import math
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn, Self, TextIO

from distributed import Client
from tqdm import tqdm

from seg_core.apart import apart
from seg_core.cohort.cluster import existing_cluster, local_workers, memory_of_each
from seg_core.cohort.journal import Journal, name_of
from seg_core.cohort.named_classifier import NamedClassifier
from seg_core.cohort.plan import Item, items_called, read_plan
from seg_core.cohort.progress import CohortProgress
from seg_core.cohort.report import check_report_path, write_cohort_report
from seg_core.cohort.task import needed_bytes
from seg_core.cohort.work import CohortOptions, Event, work_off
from seg_core.commands.analysis_options import add_analysis_options, analysis_settings
from seg_core.commands.terminal import Subparsers, json_line, shown
from seg_core.errors import CohortError, counted
from seg_core.files.outputs import check_events, place_of, refuse_inputs
from seg_core.settings import AnalysisSettings
from seg_core.slide import check_mpp
from seg_core.store import default_store

_STDOUT = "-"

# Some ten minutes of two cores (docs/performance.md): little against what a range costs beside, and
# short enough that no worker is left with the last slide while the others wait.
_SPLIT_MPX = 1000.0

# More names of slides do not fit beside the bar.
_NAMED_AT_WORK = 2


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
        type=_source,
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
        type=_gigabytes,
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
    add_analysis_options(
        parser,
        mpp_words="size of a level-0 pixel, of slides for which neither row nor file states one",
    )
    parser.add_argument(
        "--override-mpp",
        action="store_true",
        help="take --mpp for slides whose file states another, too; a row's own mpp always goes before",
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        nargs="?",
        const=_STDOUT,
        help="a JSON object a line for each event; without FILE on stdout, in place of sentences",
    )
    parser.set_defaults(run=_cohort, parser=parser)


def _cohort(options: argparse.Namespace) -> int:
    if options.memory is not None and options.scheduler is not None:
        options.parser.error(
            "--memory is for workers of this machine; those of a cluster are told theirs when they "
            "are started, with --memory-limit of dask worker."
        )
    if options.mpp is not None:
        check_mpp(options.mpp)
    elif options.override_mpp:
        options.parser.error("--override-mpp needs the size that is to be taken; add --mpp.")
    asked = CohortOptions(
        model=options.model,
        settings=analysis_settings(options),
        mpp=options.mpp,
        override_mpp=options.override_mpp,
        region=options.region,
        til=not options.no_til,
        retry_failed=options.retry_failed,
        classifier=None if options.classifier is None else NamedClassifier.read(options.classifier),
        split_mpx=_split(options),
    )
    if options.report is not None:
        check_report_path(options.report)
    if options.json not in (None, _STDOUT):
        read = [*options.sources, *filter(None, [options.roi, options.classifier])]
        refuse_inputs([Path(options.json)], read)
        check_events(Path(options.json))
    items = read_plan(options.sources, rois=options.roi)
    for note in dict.fromkeys(filter(None, [asked.doubt(), *(item.note for item in items)])):
        _write(note, sys.stderr)
    journal = Journal(options.out or default_store(), options.name or name_of(options.sources))
    with ExitStack() as stack:
        stack.enter_context(_stopped_by_batch_systems())
        tell = stack.enter_context(_Teller(options.json, journal.name, items))
        client = stack.enter_context(_workers(options, asked.settings))
        tell.started(client.dashboard_link, len(client.scheduler_info()["workers"]))
        events = stack.enter_context(closing(work_off(items, journal, asked, client)))
        try:
            for event in events:
                tell.happened(event)
        except KeyboardInterrupt:
            raise CohortError("stopped; the same command goes on where it stopped.") from None
        tell.summary()
    if options.report is not None:
        write_cohort_report(journal.store, journal.name, options.report, force=True)
    return int(tell.progress.failed > 0)


def _split(options: argparse.Namespace) -> float | None:
    """Return from when on a slide is shared; one worker of this machine has nobody to share with."""
    is_alone = options.scheduler is None and options.workers == 1
    return None if is_alone or not options.split else options.split


def _workers(
    options: argparse.Namespace, settings: AnalysisSettings
) -> AbstractContextManager[Client]:
    if options.scheduler is not None:
        return existing_cluster(options.scheduler)
    # what the workers may take is no more than there is, whatever --memory lets each of them have
    each = min(memory_of_each(options.workers, given) for given in (None, options.memory))
    needed = needed_bytes(settings)
    if each < needed:
        who = "the worker" if options.workers == 1 else f"each of {options.workers} workers"
        there, asked = apart(each / 1e9, needed / 1e9, places=1)
        raise CohortError(
            f"{who} would have {there} GB and needs {asked} GB; start fewer with --workers, or give each more with --memory."
        )
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
    name : str
        Of the cohort.
    items : sequence of Item
        Slides, unless ROIs of them are asked for, too.
    """

    def __init__(self, target: str | None, name: str, items: Sequence[Item]) -> None:
        self._target = target
        self._name = name
        of_rois = any(item.roi is not None for item in items)
        self._asked = counted(len(items), *items_called(of_rois=of_rois))
        self.progress = CohortProgress(len(items))
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._lines: TextIO = sys.stdout
        if self._target is not None and self._target != _STDOUT:
            with _unwritable(self._target):
                file = place_of(Path(self._target)).open("w", encoding="utf-8")
            self._lines = self._stack.enter_context(file)
        self._bar: tqdm[NoReturn] = self._stack.enter_context(
            tqdm(total=1.0, disable=None, bar_format="{percentage:3.0f} % |{bar}| {desc}")
        )
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def started(self, dashboard: str | None, workers: int) -> None:
        """Tell where to look while it goes on; Dask has a page of its own where bokeh is there."""
        page = dashboard if find_spec("bokeh") is not None else None
        total = self.progress.total
        self._line({"event": "started", "cohort": self._name, "slides": total, "dashboard": page})
        if page is not None:
            _write(f"workers: {page}", sys.stderr)
        if not workers:
            _write("no worker has come to the scheduler yet; the slides wait for one.", sys.stderr)

    def happened(self, event: Event) -> None:
        """Tell an event."""
        told = event.to_json()
        self._line(told)
        self.progress.happened(told)
        self._show()
        if event.outcome is None or event.kind == "waiting":
            return
        if event.outcome.state != "finished":
            _write(f"{event.item.name}: {event.outcome.error}", sys.stderr)
        elif event.kind == "ended" and self._target != _STDOUT:
            nuclei = counted(event.outcome.nuclei, "nucleus", "nuclei")
            sentence = f"{event.item.name}: {nuclei} in "
            sentence += f"{event.outcome.megapixels:.1f} Mpx, {event.outcome.seconds:.1f} s"
            _write(f"{sentence}: {event.outcome.run}", sys.stdout)

    def summary(self) -> None:
        """Tell how it ended."""
        seconds = round(time.monotonic() - self._began, 1)
        progress = self.progress
        finished, failed = progress.states["finished"], progress.failed
        facts = {"finished": finished, "failed": failed, "skipped": progress.skipped}
        self._line({"event": "summary", "cohort": self._name, **facts, "seconds": seconds})
        if self._target != _STDOUT:
            sentence = f"cohort {self._name}: {self._asked}, {finished:,} finished, "
            sentence += f"{failed:,} failed, {progress.skipped:,} of them before; {seconds:.0f} s."
            _write(sentence, sys.stdout)

    def _show(self) -> None:
        progress = self.progress
        at_work = progress.at_work
        words = [
            f"{progress.ended:,} of {self._asked}",
            f"{progress.failed} failed",
        ]
        words += [
            f"{shown(each.slide, sys.stderr)} {100 * each.share:.0f} %"
            for each in at_work[:_NAMED_AT_WORK]
        ]
        if len(at_work) > _NAMED_AT_WORK:
            words.append(f"{len(at_work) - _NAMED_AT_WORK} more at work")
        seconds = progress.seconds_left(time.monotonic() - self._began)
        if seconds is not None and at_work:
            end = datetime.now().astimezone() + timedelta(seconds=seconds)
            words.append(f"ends about {end:%d %b %H:%M}")
        self._bar.set_description_str(", ".join(words), refresh=False)
        self._bar.update(progress.share - self._bar.n)

    def _line(self, entries: dict[str, Any]) -> None:
        if self._target is None:
            return
        with _unwritable(self._target):
            self._lines.write(json_line(entries, self._lines))
            self._lines.flush()


def _write(sentence: str, stream: TextIO) -> None:
    """Write a sentence above the bar."""
    tqdm.write(shown(sentence, stream), file=stream)
    stream.flush()


@contextmanager
def _unwritable(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = "what reads stdout" if path == _STDOUT else path
        raise CohortError(
            f"{place} cannot be written ({error.strerror}); choose another place, and the same "
            "command goes on."
        ) from error


def _source(text: str) -> Path:
    if not text:  # a variable of the shell that is not set would mean the folder one is in
        raise argparse.ArgumentTypeError("a name is empty; give a folder, a CSV or a slide.")
    return Path(text)


def _megapixels(text: str) -> float:
    value = _number(text)
    if 0 <= value < math.inf:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number of megapixels; give 0 or more.")


def _gigabytes(text: str) -> float:
    value = _number(text)
    if 0 < value < math.inf:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number of gigabytes; give more than 0.")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _count(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of workers; give 1 or more.")
