"""What the operating system says about a disk, turned into sentences."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seg_core.errors import ExportError, StoreError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# NumPy drops the number, and tells that it could not write all.
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.ENOTDIR, errno.EEXIST}


@contextmanager
def store_errors(folder: Path) -> Iterator[None]:
    """Turn what the operating system says about a folder into a sentence.

    Raises
    ------
    StoreError
        Where an OSError was raised inside.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(_sentence(error, folder)) from error


def is_full(error: OSError) -> bool:
    """Tell whether there was no room left for what was to be written."""
    return error.errno in _FULL or _CUT_SHORT.fullmatch(str(error)) is not None


def _sentence(error: OSError, folder: Path) -> str:
    if is_full(error):
        return (
            f"the disk that holds {folder} is full; free some space and start the same analysis again, "
            "it goes on where it stopped."
        )
    if error.errno in _FORBIDDEN:
        return (
            f"there is no permission to write in {folder}; choose another store with --out or the "
            "environment variable SEG_STORE."
        )
    if error.errno in _IN_THE_WAY:
        return (
            f"{folder} cannot be a folder because a file is in its place; choose another store with "
            "--out or the environment variable SEG_STORE."
        )
    if error.errno == errno.ENOENT and not folder.exists():
        return f"{folder} cannot be found; it was deleted or moved meanwhile."
    return f"{folder} cannot be written or read ({error.strerror or error}); check the disk."


@contextmanager
def export_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says about a file that is exported into a sentence.

    Raises
    ------
    ExportError
        Where an OSError was raised inside.
    """
    try:
        yield
    except OSError as error:
        # libraries put the temporary name into their words
        reason = os.strerror(error.errno) if error.errno else error
        raise ExportError(f"{path} cannot be written ({reason}); choose another place.") from error
