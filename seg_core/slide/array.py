"""A slide that is an image in memory."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.errors import SlideError
from seg_core.geometry import Region
from seg_core.slide.levelled import LevelledSlide, check_positive
from seg_core.slide.slide import SlideInfo

# From this side on an image in memory gets coarser levels of its own.
_LEVELS_FROM_PX = 2048


class ArraySlide(LevelledSlide):
    """A slide that is an image in memory.

    Parameters
    ----------
    array : (H, W, 3) uint8
        RGB; not copied.
    mpp : float, optional
        Size of a pixel, µm.
    path : Path
        Where the image comes from, or a name for it.
    notes : tuple of str
        What must be known of how it was read.

    Examples
    --------
    >>> from seg_core.geometry import Window
    >>> slide = ArraySlide(np.full((40, 60, 3), 255, dtype=np.uint8), mpp=0.5)
    >>> slide.raster(0.25).width
    120
    >>> slide.read(slide.raster(0.25), Window(0, 0, 2, 1)).tolist()
    [[[255, 255, 255], [255, 255, 255]]]
    """

    def __init__(
        self,
        array: npt.NDArray[np.uint8],
        mpp: float | None = None,
        path: Path = Path("array"),
        *,
        notes: tuple[str, ...] = (),
    ) -> None:
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
            raise SlideError(
                f"{path.name} is an array of shape {array.shape} and type {array.dtype}; "
                "give (height, width, 3) bytes, RGB."
            )
        if mpp is not None:
            check_positive(mpp)
        height, width = array.shape[:2]
        self._levels = _halved(array)
        info = SlideInfo(
            path=path,
            width=width,
            height=height,
            mpp=mpp,
            level_downsamples=tuple(2.0**level for level in range(len(self._levels))),
            vendor=None,
            objective_power=None,
            bounds=Region(0, 0, width, height),
            notes=notes,
        )
        super().__init__(info, tuple((each.shape[1], each.shape[0]) for each in self._levels))

    @property
    def nbytes(self) -> int:
        """What the image takes in memory, its coarser levels included."""
        return sum(level.nbytes for level in self._levels)

    def associated_images(self) -> dict[str, Image.Image]:
        """Return nothing: an image has no label and no macro."""
        return {}

    def close(self) -> None:
        """Do nothing: memory goes with the last reference."""

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> Image.Image:
        return Image.fromarray(self._levels[level][y : y + height, x : x + width])


def _halved(array: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.uint8]]:
    """Return the image and, where it is large, coarser levels, each half the one before."""
    levels = [array]
    while max(levels[-1].shape[:2]) > _LEVELS_FROM_PX:
        levels.append(np.asarray(Image.fromarray(levels[-1]).reduce(2)))
    return levels
