"""The command that works off a cohort, started from a page: a process that outlives the session."""

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

from seg_core.cohort.journal import Journal, cohort_names, name_of
from seg_core.cohort.plan import read_plan
from seg_core.cohort.progress import CohortProgress
from seg_core.errors import CohortError
from seg_core.files.atomic import replacing
from seg_core.files.disk_errors import store_errors
from seg_core.files.temporary import temporary_folder
from seg_core.process.worker import NICENESS
from seg_core.store import default_store

_ROOT = Path(__file__).parents[2]

EVENTS_FILE, ERRORS_FILE = "events.jsonl", "errors.txt"

TABLE_FILE = "slides.csv"
"""Name of the table in a cohort's folder where its slides were chosen on the page."""


@dataclass(frozen=True)
class CohortOrder:
    """What is to be worked off.

    Attributes
    ----------
    source : Path
        A folder, a CSV or a slide.
    name : str
        Of the cohort.
    total : int
        Its slides.
    retry_failed : bool
    model : str or None
        None is the default model.
    mpp : float or None
        Size of a pixel, µm, of slides for which neither table nor file states one.
    override_mpp : bool
        Whether it is taken for slides whose files state another, too.
    """

    source: Path
    name: str
    total: int
    retry_failed: bool = False
    model: str | None = None
    mpp: float | None = None
    override_mpp: bool = False

    def again(self) -> "CohortOrder":
        """Return what is left to do of it: what failed meanwhile is not tried again."""
        return replace(self, retry_failed=False)

    def arguments(self, events: Path) -> list[str]:
        """Return the arguments of the command that works it off and tells what happens in a file."""
        said = ["cohort", str(self.source), "--name", self.name, "--out", str(default_store())]
        said += ["--json", str(events)]
        said += ["--retry-failed"] if self.retry_failed else []
        said += [] if self.model is None else ["--model", self.model]
        said += [] if self.mpp is None else ["--mpp", f"{self.mpp:g}"]
        return said + (["--override-mpp"] if self.override_mpp else [])


@dataclass
class CohortProcess:
    """The command that works off a cohort, in a process of its own.

    Attributes
    ----------
    order : CohortOrder
    process : subprocess.Popen
    folder : Path
        Where it tells what happens.
    remove : callable
        Removes that folder.
    dashboard : str or None
        Address of Dask's own page of the workers, once it is known; there is none without bokeh.
    """

    order: CohortOrder
    process: "subprocess.Popen[bytes]"
    folder: Path
    remove: Callable[[], None]
    dashboard: str | None = None
    _seen: int = 0
    _began: float = field(default_factory=time.monotonic)
    _progress: CohortProgress = field(init=False)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._progress = CohortProgress(self.order.total)

    def is_running(self) -> bool:
        """Tell whether the command is still at work."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Stop it as Ctrl-C would; what is finished is kept."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)

    def progress(self) -> CohortProgress:
        """Return how far it is, as far as the command has told; any number of threads may ask."""
        with self._reading:
            for event in self._new_events():
                self.dashboard = event.get("dashboard", self.dashboard)
                self._progress.happened(event)
            return deepcopy(self._progress)

    def _new_events(self) -> list[dict[str, Any]]:
        """Read what was told since the last time; nothing before the first word and after `clear_up`."""
        try:
            with (self.folder / EVENTS_FILE).open("rb") as file:
                file.seek(self._seen)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._seen += len(whole)
        return [json.loads(line) for line in whole.splitlines()]

    def seconds_left(self) -> float | None:
        """Return how long the rest takes at the pace of this start, None while nobody knows."""
        with self._reading:
            return self._progress.seconds_left(time.monotonic() - self._began)

    def problem(self) -> str | None:
        """Return the last sentence of a command that ended before all slides had."""
        if self._progress.is_summed_up or self.is_running():
            return None
        lines = (self.folder / ERRORS_FILE).read_text("utf-8", "replace").strip().splitlines()
        said = lines[-1].removeprefix("python -m seg_core: ") if lines else "it was ended."
        return f"The cohort {self.order.name} did not come to its end: {said}"

    def clear_up(self) -> None:
        """Remove what it has told."""
        self.remove()


def order_of(
    source: Path,
    *,
    name: str | None = None,
    retry_failed: bool = False,
    model: str | None = None,
    mpp: float | None = None,
    override_mpp: bool = False,
) -> CohortOrder:
    """Return the order for a folder, a CSV or a slide.

    Raises
    ------
    CohortError
        If there is no slide, or the table makes no sense.
    """
    total = len(read_plan([source]))
    return CohortOrder(
        source, name or name_of([source]), total, retry_failed, model, mpp, override_mpp
    )


def write_slide_table(name: str, slides: Mapping[Path, float | None]) -> Path:
    """Write a new cohort's table into its folder, so that the command can be given again by hand.

    Parameters
    ----------
    name : str
        Of the cohort.
    slides : dict of Path to float or None
        With the size of a pixel, µm, where it is known better than the file says.

    Raises
    ------
    CohortError
        If no cohort can be called so, or there is another one of that name.
    StoreError
        If it cannot be written.
    """
    folder = Journal(default_store(), name).folder
    path = folder / TABLE_FILE
    text = StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["slide", "mpp"])
    table.writerows([str(slide), "" if mpp is None else mpp] for slide, mpp in slides.items())
    content = text.getvalue().encode()
    is_new = name not in cohort_names(default_store())
    if not is_new and not (path.is_file() and path.read_bytes() == content):
        raise CohortError(f"there is a cohort {name} of other slides; choose another name.")
    with store_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return path


def start(order: CohortOrder) -> CohortProcess:
    """Start the command that works off an order."""
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        with (folder / ERRORS_FILE).open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "seg_core", *order.arguments(folder / EVENTS_FILE)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd=_ROOT,
                start_new_session=True,  # Ctrl-C in the server's terminal is not meant for it
            )
        kept = stack.pop_all()
    if hasattr(os, "setpriority"):
        # its workers are started later and have the same, so that pages and tiles stay quick
        with suppress(OSError):
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, process.pid, own + NICENESS)
    return CohortProcess(order, process, folder, kept.close)
