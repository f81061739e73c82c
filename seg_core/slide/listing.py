"""Which files of a folder are slides, one entry each."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from seg_core.slide.companions import companions_of
from seg_core.slide.dicom import series_in
from seg_core.slide.formats import DICOM, MIRAX, SAKURA, SLIDE_SUFFIXES, VMS, VMU, begins_as

# What systems and other programs leave: ".DS_Store", "._slide.svs" and the like begin with a dot.
_STRAYS = ("thumbs.db", "desktop.ini")
_STRAY_FOLDERS = ("__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found")
_ARRAY_SUFFIX = ".zarr"  # has thousands of files, none with a suffix
_OF_A_RUN = {"run.json", "maps.zarr"}  # with its small picture, where a store lies among the slides

_SUFFIXES_OF_OTHERS = SLIDE_SUFFIXES - set(DICOM.suffixes)
_SUFFIXES_WITH_COMPANIONS = (*MIRAX.suffixes, *VMS.suffixes, *VMU.suffixes)


def slides_below(folder: Path, *, levels: int | None = None) -> list[Path]:
    """List the slides of a folder and of the folders in it, as `slides_among` does.

    Links are followed, each folder is looked into once. What cannot be read below is passed over,
    as are hidden folders, those of systems and of runs, and those that belong to a slide beside them.

    Parameters
    ----------
    folder : Path
    levels : int, optional
        1: the folder alone, 2: those in it too. By default all.

    Raises
    ------
    OSError
        If there is no such folder or it cannot be read.
    """
    return slides_among(_files_below(folder, levels))


def slides_among(files: Iterable[Path]) -> list[Path]:
    """Return the files that may be slides, one for each, in the order of their names.

    Of a DICOM series the first file stands for all; what belongs to another slide is none. A file
    without suffix counts by how it begins, as archives name theirs by numbers.
    """
    found = sorted(filter(_may_be_slide, files), key=lambda path: str(path).casefold())
    parts = {
        part
        for path in found
        if path.suffix.lower() in _SUFFIXES_WITH_COMPANIONS
        for part in _companions_of(path)
    }
    return series_apart([path for path in found if path not in parts])


def series_apart(files: Sequence[Path]) -> list[Path]:
    """Leave out all but the first file of each DICOM series: any of them opens the whole slide."""
    first: dict[tuple[Path, str], Path] = {}
    for path in files:
        first.setdefault(whole_of(path), path)
    return list(first.values())


def whole_of(path: Path) -> tuple[Path, str]:
    """Return what all files of one slide have in common: a folder and a series, or the file alone."""
    series = series_of(path)
    return (path.parent, series) if series else (path, "")


def files_of_series(path: Path) -> list[Path]:
    """Return the files of the slide that a DICOM file belongs to, by content and not by name."""
    series = series_of(path)
    if not series:
        return [path]
    return [each for each in path.resolve().parent.iterdir() if series_of(each) == series]


def series_of(path: Path) -> str | None:
    """Return the series that a DICOM file belongs to, empty where it does not say; else None."""
    if path.suffix.lower() in _SUFFIXES_OF_OTHERS:
        return None
    with suppress(OSError):
        if path.is_file() and begins_as(path, DICOM):
            with path.open("rb") as file:
                return series_in(file)
    return None


def _files_below(folder: Path, levels: int | None) -> Iterator[Path]:
    """Yield the files of a folder and of those in it; where links lead, last."""
    waiting, linked = deque([(folder, 1)]), deque[tuple[Path, int]]()
    seen: set[tuple[int, int]] = set()
    while waiting or linked:
        place, level = (waiting or linked).popleft()
        try:
            status = place.stat()
            with os.scandir(place) as entries:
                inside = {entry.name: entry for entry in entries}
        except OSError:
            if place == folder:
                raise
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if inside.keys() >= _OF_A_RUN:
            continue
        for name, entry in inside.items():
            if not _is_folder(entry):
                yield place / name
            elif (levels is None or level < levels) and not _belongs_elsewhere(name, inside):
                (linked if entry.is_symlink() else waiting).append((place / name, level + 1))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that turns in a circle
        return False


def _belongs_elsewhere(folder: str, beside: Iterable[str]) -> bool:
    """Tell whether a folder is no place for slides: a system's, an array, a part of a slide."""
    name = folder.casefold()
    return (
        name.startswith(".")
        or name in _STRAY_FOLDERS
        or name.endswith(_ARRAY_SUFFIX)
        or any(f"{folder}{suffix}" in beside for suffix in MIRAX.suffixes)
    )


def _companions_of(path: Path) -> list[Path]:
    with suppress(OSError):
        return companions_of(path)
    return []


def _may_be_slide(path: Path) -> bool:
    if path.name.startswith(".") or path.name.casefold() in _STRAYS:
        return False
    suffix = path.suffix.lower()
    has_none = not suffix or suffix[1:].isdecimal()  # "1.2.840.10008" is a name of DICOM
    if suffix not in SLIDE_SUFFIXES and not has_none:
        return False
    try:
        if not path.is_file():
            return False
        # of files without a suffix any data base of another program begins as Sakura's slides do
        return not has_none or (begins_as(path) and not begins_as(path, SAKURA))
    except OSError:  # a name that the system refuses, or a file that may not be read
        return False
