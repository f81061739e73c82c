"""All runs: where they lie, how large they are, and which go when there is no more room."""

import logging
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from seg_core.errors import BusyError, SegCoreError, StoreError
from seg_core.files.atomic import (
    remove_parts_in,
    replacing,
    sync_disk_of,
    sync_file,
    temporary_beside,
)
from seg_core.files.disk_errors import store_errors
from seg_core.files.lease import held
from seg_core.files.locks import busy, is_locked
from seg_core.question import Question
from seg_core.slide.identity import earlier_slide_id
from seg_core.store.rois import ROI_FILE
from seg_core.store.row_ranges import RowRanges, is_in_use
from seg_core.store.run import RUN_FILE, Run, open_run
from seg_core.store.run_writer import RunWriter
from seg_core.store.said import is_anything_said, nobody_corrects, places_of_readers

# Files that say who works on a run; they are of the folder and do not go with it.
_WHO_WORKS = ("lock", "lease-*")

# Folders of slides and of runs: what is on its way begins with a dot.
_RUNS = "[!.]*"

# What names of runs end with that are being removed.
_GOING = ".going"

_log = logging.getLogger(__name__)

STORE_VARIABLE = "SEG_STORE"
"""Environment variable that names the store where nobody chooses one."""


def default_store() -> Path:
    """Return ``SEG_STORE``, else a folder among the user's data."""
    chosen = os.environ.get(STORE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_data_path("seg_core", False) / "runs"


class Store:
    """A folder of runs, ``<store>/<slide id>/<run id>/``.

    Any number of processes may use it; one at a time works on a run.

    Parameters
    ----------
    path : Path
        Made when the first run is written; by default `default_store`.

    Examples
    --------
    ::

        store = Store(Path("runs"))
        for run in store.runs():
            print(run.slide_path.name, run.status, store.size(run))
        store.delete(store.runs()[-1])
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = default_store() if path is None else Path(path)

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def folder(self, question: Question) -> Path:
        """Return where the run of a question lies, whether it is there or not."""
        return self.path / question.slide_id / question.run_id

    def runs(self, slide_id: str | None = None) -> list[Run]:
        """Return all runs or those of a slide, the latest first.

        Damaged ones and those of another version of this program are left out and logged.
        """
        files = (
            self._run_files()
            if slide_id is None
            else ((self.path / slide_id).glob(f"{_RUNS}/{RUN_FILE}"))
        )
        return sorted(_readable(files), key=lambda run: run.facts.started, reverse=True)

    def runs_of_slide(self, slide: Path, slide_id: str) -> list[Run]:
        """Return the runs of a slide, the latest first, those of an earlier version at the end.

        They read the slide where it is now, wherever it was when it was analysed.

        Parameters
        ----------
        slide : Path
        slide_id : str
            Its id; see `seg_core.slide.slide_id`.

        Raises
        ------
        SlideError
            If the slide cannot be read.
        """
        earlier = self.earlier_id(slide)
        runs = self.runs(slide_id) + (self.runs(earlier) if earlier else [])
        return [run.with_slide_at(slide) for run in runs]

    def earlier_id(self, slide: Path) -> str | None:
        """Return the id under which an earlier version has kept runs of a slide, None where none.

        Two slides could meet under such an id, so it counts only where a run names this very file,
        which must not have changed since; none where it is no longer there.

        Raises
        ------
        SlideError
            If the slide cannot be read.
        """
        if not slide.exists():  # moved since it was analysed, so no earlier run can be told its own
            return None
        earlier = earlier_slide_id(slide)
        changed = datetime.fromtimestamp(int(slide.stat().st_mtime), UTC)  # as runs count
        is_ours = any(
            run.slide_path.absolute() == slide.absolute()
            and datetime.fromisoformat(run.facts.started) >= changed
            for run in self.runs(earlier)
        )
        return earlier if is_ours else None

    def find(self, question: Question) -> Run | None:
        """Return the run of a question, None where it was never begun.

        Raises
        ------
        StoreError
            If it is damaged.
        """
        folder = self.folder(question)
        return open_run(folder) if (folder / RUN_FILE).is_file() else None

    def damage(self) -> Iterator[tuple[Path, Path]]:
        """Read all finished runs and yield what is damaged: the run's folder and the file.

        A run of an earlier version has no checksums; its ``run.json`` alone is looked at.
        """
        for file in sorted(self._run_files()):
            try:
                run = open_run(file.parent)
            except SegCoreError:
                yield file.parent, file
                continue
            if run.status == "finished":
                for path in run.damage():
                    yield run.path, path

    @contextmanager
    def writing(self, question: Question) -> Iterator[RunWriter]:
        """Work on the run of a question, alone.

        Raises
        ------
        StoreError
            If another process works on it, or it cannot be written.
        """
        folder = self.folder(question)
        _clear_up(folder.parent)
        with held(folder):
            yield RunWriter(folder)

    def _run_files(self) -> Iterator[Path]:
        return self.path.glob(f"{_RUNS}/{_RUNS}/{RUN_FILE}")

    def size(self, run: Run | None = None) -> int:
        """Return the bytes of all files of the store, uploads included, or of one run."""
        folder = self.path if run is None else run.path
        with store_errors(folder):
            return _size(folder)

    def delete(self, run: Run) -> int:
        """Remove a run, and its slide's folder where nothing else is in it.

        Returns
        -------
        freed : int
            Bytes.

        Raises
        ------
        StoreError
            If a process works on the run, or it cannot be removed.
        """
        return self._delete(run, although_said=True)

    def _delete(self, run: Run, *, although_said: bool) -> int:
        """Remove a run, if wished only where nothing was said of it; return the bytes."""
        freed = self.size(run)
        with _held_whole(run.path), nobody_corrects(run.path), store_errors(run.path):
            if not although_said and is_anything_said(self.path, run.path):
                return 0
            _remove(run.path)
        with suppress(OSError):  # other runs or the slide's ROIs are there
            run.path.parent.rmdir()
        _log.info("a run was deleted", extra={"run": run.run_id})
        return freed

    def move(self, run: Run, other: "Store") -> Run:
        """Move a run, with all that people said of it, to another store.

        It is there whole before it is no longer here, with what is said while it is copied; what single
        readers keep in places of their own goes along. The regions of its slide, which bound what counts,
        go along, unless there are some there already; they stay here too, for other runs of the slide.

        Parameters
        ----------
        run : Run
        other : Store
            Made when it is not there.

        Returns
        -------
        moved : Run

        Raises
        ------
        StoreError
            If the run is there already, a process works on it, or it cannot be written or removed.
        """
        goal = other.path / run.path.relative_to(self.path)
        if goal.exists():
            raise StoreError(
                f"{other.path} has a run {run.run_id} of {run.slide_path.name} already; delete one "
                "of the two."
            )
        arriving = temporary_beside(goal)
        _clear_up(goal.parent)
        with _held_whole(run.path):
            try:
                with store_errors(goal.parent):
                    shutil.copytree(run.path, arriving, ignore=_who_works)
                    sync_disk_of(arriving)
                    _take_along(run.path.parent / ROI_FILE, goal.parent / ROI_FILE)
                with (
                    nobody_corrects(run.path),
                    store_errors(goal.parent),
                    _with_readers_words(self.path, other.path, run.path),
                ):
                    _take_changes(run.path, arriving)
                    arriving.rename(goal)
                    try:
                        _remove(run.path)
                    except OSError:
                        if run.path.is_dir():  # it is in one store, not in both
                            goal.rename(arriving)
                        raise
            finally:
                shutil.rmtree(arriving, ignore_errors=True)
        with suppress(OSError):  # other runs or the slide's ROIs are there
            run.path.parent.rmdir()
        return open_run(goal)

    def shrink(
        self,
        limit: int,
        *,
        wanted: int = 0,
        keep_slides: Collection[str] = (),
        keep_runs: Collection[Path] = (),
    ) -> bool:
        """Delete runs until the store holds no more than a limit: finished first, oldest first.

        What a run has found can be found again by asking the same question. What people said of it
        cannot: a run stays that was corrected, has classes of people's own or a taught classifier's
        answer, beside it or where one reader's word is kept, and so does one that a process works on.
        So a run that goes costs time, and of what people said no more than what they called it.

        Parameters
        ----------
        limit : int
            Bytes of all files of the store, uploads included.
        wanted : int
            Bytes that are about to come.
        keep_slides : collection of str
            Ids of slides whose runs stay where they cover the whole slide.
        keep_runs : collection of Path
            Folders of runs that stay, since somebody looks at them.

        Returns
        -------
        enough : bool
            Whether the store now keeps within the limit.

        Raises
        ------
        StoreError
            If the store cannot be read or written.
        """
        for slide_folder in self.path.glob(_RUNS):
            _clear_up(slide_folder)
        excess = self.size() + wanted - limit
        oldest_first = sorted(self.runs(), key=lambda run: (run.status != "finished", _time(run)))
        for run in oldest_first:
            if excess <= 0:
                break
            kept = (
                run.path in keep_runs
                or (run.covers_slide and run.path.parent.name in keep_slides)
                or is_anything_said(self.path, run.path)
                or is_in_use(run.path)
            )
            if not kept:
                with suppress(BusyError):  # a process began to work on it just now
                    excess -= self._delete(run, although_said=False)
        return excess <= 0


@contextmanager
def _held_whole(run: Path) -> Iterator[None]:
    """Keep every other process from working in a run or in a range of its rows."""
    with held(run):
        if RowRanges(run).is_at_work():
            raise busy(run)
        yield


def _remove(run: Path) -> None:
    """Take a run away at once, then remove its files, and those that killed processes have left.

    Without its folder nobody finds half of it, and who waited for its lock has the lock of nothing.
    """
    going = run.with_name(f".{run.name}.{secrets.token_hex(4)}{_GOING}")
    run.rename(going)
    shutil.rmtree(going, ignore_errors=True)
    if going.exists():  # for a reason that is worth a sentence
        shutil.rmtree(going)
    _clear_up(run.parent)


def _clear_up(slide_folder: Path) -> None:
    """Remove what killed processes have left of runs that they were removing, or moving here."""
    for folder in slide_folder.glob(f".*{_GOING}"):
        with suppress(OSError):
            if not is_locked(folder):
                shutil.rmtree(folder, ignore_errors=True)
    remove_parts_in(slide_folder)


def _who_works(folder: str, names: Collection[str]) -> set[str]:
    return set(shutil.ignore_patterns(*_WHO_WORKS)(folder, list(names)))


def _take_changes(run: Path, copy: Path) -> None:
    """Bring the files of a run's copy up to date that people write; what is in its folders is whole."""
    files = (path for path in run.iterdir() if path.is_file())
    # empty is the journal of a run that nobody has corrected, while it is held
    now = {path.name: path for path in files if path.stat().st_size}
    for name in now.keys() - _who_works(str(run), now.keys()):
        found = (copy / name).stat() if (copy / name).is_file() else None
        if found is None or _changes(found) != _changes(now[name].stat()):
            shutil.copy2(now[name], copy / name)
            sync_file(copy / name)
    for path in copy.iterdir():
        if path.is_file() and path.name not in now:
            path.unlink()


def _changes(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns


@contextmanager
def _with_readers_words(store: Path, other: Path, run: Path) -> Iterator[None]:
    """Have what single readers say of a run go where the block moves it; where it fails it stays.

    What a reader has said there already stands.
    """
    moved: list[tuple[Path, Path]] = []
    with ExitStack() as held_back:
        try:
            for said in places_of_readers(store, run):
                goal = other / said.relative_to(store)
                if not goal.exists():
                    held_back.enter_context(nobody_corrects(said))
                    moved.append((said, goal))
                    shutil.copytree(said, goal, ignore=_empty_files)
            yield
        except BaseException:
            for _, goal in moved:
                shutil.rmtree(goal, ignore_errors=True)
            raise
        for said, _ in moved:
            shutil.rmtree(said, ignore_errors=True)
            with suppress(OSError):  # there is more of the slide
                said.parent.rmdir()


def _empty_files(folder: str, names: Collection[str]) -> set[str]:
    """Return the files in which nothing stands, as a journal that is held and was not there."""
    files = (path for name in names if (path := Path(folder) / name).is_file())
    return {path.name for path in files if not path.stat().st_size}


def _take_along(source: Path, goal: Path) -> None:
    """Copy a file where there is one, and none yet where it goes."""
    if source.is_file() and not goal.exists():
        with replacing(goal) as temporary:
            shutil.copy2(source, temporary)


def _readable(files: Iterable[Path]) -> Iterator[Run]:
    for file in sorted(files):
        try:
            yield open_run(file.parent)
        except SegCoreError:
            _log.warning("a run is damaged and left out", extra={"run": file.parent.name})


def _time(run: Run) -> str:
    return run.facts.finished or run.facts.started


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # a worker replaces its files
            if path.is_file():
                total += path.stat().st_size
    return total
