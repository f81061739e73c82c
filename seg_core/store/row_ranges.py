"""Ranges of rows of one run that several workers analyse, until they are joined.

::

    run folder/  ranges/  plan.json       the ranges, and the engine that all of them need
                          0-15360/        lock, leases, maps.zarr, bands.json, pieces/, blocks/
                                          done.json       its seconds, when all of it is there

A range is written as a run is, by one process at a time, and nobody writes into the run itself
while a range is at work. Ranges begin at whole chunks of the maps, at each of their levels, so to
join them is to give their files a second name.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seg_core.errors import StoreError
from seg_core.files.atomic import write_json
from seg_core.files.disk_errors import store_errors
from seg_core.files.lease import held, is_held
from seg_core.files.locks import busy
from seg_core.geometry import Window
from seg_core.store.facts import RunFacts

RANGES_FOLDER = "ranges"

_PLAN_FILE, _DONE_FILE = "plan.json", "done.json"


@dataclass(frozen=True, slots=True, order=True)
class RowRange:
    """Some rows of a raster.

    Attributes
    ----------
    top, bottom : int
        The first row, and the first one that is no longer in it.
    tiles : int
        How many tiles the network is asked for it.
    """

    top: int
    bottom: int
    tiles: int

    def of(self, window: Window) -> Window:
        """Return the rows of a window that are in the range."""
        return replace(window, y=self.top, height=self.bottom - self.top)


class RowRanges:
    """The ranges of a run.

    Every method raises `seg_core.errors.StoreError` if the disk is full or cannot be used.

    Parameters
    ----------
    run_folder : Path
    """

    def __init__(self, run_folder: Path) -> None:
        self._run_folder = run_folder
        self._folder = run_folder / RANGES_FOLDER

    def plan(self, facts: RunFacts) -> tuple[RowRange, ...] | None:
        """Return the ranges as they were planned for this engine; None where there are none."""
        plan = self._read_plan()
        if plan is None or plan["engine"] != _arithmetic_of(facts):
            return None
        return tuple(RowRange(**each) for each in plan["ranges"])

    def engine(self) -> str | None:
        """Return which engine and precision all ranges need, in words; None without a plan."""
        plan = self._read_plan()
        return None if plan is None else " ".join(plan["engine"][:2])

    def write_plan(self, facts: RunFacts, ranges: Iterable[RowRange]) -> None:
        """Keep a plan, in place of any earlier one and of what came of it."""
        self.discard()
        content = {"engine": _arithmetic_of(facts), "ranges": [asdict(each) for each in ranges]}
        with store_errors(self._folder):
            self._folder.mkdir(exist_ok=True)
            write_json(self._folder / _PLAN_FILE, content)

    @contextmanager
    def writing(self, rows: RowRange) -> Iterator[Path]:
        """Work on a range, alone; gives its folder, which goes if the range is not in the plan.

        Raises
        ------
        BusyError
            If another process works on it, or on the run itself.
        """
        if is_held(self._run_folder):  # who joins the ranges must not meet this one's lock
            raise busy(self._run_folder)
        with held(folder := self.folder(rows)):
            try:
                if is_held(self._run_folder):
                    raise busy(self._run_folder)
                yield folder
            finally:
                self._clear_away(rows)

    def _clear_away(self, rows: RowRange) -> None:
        """Remove what is there of a range that is no longer planned, and what then is empty.

        It was joined, or its run deleted, before its folder was made.
        """
        plan = self._read_plan()
        if plan is not None and asdict(rows) in plan["ranges"]:
            return
        with suppress(OSError):
            shutil.rmtree(self.folder(rows))
            self._folder.rmdir()
            self._run_folder.rmdir()
            self._run_folder.parent.rmdir()

    def folder(self, rows: RowRange) -> Path:
        """Return where a range lies."""
        return self._folder / f"{rows.top}-{rows.bottom}"

    def end(self, rows: RowRange, seconds: float) -> None:
        """Say that all of a range is there, and how long it took."""
        with store_errors(self._folder):
            write_json(self.folder(rows) / _DONE_FILE, {"seconds": seconds})

    def seconds(self, rows: RowRange) -> float | None:
        """Return how long a range took, None where it is not done."""
        done = _read_json(self.folder(rows) / _DONE_FILE)
        return None if done is None else float(done["seconds"])

    def is_at_work(self) -> bool:
        """Tell whether a process works on a range."""
        return any(is_held(folder) for folder in self._folder.glob("*-*"))

    def discard(self) -> None:
        """Remove them all.

        Raises
        ------
        BusyError
            If a process works on one.
        """
        if self.is_at_work():
            raise busy(self._run_folder)
        with store_errors(self._folder):
            shutil.rmtree(self._folder, ignore_errors=not self._folder.exists())

    def _read_plan(self) -> dict[str, Any] | None:
        return _read_json(self._folder / _PLAN_FILE)


def is_in_use(run_folder: Path) -> bool:
    """Tell whether a process works on a run or on a range of it."""
    return is_held(run_folder) or RowRanges(run_folder).is_at_work()


def _arithmetic_of(facts: RunFacts) -> list[Any]:
    return [facts.engine, facts.precision, facts.feature_count]


def _read_json(path: Path) -> dict[str, Any] | None:
    with store_errors(path.parent):
        try:
            return json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError) as error:
            raise StoreError(f"{path} is damaged; remove the folder {path.parent}.") from error
