"""Checksums of maps that grow: what an analysis goes on with is what was written before it stopped."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from seg_core.files.sealed import file_checksum

LAYOUT_FILE = "zarr.json"


class CoarserFiles:
    """The chunks of all levels but the finest, and of the shares.

    They are made of the finest and so need no more than to be made again where one is damaged.

    Parameters
    ----------
    maps : Path
        The folder ``maps.zarr``.
    """

    def __init__(self, maps: Path) -> None:
        self._maps = maps
        self._known: dict[Path, tuple[int, int, str]] = {}

    def checksum(self) -> str:
        """Return one of all their names and content; only what has changed is read again."""
        digest = hashlib.sha256()
        known: dict[Path, tuple[int, int, str]] = {}
        for path in sorted(self._files()):
            found = path.stat()
            size, changed, content = self._known.get(path, (-1, -1, ""))
            if (size, changed) != (found.st_size, found.st_mtime_ns):
                content = file_checksum(path)
            known[path] = (found.st_size, found.st_mtime_ns, content)
            digest.update(f"{path.relative_to(self._maps).as_posix()}\0{content}\n".encode())
        self._known = known
        return digest.hexdigest()

    def discard(self) -> None:
        """Remove them; what is not there is background."""
        for level in self._levels():
            shutil.rmtree(level / "c", ignore_errors=True)

    def _files(self) -> Iterator[Path]:
        for level in self._levels():
            yield from (path for path in (level / "c").rglob("*") if path.is_file())

    def _levels(self) -> Iterator[Path]:
        for path in self._maps.glob(f"*/*/{LAYOUT_FILE}"):
            if path.parent.relative_to(self._maps).as_posix() != "maps/0":
                yield path.parent


def layout_checksums(maps: Path) -> dict[str, str]:
    """Return the checksums of the files that say how the maps are laid out, which never change."""
    return {
        path.relative_to(maps).as_posix(): file_checksum(path) for path in maps.rglob(LAYOUT_FILE)
    }
