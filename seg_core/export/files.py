"""A file to take away: written whole or not at all, and never over another unless asked."""

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from seg_core.errors import ExportError
from seg_core.store.files import replacing


@contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its name when all is written.

    Parameters
    ----------
    path : Path
    force : bool
        Replace a file of that name.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    """
    if path.exists() and not force:
        raise ExportError(
            f"{path} exists already; give another name, or --force to replace the file."
        )
    try:
        with replacing(path) as temporary:
            temporary.touch()  # what cannot be written is known before the work begins
            yield temporary
    except OSError as error:
        # libraries put the temporary name into their words
        reason = os.strerror(error.errno) if error.errno else error
        raise ExportError(f"{path} cannot be written ({reason}); choose another place.") from error


@contextmanager
def new_text_file(path: Path, *, force: bool) -> Iterator[TextIO]:
    """Open a UTF-8 file that takes its name when all is written; ``.gz`` is packed by gzip.

    Parameters
    ----------
    path : Path
    force : bool
        Replace a file of that name.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    """
    with new_file(path, force=force) as temporary:
        if path.suffix.lower() != ".gz":
            with temporary.open("w", encoding="utf-8", newline="") as file:
                yield file
            return
        # neither the time nor the temporary name goes into the file: equal content, equal bytes
        with (
            temporary.open("wb") as raw,
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
        ):
            yield file
