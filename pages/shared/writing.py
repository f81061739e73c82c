"""Files that a page hands over as they are asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seg_core.files.temporary import temporary_folder


def written(write: Callable[[Path], Any], name: str = "file") -> bytes:
    """Return the content of a file that a writer of the core has written under this name."""
    with temporary_folder() as folder:
        path = folder / name
        write(path)
        return path.read_bytes()
