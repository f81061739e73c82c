"""Checksums of a finished run's files, so that damage is named and never read as a result."""

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from seg_core.errors import StoreError

MAPS, MAP_NAMES, NUCLEI = "maps", "names of maps", "nuclei"
"""Entries of a seal: all content of the maps, the names and sizes of their files, the nuclei."""

Seal = dict[str, str]

_PIECE_BYTES = 1 << 20


def seal_of(maps: Path, nuclei: Path) -> Seal:
    """Return the checksums of a run's maps and nuclei, as far as they are there."""
    seal: Seal = {}
    if maps.is_dir():
        seal |= {MAPS: _digest_of_folder(maps), MAP_NAMES: _digest_of_names(maps)}
    if nuclei.is_file():
        seal[NUCLEI] = _digest(nuclei)
    return seal


def check_nuclei(nuclei: Path, seal: Seal) -> None:
    """Refuse nuclei that are not those that were written.

    Raises
    ------
    StoreError
        If the file is missing or its bytes have changed.
    """
    if NUCLEI in seal and _nuclei_now(nuclei) != seal[NUCLEI]:
        raise damaged(nuclei)


def check_map_files(maps: Path, seal: Seal) -> None:
    """Refuse maps of which a file is missing, new or of another size.

    What stands in a chunk has a checksum of its own, which reading it checks.

    Raises
    ------
    StoreError
        If so.
    """
    if MAP_NAMES in seal and _digest_of_names(maps) != seal[MAP_NAMES]:
        raise damaged(maps)


def damage_of(maps: Path, nuclei: Path, seal: Seal) -> Iterator[Path]:
    """Read all that a seal is of, and yield what has changed since."""
    for path, entry, digest in ((maps, MAPS, _digest_of_folder), (nuclei, NUCLEI, _digest)):
        try:
            if entry in seal and digest(path) != seal[entry]:
                yield path
        except OSError:
            yield path


def damaged(path: Path) -> StoreError:
    """Return the error of a file of a run that is not what was written."""
    return StoreError(
        f"{path} is missing or damaged; start the same analysis again, it is then made anew."
    )


def _nuclei_now(path: Path) -> str:
    try:
        found = path.stat()
        return _remembered(path, found.st_size, found.st_mtime_ns)
    except OSError as error:
        raise damaged(path) from error


@lru_cache(maxsize=256)
def _remembered(path: Path, size: int, changed: int) -> str:
    return _digest(path)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _digest_of_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in _files_of(folder):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{_digest(path)}\n".encode())
    return digest.hexdigest()


def _digest_of_names(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in _files_of(folder):
        name = path.relative_to(folder).as_posix()
        digest.update(f"{name}\0{path.stat().st_size}\n".encode())
    return digest.hexdigest()


def _files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
