"""Files of a store with a checksum: what a disk has damaged is taken for what is not there."""

import hashlib
import json
import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from seg_core.files.atomic import write_json

SEAL = "checksum"
"""Name of the checksum among an object's entries."""

_DIGEST_BYTES = hashlib.sha256().digest_size


def write_sealed(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object with its checksum, whole or not at all."""
    write_json(path, {**content, SEAL: _digest(content)})


def read_sealed(path: Path) -> dict[str, Any] | None:
    """Return what `write_sealed` wrote; None where that is missing or damaged.

    What an earlier version wrote has no checksum and is taken as it is.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "kept.json"
    >>> write_sealed(path, {"nuclei": 12})
    >>> read_sealed(path)
    {'nuclei': 12}
    >>> _ = path.write_text(path.read_text().replace("12", "13"))
    >>> read_sealed(path) is None
    True
    >>> folder.cleanup()
    """
    content = read_object(path)
    if content is None:
        return None
    seal = content.pop(SEAL, None)
    return content if seal is None or seal == _digest(content) else None


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None where it is missing, or is none."""
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(path.read_bytes().decode("utf-8"))
        return content if isinstance(content, dict) else None
    return None


def add_seal(path: Path) -> None:
    """Write the checksum of a file behind its content."""
    with path.open("rb+") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        file.seek(0, os.SEEK_END)
        file.write(digest)


def sealed_content(path: Path) -> bytes | None:
    """Return what stood in a file when `add_seal` was called; None where it is missing or damaged.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "kept"
    >>> _ = path.write_bytes(b"12 nuclei")
    >>> add_seal(path)
    >>> sealed_content(path)
    b'12 nuclei'
    >>> _ = path.write_bytes(path.read_bytes().replace(b"12", b"13"))
    >>> sealed_content(path) is None
    True
    >>> folder.cleanup()
    """
    with suppress(OSError):
        whole = path.read_bytes()
        content, digest = whole[:-_DIGEST_BYTES], whole[-_DIGEST_BYTES:]
        return content if hashlib.sha256(content).digest() == digest else None
    return None


def checksum_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits, remembered until the file changes.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    found = path.stat()
    return _remembered(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=64)
def _remembered(path: Path, size: int, changed: int) -> str:
    return file_checksum(path)


def file_checksum(path: Path) -> str:
    """Return the SHA-256 of what a file holds now.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(content: dict[str, Any]) -> str:
    plain = json.loads(json.dumps(content))  # as it is read back: no tuples, no numbers as names
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
