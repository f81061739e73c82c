"""Opening a file as a slide, once a confined process has found that it can be."""

from collections import OrderedDict
from contextlib import closing
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import openslide

from seg_core.errors import SlideError, told_by
from seg_core.geometry import Region
from seg_core.process.confined import ChildEnded, Limits, Nursery
from seg_core.slide.array import ArraySlide
from seg_core.slide.companions import check_companions
from seg_core.slide.formats import format_of, readable_folders
from seg_core.slide.levelled import check_mpp
from seg_core.slide.picture import BYTES_A_PIXEL, MOST_IMAGE_PX
from seg_core.slide.scanned import ScannedSlide, share_decoded
from seg_core.slide.slide import Slide

_nursery = Nursery("seg_core.slide.probing", "seg_core.slide.label_image")

# Room for the largest image; what OpenSlide needs for the parts of a sound slide is far less.
_MEMORY_BYTES = MOST_IMAGE_PX * BYTES_A_PIXEL

# Until a file has been opened. A sound slide takes a tenth of a second, an image a second for some
# 30 MB, of a slow machine.
_CPU_S, _WALL_S, _BYTES_A_SECOND = 5, 8, 10_000_000

# At a time: each may take the memory of the largest image, and of a processor all there is.
_slots = BoundedSemaphore(2)

# Files whose opening has been tried before, as they then were.
_MOST_REMEMBERED = 512
_remembered: "OrderedDict[tuple[Any, ...], dict[str, Any]]" = OrderedDict()
_remembered_lock = Lock()


def open_slide(path: Path, *, mpp: float | None = None, unstated_mpp: float | None = None) -> Slide:
    """Open a whole-slide image or an ordinary image.

    Parameters
    ----------
    path : Path
        Any file of `seg_core.slide.formats`; of a DICOM slide any of its files.
    mpp : float, optional
        Size of a level-0 pixel, µm, as the user says; it wins over the file's.
    unstated_mpp : float, optional
        The same where neither ``mpp`` nor the file says it.

    Returns
    -------
    slide : Slide

    Raises
    ------
    SlideError
        If there is no such file, it is neither slide nor image, or its name says that it is of
        another kind.
    ResolutionError
        If a size given is none that a microscope gives.
    """
    path = Path(path)
    for given in (mpp, unstated_mpp):
        if given is not None:
            check_mpp(given)
    _check_file(path)
    key = _key_of(path)
    with _remembered_lock:
        facts = _remembered.get(key)
    if facts is None:
        facts, payload = _probe(path)
        if facts["reader"] == "array":
            rgb = np.frombuffer(payload, dtype=np.uint8).reshape(*facts["shape"], 3)
            known = mpp or facts["mpp"] or unstated_mpp
            return ArraySlide(rgb, known, path, notes=tuple(facts["notes"]))
        with _remembered_lock:
            _remembered[key] = facts
            while len(_remembered) > _MOST_REMEMBERED:
                _remembered.popitem(last=False)
    try:
        handle = openslide.OpenSlide(path)
    except openslide.OpenSlideError as error:
        raise SlideError(
            f"{path.name} cannot be opened any more ({told_by(error)}); was it changed just now?"
        ) from error
    share_decoded(handle)
    return ScannedSlide(
        handle,
        path,
        mpp=mpp,
        described=facts["described"],
        described_mpp=facts["mpp"],
        unstated_mpp=unstated_mpp,
        notes=tuple(facts["notes"]),
    )


def read_label_image(path: Path) -> npt.NDArray[np.int32]:
    """Read a mask that came from somebody: each nucleus has a number of its own, 0 is none.

    Parameters
    ----------
    path : Path
        PNG or TIFF of one channel of whole numbers, or of numbers of a palette, by its content.

    Returns
    -------
    labels : (H, W) int32

    Raises
    ------
    SlideError
        If it is none, damaged, or too large to be held in memory.
    """
    path = Path(path)
    _check_file(path)
    facts, payload = _confined("seg_core.slide.label_image:read_numbers", path)
    values = np.frombuffer(payload, dtype=np.dtype(facts["dtype"])).reshape(facts["shape"])
    return values.astype(np.int32)


def bounds_of(path: Path) -> Region:
    """Return the part of a slide that was scanned, level-0 pixels.

    Raises
    ------
    SlideError
        As `open_slide` does.
    """
    with closing(open_slide(path)) as slide:
        return slide.info.bounds


def metadata_of(path: Path) -> str | None:
    """Return a digest of all that OpenSlide knows of a slide; None where it is not asked."""
    digest = _probe(path)[0].get("metadata")
    return None if digest is None else str(digest)


def unreadable(path: Path, error: OSError) -> SlideError:
    """Return the error of a file that the system does not give."""
    if isinstance(error, FileNotFoundError):
        return _missing(path)
    return SlideError(
        f"{path.name[:80]} cannot be read ({error.strerror}); check its name and your permissions."
    )


def _missing(path: Path) -> SlideError:
    """Return the error of a file that is not there, without the folder: visitors read it."""
    return SlideError(f"there is no file {path.name[:80]}; check its name and place.")


def no_name(path: Path) -> SlideError:
    """Return the error of a name that no file can have."""
    return SlideError(f"{path.name[:80]!r} is no name of a file; choose another.")


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise SlideError(f"{path.name} is a folder; choose one of the slide files in it.")
        if not path.exists():
            raise _missing(path)
        if not path.is_file():
            raise SlideError(f"{path.name} is no regular file; choose one of the slide files.")
        if path.stat().st_size == 0:
            raise SlideError(f"{path.name} is empty (0 bytes); copy or download it again.")
        check_companions(path, format_of(path))
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:  # a NUL in a name
        raise no_name(path) from error


def _key_of(path: Path) -> tuple[Any, ...]:
    found = path.stat()
    return (path.absolute(), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _probe(path: Path) -> tuple[dict[str, Any], bytearray]:
    """Open a file in a confined process; return what it is and, of an image, its pixels."""
    return _confined("seg_core.slide.probing:probe", path)


def _confined(function: str, path: Path) -> tuple[dict[str, Any], bytearray]:
    longer = min(60, path.stat().st_size // _BYTES_A_SECOND)
    try:
        with _slots:
            return _nursery.call(
                function,
                {"path": str(path.absolute())},
                readable=readable_folders(path),
                limits=Limits(_MEMORY_BYTES, _CPU_S + longer, _WALL_S + longer),
            )
    except ChildEnded as ended:
        raise SlideError(_SENTENCES[ended.reason].format(name=path.name)) from ended


_SENTENCES = {
    "memory": "{name} asks for more memory than a slide may; "
    "the file is damaged or made to mislead, or an image too large to be held in memory.",
    "time": "{name} took too long to be opened and was given up; "
    "the file is damaged or made to mislead: copy or download it again.",
    "crash": "{name} cannot be opened (it ended the process that tried); "
    "the file is damaged or made to mislead: copy or download it again.",
}
