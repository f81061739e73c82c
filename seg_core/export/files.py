"""A file to take away: written whole or not at all, and never over another unless asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from seg_core.errors import ExportError
from seg_core.store.files import replacing


@contextmanager
def new_text_file(path: Path, *, force: bool) -> Iterator[TextIO]:
    """Open a UTF-8 file that takes its name when all is written.

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
        with (
            replacing(path) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            yield file
    except OSError as error:
        raise ExportError(
            f"{path} cannot be written ({error.strerror or error}); choose another place."
        ) from error
