"""Files that a test goes through."""

from pathlib import Path


def files_found(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder that fit, at least one.

    A test that goes through none would pass whatever the program does.
    """
    files = sorted(folder.glob(pattern))
    assert files, f"{folder} holds no {pattern}"
    return files
