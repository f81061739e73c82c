"""Locks of folders between processes, which the operating system drops when a process ends."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from seg_core.errors import StoreError
from seg_core.files.disk_errors import store_errors

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# A reader that asks whether a folder is locked holds the lock itself for some microseconds.
_TRIES, _PAUSE_S = 5, 0.02


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from working in a folder; it is made when it is not there.

    The operating system drops the lock when the process ends, however it ends: what stays behind
    is an empty file ``lock`` that locks nothing.

    Raises
    ------
    StoreError
        If another process works in the folder.
    """
    with store_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("ab")
    with file:
        with store_errors(folder):  # some network drives have no locks
            is_ours = _lock_patiently(file)
        if not is_ours:
            raise StoreError(
                f"another process is already at this analysis ({folder}); "
                "wait until it is done or stop it there."
            )
        _remove_leftovers(folder)
        yield


@contextmanager
def exclusive(file: IO[bytes]) -> Iterator[None]:
    """Wait until nobody else holds a file, and hold it; the lock goes when the process ends."""
    while not _try_lock(file):
        time.sleep(_PAUSE_S)
    try:
        yield
    finally:
        _unlock(file)


def _lock_patiently(file: IO[bytes]) -> bool:
    for _ in range(_TRIES):
        if _try_lock(file):
            return True
        time.sleep(_PAUSE_S)
    return False


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed process was writing: our temporary files and those of zarr."""
    with store_errors(folder):
        for pattern in (".*.tmp", "*.partial"):
            for path in folder.rglob(pattern):
                path.unlink(missing_ok=True)


def is_locked(folder: Path) -> bool:
    """Tell whether a process works in a folder."""
    try:
        with (folder / "lock").open("rb") as file:
            return not _try_lock(file, shared=True)
    except FileNotFoundError:
        return False


if sys.platform == "win32":

    def _try_lock(file: IO[bytes], *, shared: bool = False) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:

    def _try_lock(file: IO[bytes], *, shared: bool = False) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
