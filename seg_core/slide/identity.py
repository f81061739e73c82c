"""Which slide a file is, by its content."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import openslide

from seg_core.slide.companions import companions_of
from seg_core.slide.formats import DICOM, head_of
from seg_core.slide.listing import files_of_series
from seg_core.slide.opening import metadata_of, no_name, unreadable

# What is that small is hashed whole, in about a second. Of what is larger pieces are, spread
# evenly: a scanner's file that was changed in place differs in its directories or in many of them.
_WHOLE_BYTES = 512 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
_PIECES = 512

_DIGITS, _EARLIER_DIGITS = 16, 12
_MOST_NAME_BYTES = 120  # a file system takes 255; the run's own files need some


def slide_id(path: Path) -> str:
    """Return a name for a slide's content that can be a folder's name.

    Parameters
    ----------
    path : Path
        The slide's file. The files that it needs beside it count too; a DICOM slide has the same
        id by whichever of its files it is named, and is called after their folder.

    Returns
    -------
    slide_id : str
        The file's stem, letters, digits, dots, hyphens and underscores only, and 16 hex digits
        of a fingerprint of the content: renaming the file changes the first part alone.

    Raises
    ------
    SlideError
        If the file cannot be read.
    """
    path = Path(path)
    try:
        if _is_dicom(path):
            name, files = path.resolve().parent.name, _in_order(files_of_series(path))
        else:
            name, files = path.stem, [path, *companions_of(path)]
        return f"{_safe_name(name)}-{_fingerprint(path, files)}"
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:  # a NUL in a name
        raise no_name(path) from error


def may_have_id(path: Path, identity: str) -> bool:
    """Tell by names alone, without a look at the content, whether a slide may be the one of an id."""
    name = identity.rpartition("-")[0]
    return any(
        name in (_safe_name(each), _ascii_name(each)) for each in (path.stem, path.parent.name)
    )


def is_identity(path: Path, identity: str) -> bool:
    """Tell whether a slide is the one of an id, which an earlier version may have given.

    Raises
    ------
    SlideError
        If the file cannot be read.
    """
    if len(identity.rpartition("-")[2]) == _EARLIER_DIGITS:
        return earlier_slide_id(path) == identity
    return slide_id(path) == identity


def earlier_slide_id(path: Path) -> str:
    """Return the id that earlier versions gave a slide, under which its old runs are kept.

    It sampled a file at three places, and so two slides could share it: no new run gets it.

    Raises
    ------
    SlideError
        If the file cannot be read.
    """
    path = Path(path)
    try:
        if _is_dicom(path):
            return f"{_ascii_name(path.resolve().parent.name)}-{_earlier_dicom(path)}"
        companions = companions_of(path) if path.suffix.lower() == ".mrxs" else []
        return f"{_ascii_name(path.stem)}-{_earlier_fingerprint([path, *companions])}"
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:  # a NUL in a name
        raise no_name(path) from error


def _safe_name(stem: str) -> str:
    """Return a name that every file system takes: letters of any script stay."""
    name = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", stem)).strip("._")
    short = name.encode("utf-8", "replace")[:_MOST_NAME_BYTES].decode("utf-8", "ignore")
    return short or "slide"


def _fingerprint(path: Path, files: Iterable[Path]) -> str:
    digest = hashlib.blake2b(digest_size=_DIGITS // 2)
    for each in files:
        size = each.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with each.open("rb") as file:
            if size <= _WHOLE_BYTES:
                while piece := file.read(1 << 20):
                    digest.update(piece)
                continue
            for number in range(_PIECES):
                file.seek((size - _PIECE_BYTES) * number // (_PIECES - 1))
                digest.update(file.read(_PIECE_BYTES))
        digest.update((metadata_of(path) or "").encode())
    return digest.hexdigest()


def _is_dicom(path: Path) -> bool:
    return DICOM.is_begun_by(head_of(path, 132))


def _in_order(files: Iterable[Path]) -> list[Path]:
    """Return the files of a series in an order that does not depend on their names."""
    return sorted(files, key=lambda each: (each.stat().st_size, head_of(each, 4096)))


def _ascii_name(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._")[:80] or "slide"


def _earlier_dicom(path: Path) -> str:
    try:
        with openslide.OpenSlide(path) as handle:
            series = handle.properties.get(openslide.PROPERTY_NAME_QUICKHASH1)
    except openslide.OpenSlideError:
        series = None
    if series is None:
        return _earlier_fingerprint([path])
    return hashlib.blake2b(series.encode(), digest_size=_EARLIER_DIGITS // 2).hexdigest()


def _earlier_fingerprint(paths: Iterable[Path]) -> str:
    digest = hashlib.blake2b(digest_size=_EARLIER_DIGITS // 2)
    for path in paths:
        size = path.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with path.open("rb") as file:
            for start in (0, size // 2, max(0, size - _PIECE_BYTES)):
                file.seek(start)
                digest.update(file.read(_PIECE_BYTES))
    return digest.hexdigest()
