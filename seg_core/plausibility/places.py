"""Where on a slide to look for nuclei while nobody knows how large a pixel is."""

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.slide import Slide
from seg_core.slide.pen import is_ink
from seg_core.slide.stain import stain_densities
from seg_core.slide.tissue import absorbs

_Floats = npt.NDArray[np.float64]

_THUMBNAIL_PX = 2048
_MIN_TISSUE = 0.5

# Of the squares by their haematoxylin the upper half are looked at: nuclei, and not folds alone.
_UPPER = 0.5


def places_of_nuclei(slide: Slide, side_px: int, count: int) -> _Floats:
    """Return the centres of squares of tissue that hold much haematoxylin, far apart by rank.

    Parameters
    ----------
    slide : Slide
        The size of its pixels need not be known.
    side_px : int
        Side of the squares, level-0 pixels.
    count : int
        The most places.

    Returns
    -------
    centres : (N, 2) float64
        (x, y), level-0 pixels; one at least, the one with most tissue where none is mostly tissue.
    """
    bounds = slide.info.bounds
    rgb = slide.thumbnail(_THUMBNAIL_PX)
    step = bounds.width / rgb.shape[1]
    tissue = (absorbs(rgb) & ~is_ink(rgb)).astype(np.float32)
    haematoxylin = np.clip(stain_densities(rgb)[..., 0], 0, 2) * tissue
    side = max(1, round(min(side_px, bounds.width, bounds.height) / step))
    share, density = (
        cv2.blur(each, (side, side), borderType=cv2.BORDER_REPLICATE)
        for each in (tissue, haematoxylin)
    )
    rows, columns = (_middles(length, side) for length in rgb.shape[:2])
    share, density = share[np.ix_(rows, columns)], density[np.ix_(rows, columns)]
    candidates = np.flatnonzero(share >= _MIN_TISSUE)
    if not len(candidates):
        candidates = np.array([share.argmax()])
    by_stain = candidates[np.argsort(-density.ravel()[candidates], kind="stable")]
    upper = by_stain[: max(count, round(_UPPER * len(by_stain)))]
    chosen = upper[np.unique(np.linspace(0, len(upper) - 1, count).round().astype(int))]
    y, x = np.unravel_index(chosen, share.shape)
    corner = np.array([bounds.x, bounds.y])
    return np.stack([columns[x] + 0.5, rows[y] + 0.5], axis=1) * step + corner


def _middles(length: int, side: int) -> npt.NDArray[np.intp]:
    """Return the middles of squares that cover a length, half of each shared with the next."""
    first, last = side // 2, max(side // 2, length - 1 - side // 2)
    count = max(1, round(2 * (last - first) / side) + 1)
    return np.linspace(first, last, count).round().astype(np.intp).clip(0, length - 1)
