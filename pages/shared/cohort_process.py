"""The command that works off a cohort, started from a page: a process that outlives the session."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seg_core.cohort.journal import name_of
from seg_core.cohort.plan import read_plan
from seg_core.store import default_store

_ROOT = Path(__file__).parents[2]

EVENTS_FILE, ERRORS_FILE = "events.jsonl", "errors.txt"


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
        Of slides whose table and file give none.
    """

    source: Path
    name: str
    total: int
    retry_failed: bool = False
    model: str | None = None
    mpp: float | None = None

    def again(self) -> "CohortOrder":
        """Return what is left to do of it: what failed meanwhile is not tried again."""
        return replace(self, retry_failed=False)

    def arguments(self, events: Path) -> list[str]:
        """Return the arguments of the command that works it off and tells what happens in a file."""
        said = ["cohort", str(self.source), "--name", self.name, "--out", str(default_store())]
        said += ["--json", str(events)]
        said += ["--retry-failed"] if self.retry_failed else []
        said += [] if self.model is None else ["--model", self.model]
        return said + ([] if self.mpp is None else ["--mpp", f"{self.mpp:g}"])


@dataclass
class CohortProcess:
    """The command that works off a cohort, in a process of its own.

    Attributes
    ----------
    order : CohortOrder
    process : subprocess.Popen
    folder : Path
        Where it tells what happens.
    """

    order: CohortOrder
    process: "subprocess.Popen[bytes]"
    folder: Path
    _seen: int = 0
    is_summed_up: bool = False
    _states: dict[str, str] = field(default_factory=dict)

    def is_running(self) -> bool:
        """Tell whether the command is still at work."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Stop it as Ctrl-C would; what is finished is kept."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)

    def states(self) -> Counter[str]:
        """Return how many slides are in each state, as far as the command has told."""
        path = self.folder / EVENTS_FILE
        if not path.is_file():
            return Counter()
        with path.open("rb") as file:
            file.seek(self._seen)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._seen += len(whole)
        for line in whole.splitlines():
            event: dict[str, Any] = json.loads(line)
            self.is_summed_up |= event["event"] == "summary"
            if event["event"] == "progress":
                self._states[event["slide"]] = "at work"
            elif "state" in event:
                self._states[event["slide"]] = event["state"]
        return Counter(self._states.values())

    def problem(self) -> str | None:
        """Return the last sentence of a command that ended before all slides had."""
        if self.is_summed_up or self.is_running():
            return None
        lines = (self.folder / ERRORS_FILE).read_text("utf-8", "replace").strip().splitlines()
        said = lines[-1].removeprefix("python -m seg_core: ") if lines else "it was ended."
        return f"The cohort {self.order.name} did not come to its end: {said}"

    def clear_up(self) -> None:
        """Remove what it has told."""
        shutil.rmtree(self.folder, ignore_errors=True)


def order_of(
    source: Path,
    *,
    retry_failed: bool = False,
    model: str | None = None,
    mpp: float | None = None,
) -> CohortOrder:
    """Return the order for a folder, a CSV or a slide.

    Raises
    ------
    CohortError
        If there is no slide, or the table makes no sense.
    """
    total = len(read_plan([source]))
    return CohortOrder(source, name_of([source]), total, retry_failed, model, mpp)


def start(order: CohortOrder) -> CohortProcess:
    """Start the command that works off an order."""
    folder = Path(tempfile.mkdtemp(prefix="seg_core-cohort-"))
    with (folder / ERRORS_FILE).open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "seg_core", *order.arguments(folder / EVENTS_FILE)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd=_ROOT,
            start_new_session=True,  # Ctrl-C in the server's terminal is not meant for it
        )
    return CohortProcess(order, process, folder)
