"""A picture as a decoder gives it: RGB, and what its file says of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seg_core.errors import SlideError
from seg_core.process.confined import spare_memory

MOST_IMAGE_PX = 100_000_000
"""What an image that has to be held in memory may measure: 10,000 × 10,000 pixels."""

# At most, while it is decoded: as Pillow holds it, twice, and as bytes of RGB, here and in the
# process that shows it.
BYTES_A_PIXEL = 14

# A tile of glass takes hundreds of bytes as JPEG and is 65,536 pixels; whole slides have less than
# 2,000 pixels a byte even where most of them is glass. What declares more is drawn for minutes.
_MOST_PX_A_BYTE = 10_000


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
        raise SlideError(
            f"{path.name} is an ordinary image of {pixels / 1e6:.0f} megapixels, too large to be "
            f"held in memory (at most {MOST_IMAGE_PX / 1e6:.0f}); save it as a pyramidal, tiled "
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
    words = " ".join(str(reason).split())[:200].rstrip(".") or "its data make no sense"
    return SlideError(
        f"{path.name} cannot be read ({words}); "
        "the file is damaged or incomplete: copy or download it again."
    )


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
