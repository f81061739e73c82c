"""Locks of folders between processes, which the operating system drops when a process ends."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import IO

from seg_core.errors import BusyError
from seg_core.files.atomic import is_being_written
from seg_core.files.disk_errors import store_errors

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_FILE = "lock"

# A reader that asks whether a folder is locked holds the lock itself for some microseconds.
_TRIES, _PAUSE_S = 5, 0.02

# What a file system answers that has no locks at all, as some network drives do.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes of this machine out of a folder; it is made when it is not there.

    The operating system drops the lock when the process ends, however it ends: what stays behind
    is an empty file ``lock`` that locks nothing. Where several machines share the folder, see
    `seg_core.files.lease.held`.

    Raises
    ------
    BusyError
        If another process works in the folder.
    StoreError
        If the folder cannot be written, or its file system has no locks.
    """
    with os_locked(folder) as has_locks:
        if not has_locks:
            with store_errors(folder):
                raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
        remove_leftovers(folder)
        yield


@contextmanager
def os_locked(folder: Path) -> Iterator[bool]:
    """Take the operating system's lock of a folder and touch nothing else in it.

    Yields
    ------
    has_locks : bool
        False where the file system has none; then nothing is locked.

    Raises
    ------
    BusyError
        If another process has it.
    """
    file, has_locks = _locked_file(folder)
    with file:
        yield has_locks


@contextmanager
def exclusive(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to write at its end as soon as nobody else holds it, and hold it.

    The lock goes when the process ends. Where the file's drive has no locks, nobody is waited for.
    A file that was removed while this waited is opened anew, so that what is written is there.
    """
    while True:
        with path.open("ab") as file, _waited_for(file):
            if _is_still(file, path):
                yield file
                return


@contextmanager
def _waited_for(file: IO[bytes]) -> Iterator[None]:
    while (is_ours := _lock_patiently(file)) is False:
        pass
    try:
        yield
    finally:
        if is_ours:
            _unlock(file)


def busy(folder: Path) -> BusyError:
    """Return the sentence for who comes second."""
    return BusyError(
        f"another process is already at this analysis ({folder}); "
        "wait until it is done or stop it there."
    )


def _locked_file(folder: Path) -> tuple[IO[bytes], bool]:
    """Return the file ``lock`` of a folder, locked where there are locks, and whether it is.

    Who held the folder may have removed it meanwhile, and its lock with it. The lock of a file that
    is gone keeps nobody out, since whoever comes next locks a new one.
    """
    path = folder / LOCK_FILE
    for _ in range(_TRIES):
        with ExitStack() as opened, store_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                file = opened.enter_context(path.open("ab"))
            except FileNotFoundError:  # the folder was removed in between
                continue
            state = _lock_patiently(file)
            if state is False:
                break
            if state is None or _is_still(file, path):
                opened.pop_all()
                return file, state is True
    raise busy(folder)


def _is_still(file: IO[bytes], path: Path) -> bool:
    """Tell whether an open file is the one that has a name now."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock_patiently(file: IO[bytes]) -> bool | None:
    """Return whether the lock is ours, None where there are no locks."""
    for _ in range(_TRIES):
        try:
            if _try_lock(file):
                return True
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return None
            raise
        time.sleep(_PAUSE_S)
    return False


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process was writing: our temporary files and those of zarr.

    A folder inside that has a lock of its own is another's to clear up. What people say of a run is
    written without its lock, and stays while that is at work.
    """
    with store_errors(folder):
        for parent, folders, files in os.walk(folder):
            inner = Path(parent)
            folders[:] = [name for name in folders if not (inner / name / LOCK_FILE).exists()]
            for name in files:
                is_part = fnmatch(name, ".*.tmp") or fnmatch(name, "*.partial")
                if is_part and not is_being_written(inner / name):
                    (inner / name).unlink(missing_ok=True)


def is_locked(folder: Path) -> bool:
    """Tell whether a process works in a folder."""
    try:
        with (folder / LOCK_FILE).open("rb") as file:
            return not _try_lock(file, shared=True)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise


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
