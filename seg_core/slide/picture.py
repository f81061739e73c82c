"""A picture as a decoder gives it: RGB, and what its file says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.apart import apart
from seg_core.errors import SlideError, told_by
from seg_core.process.confined import spare_memory

MOST_IMAGE_PX = 100_000_000
"""What an image that has to be held in memory may measure: 10,000 × 10,000 pixels."""

MOST_ASSOCIATED_PX = 25_000_000
"""What a label, or an overview of the glass, may measure; the largest of scanners have half of that."""

# At most, while it is decoded: as Pillow holds it, twice, and as bytes of RGB, here and in the
# process that shows it.
BYTES_A_PIXEL = 14

# A tile of glass takes hundreds of bytes as JPEG and is 65,536 pixels; whole slides have less than
# 2,000 pixels a byte even where most of them is glass. What declares more is drawn for minutes.
_MOST_PX_A_BYTE = 10_000


# What an orientation of TIFF 6.0 does to rows and columns.
_UPRIGHT: dict[int, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    1: lambda rgb: rgb,
    2: lambda rgb: rgb[:, ::-1],
    3: lambda rgb: rgb[::-1, ::-1],
    4: lambda rgb: rgb[::-1],
    5: lambda rgb: rgb.swapaxes(0, 1),
    6: lambda rgb: np.rot90(rgb, -1),
    7: lambda rgb: rgb[::-1, ::-1].swapaxes(0, 1),
    8: lambda rgb: np.rot90(rgb),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded image.

    Attributes
    ----------
    rgb : (H, W, 3) uint8
    mpp : float or None
        Size of a pixel, µm, where the file's resolution is one a microscope can have.
    notes : tuple of str
        What must be known of how it was read, a sentence each.
    """

    rgb: npt.NDArray[np.uint8]
    mpp: float | None
    notes: tuple[str, ...] = ()


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse an image before it is decoded that would take more memory than there is.

    Raises
    ------
    SlideError
        If it is larger than an image may be, or than this machine can hold now.
    """
    check_density(path, width, height)
    pixels = width * height
    if pixels > MOST_IMAGE_PX:
        size, most = apart(pixels / 1e6, MOST_IMAGE_PX / 1e6)
        raise SlideError(
            f"{path.name} is an ordinary image of {size} megapixels, too large to be "
            f"held in memory (at most {most}); save it as a pyramidal, tiled "
            "TIFF."
        )
    if pixels * BYTES_A_PIXEL > spare_memory():
        raise SlideError(
            f"{path.name} is an ordinary image of {pixels / 1e6:.0f} megapixels, for which this "
            "machine has not enough memory left; save it as a pyramidal, tiled TIFF, or close other "
            "programs."
        )


def check_density(path: Path, width: int, height: int, size: int | None = None) -> None:
    """Refuse a file that declares far more pixels than its bytes can hold.

    Parameters
    ----------
    path : Path
    width, height : int
    size : int, optional
        Bytes of all files of the slide; by default those of this one.

    Raises
    ------
    SlideError
        If so.
    """
    if size is None:
        size = path.stat().st_size
    if width * height > max(size, 4096) * _MOST_PX_A_BYTE:
        raise SlideError(
            f"{path.name} says that it measures {width:,} × {height:,} pixels, which its "
            f"{size:,} bytes cannot hold; the file is damaged or made to mislead."
        )


def damaged(path: Path, reason: object) -> SlideError:
    """Return the error of a file that cannot be decoded."""
    words = told_by(reason if isinstance(reason, Exception) else ValueError(reason)).rstrip(".")
    return SlideError(
        f"{path.name} cannot be read ({words}); "
        "the file is damaged or incomplete: copy or download it again."
    )


def upright(rgb: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Turn a picture as an orientation of TIFF or Exif says; what is none changes nothing.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
    orientation : int

    Returns
    -------
    (H, W, 3) or (W, H, 3) uint8
        A view.
    """
    return _UPRIGHT.get(orientation, _UPRIGHT[1])(rgb)


def on_white(
    rgb: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8], kind: int
) -> npt.NDArray[np.uint8]:
    """Lay a picture on white.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
    alpha : (H, W) uint8
    kind : int
        As TIFF has it: 1, it has been multiplied by its alpha already; 2, it has not.
    """
    share = alpha[..., None].astype(np.uint16)
    shown = rgb.astype(np.uint16) if kind == 1 else (rgb * share + 127) // 255
    return np.minimum(shown + (255 - share), 255).astype(np.uint8)


def scaled_to_bytes(
    values: npt.NDArray[np.integer], bits: int | None = None
) -> tuple[npt.NDArray[np.uint8], int]:
    """Scale whole numbers to 8 bits by the range that they use.

    Cameras write 8, 10, 12 or 14 bits into 16.

    Parameters
    ----------
    values : (...) int
        None below 0 or above 65,535.
    bits : int, optional
        That are used, where the file says it.

    Returns
    -------
    scaled : (...) uint8
    bits : int
        That were taken to be used.

    Examples
    --------
    >>> scaled_to_bytes(np.array([0, 2048, 4095], dtype=np.uint16))
    (array([  0, 128, 255], dtype=uint8), 12)
    """
    largest = int(values.max(initial=0))
    if bits is None or largest >> bits:
        bits = next(each for each in (8, 10, 12, 14, 16) if not largest >> each)
    most = (1 << bits) - 1
    table = (np.arange(most + 1, dtype=np.uint32) * 255 + most // 2) // most
    return table.astype(np.uint8)[values], bits
