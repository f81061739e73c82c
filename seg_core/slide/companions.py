"""The files beside a slide without which it is none, and which lie in its own folder."""

from collections.abc import Iterator
from pathlib import Path

from seg_core.errors import SlideError
from seg_core.slide.formats import DICOM, MIRAX, VMS, VMU, SlideFormat

# Of a key file of Hamamatsu: what is longer names no files of a slide.
_MOST_KEY_BYTES = 1 << 20
_FILE_KEYS = ("ImageFile", "MapFile", "MacroImage", "OptimisationFile")


def check_companions(path: Path, kind: SlideFormat) -> None:
    """Refuse a slide whose other files are missing or lie elsewhere.

    Raises
    ------
    SlideError
        With the name of what is missing.
    """
    if kind is MIRAX:
        _check_mirax(path)
    elif kind in (VMS, VMU):
        for name in _files_named_in(path):
            if Path(name).name != name or "\\" in name:
                raise SlideError(
                    f"{path.name} names the file {name!r} outside its own folder; put all files of "
                    "the slide into one folder, as the scanner wrote them."
                )
            if not (path.parent / name).is_file():
                raise _missing(path, f"the file {name}")


def companions_of(path: Path) -> list[Path]:
    """Return the other files of a slide, in order; none where it is one file."""
    suffix = path.suffix.lower()
    if suffix in MIRAX.suffixes:
        return sorted(each for each in path.with_suffix("").glob("*") if each.is_file())
    if suffix in VMS.suffixes + VMU.suffixes:
        beside = {path.parent / Path(name).name for name in _files_named_in(path)}
        return sorted(each for each in beside if each.is_file())
    return []


def size_of(path: Path, kind: SlideFormat) -> int:
    """Return the bytes of all files of a slide; of DICOM those of its folder, at most."""
    files = [path, *companions_of(path)]
    if kind is DICOM:
        files = [each for each in path.parent.iterdir() if each.is_file()]
    return sum(each.stat().st_size for each in files)


def _check_mirax(path: Path) -> None:
    folder = path.with_suffix("")
    if path.suffix != path.suffix.lower():
        raise SlideError(
            f"{path.name} has its suffix in capitals, which OpenSlide takes for no MIRAX slide; "
            f"rename it to {path.with_suffix('.mrxs').name}."
        )
    if not (folder / "Slidedat.ini").is_file():
        raise _missing(path, f"the folder {folder.name} with its file Slidedat.ini")


def _files_named_in(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        text = file.read(_MOST_KEY_BYTES).decode("latin-1")
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip().startswith(_FILE_KEYS) and value.strip():
            yield value.strip()


def _missing(path: Path, what: str) -> SlideError:
    return SlideError(
        f"{path.name} is only a part of a slide: {what} is missing beside it; copy both into one "
        "folder, under the names that the scanner gave them."
    )
