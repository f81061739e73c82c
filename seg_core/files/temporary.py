"""Folders in the system's temporary folder that go with who made them, however that ends.

What a killed process leaves there nobody else would ever clear up. So each folder is locked for as
long as it is used, and who makes one first removes those that nobody holds any more.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seg_core.errors import BusyError, StoreError
from seg_core.files.locks import os_locked

_PREFIX = "seg_core_"

# Its maker may not have locked it yet.
_YOUNG_S = 60.0


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a new empty folder until the block is left; only this user may read it."""
    remove_abandoned()
    lock_of = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder = lock_of / "files"
    try:
        with os_locked(lock_of):
            folder.mkdir()
            yield folder
    finally:
        shutil.rmtree(lock_of, ignore_errors=True)


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
