"""Masks of somebody's: images whose values are numbers, read in the confined process.

A mask with a palette, as QuPath exports labels and PASCAL VOC its classes, shows its numbers in
colours: the numbers are meant, in PNG as in TIFF.
"""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile

from seg_core.errors import SlideError
from seg_core.slide.formats import PNG, TIFF, format_of
from seg_core.slide.picture import check_size, damaged
from seg_core.slide.png import check_data, palette_indices
from seg_core.slide.tiff import check_directories

_PNG_SIZE = slice(16, 24)  # width and height in the first chunk
_MOST = np.iinfo(np.int32).max


def read_numbers(path: str) -> tuple[dict[str, Any], memoryview]:
    """Read a mask.

    Parameters
    ----------
    path : str
        PNG or TIFF of one channel of whole numbers, or of numbers of a palette.

    Returns
    -------
    facts : dict
        ``shape`` and ``dtype``.
    numbers : bytes

    Raises
    ------
    SlideError
        If it is none, damaged, or too large.
    """
    file = Path(path)
    kind = format_of(file)
    if kind not in (PNG, TIFF):
        raise SlideError(f"{file.name} is a {kind.name} file; give a mask as PNG or TIFF.")
    try:
        values = _of_png(file) if kind is PNG else _of_tiff(file)
    except (SlideError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged file makes of a decoder
        raise damaged(file, error) from error
    if values.ndim != 2 or values.dtype.kind not in "ui" or values.size == 0:
        raise SlideError(
            f"the mask {file.name} has shape {values.shape} and type {values.dtype}; a mask has one "
            "channel of whole numbers."
        )
    if int(values.max()) > _MOST or int(values.min()) < 0:
        raise SlideError(
            f"the mask {file.name} has numbers from {values.min()} to {values.max()}; number its "
            f"nuclei from 1 to {_MOST} at most."
        )
    values = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))
    return {"shape": list(values.shape), "dtype": values.dtype.str}, values.data


def _of_png(file: Path) -> npt.NDArray[Any]:
    content = file.read_bytes()
    sides = np.frombuffer(content[_PNG_SIZE], dtype=">u4")
    check_size(file, int(sides[0]), int(sides[1]))
    check_data(file)
    indices = palette_indices(file)
    return np.asarray(imagecodecs.png_decode(content)) if indices is None else indices


def _of_tiff(file: Path) -> npt.NDArray[Any]:
    check_directories(file)
    with tifffile.TiffFile(file) as opened:
        page = opened.pages.first
        check_size(file, page.imagewidth, page.imagelength)
        return np.asarray(page.asarray(maxworkers=1))
