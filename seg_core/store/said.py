"""What people said of a run beside it or in places of their own, which no analysis finds again."""

import glob
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seg_core.errors import StoreError
from seg_core.files.disk_errors import store_errors
from seg_core.files.locks import exclusive
from seg_core.store.answer import ANSWER_FILE
from seg_core.store.journal import JOURNAL_FILE
from seg_core.store.own_classes import read_own_classes
from seg_core.store.run import Run

_READERS, _CORRECTIONS = "readers", "corrections"


def said_by_reader(store: Path, reader: str) -> Path:
    """Return where a store keeps what one reader says of runs, each in ``<slide id>/<run id>/``."""
    return store / _READERS / reader / _CORRECTIONS


def is_anything_said(store: Path, run: Path) -> bool:
    """Tell whether a run was corrected, has classes of people's own or a taught classifier's answer.

    Beside the run or where one reader's word is kept; what cannot be read counts.

    Parameters
    ----------
    store, run : Path
        Their folders.
    """
    return any(_holds_anything(folder) for folder in (run, *places_of_readers(store, run)))


def places_of_readers(store: Path, run: Path) -> list[Path]:
    """Return where single readers keep what they say of a run.

    Parameters
    ----------
    store, run : Path
        Their folders.
    """
    of_run = f"{glob.escape(run.parent.name)}/{glob.escape(run.name)}"
    return sorted(store.glob(f"{_READERS}/*/{_CORRECTIONS}/{of_run}"))


def _holds_anything(folder: Path) -> bool:
    with store_errors(folder), suppress(FileNotFoundError):
        if (folder / JOURNAL_FILE).stat().st_size:  # an empty one is left by who only looked
            return True
    try:
        return (folder / ANSWER_FILE).is_file() or bool(read_own_classes(folder))
    except StoreError:
        return True


def place_to_say(run: Run) -> Path:
    """Return where to keep what is said of a run; made where it is one reader's.

    Raises
    ------
    StoreError
        If the run is no longer there, or the disk is full or cannot be written.
    """
    if not run.path.is_dir():
        raise StoreError("this analysis has been deleted; choose another one.")
    if run.corrections_in is not None:
        with store_errors(run.corrections_in):
            run.corrections_in.mkdir(parents=True, exist_ok=True)
    return run.said_in


@contextmanager
def nobody_corrects(run: Path) -> Iterator[None]:
    """Have whoever corrects a run wait; if it is then gone, they are told so and nothing is kept."""
    journal = run / JOURNAL_FILE
    with store_errors(run), exclusive(journal):
        try:
            yield
        finally:
            with suppress(OSError):  # the run is gone
                if not journal.stat().st_size:
                    journal.unlink()
