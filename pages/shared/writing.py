"""Files that a page hands over as they are asked for."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def written(write: Callable[[Path], Any], name: str = "file") -> bytes:
    """Return the content of a file that a writer of the core has written under this name."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()
