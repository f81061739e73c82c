"""Folders in the system's temporary folder that go with who made them, however that ends.

What a killed process leaves there nobody else would ever clear up. So each folder is locked for as
long as it is used, and who makes one first removes those that nobody holds any more.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from seg_core.errors import BusyError, StoreError
from seg_core.files.disk_errors import is_full
from seg_core.files.locks import os_locked

_PREFIX = "seg_core_"

# Its maker may not have locked it yet.
_YOUNG_S = 60.0


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a new empty folder until the block is left; only this user may read it.

    Raises
    ------
    StoreError
        If it cannot be made, or the block finds the disk full.
    """
    with _told_of_folder():
        remove_abandoned()
        lock_of = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder = lock_of / "files"
    try:
        with ExitStack() as held:
            with _told_of_folder():
                held.enter_context(os_locked(lock_of))
                folder.mkdir()
            try:
                yield folder
            except OSError as error:
                if is_full(error):  # of other disks the block tells by itself
                    raise _no_room(error) from error
                raise
    finally:
        shutil.rmtree(lock_of, ignore_errors=True)


@contextmanager
def _told_of_folder() -> Iterator[None]:
    try:
        yield
    except (OSError, StoreError) as error:
        raise _no_room(error.__cause__ or error) from error


def _no_room(error: BaseException) -> StoreError:
    full = isinstance(error, OSError) and is_full(error)
    said = "is full; free some space in it" if full else "cannot be written; check its permissions"
    return StoreError(
        f"this machine's folder for temporary files {said}, or start the program with another one in "
        "the environment variable TMPDIR."
    )


def remove_abandoned() -> None:
    """Remove the folders of killed processes; those of a living one stay."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    with suppress(BusyError, StoreError, OSError):  # in use, of another user, or gone meanwhile
        if time.time() - folder.stat().st_mtime < _YOUNG_S:
            return False
        with os_locked(folder) as is_ours:
            return is_ours  # without locks nobody can tell
    return False
