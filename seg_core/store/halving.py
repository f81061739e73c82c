"""Coarser levels of the maps: votes for classes, means for scores."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from seg_core.classes import BACKGROUND
from seg_core.geometry import Window
from seg_core.store.maps_layout import CHUNK_PX

_Image = npt.NDArray[np.uint8]


def coarser_classes(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Halve a map of classes: each 2 × 2 becomes the class that most of its nucleus pixels have.

    A 2 × 2 that is half nucleus counts as nucleus. *Any* of the four would swell nuclei by a
    pixel a level and *most* of them would let small ones vanish at once; half of them lets an edge
    move outwards by a quarter of a coarser pixel on average, and keeps a nucleus for as long as it
    measures a pixel and a half. Ties between classes go to the smaller id.

    Parameters
    ----------
    values : (H, W) uint8
        An odd last row or column counts twice.

    Returns
    -------
    (ceil(H / 2), ceil(W / 2)) uint8

    Examples
    --------
    >>> coarser_classes(np.array([[2, 2, 0, 0], [0, 3, 0, 4]], dtype=np.uint8))
    array([[2, 0]], dtype=uint8)
    """
    quarters = _quarters(values)
    best = np.zeros_like(quarters[0])
    most = np.zeros_like(best)
    foreground = np.zeros_like(best)
    for value in range(1, int(values.max(initial=0)) + 1):
        votes = sum(((quarter == value).view(np.uint8) for quarter in quarters), start=most * 0)
        foreground += votes
        best[votes > most] = value
        np.maximum(most, votes, out=most)
    best[foreground < 2] = BACKGROUND
    return best


def coarser_score(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Halve a map of scores: each 2 × 2 becomes its mean.

    Examples
    --------
    >>> coarser_score(np.array([[10, 20], [30, 41]], dtype=np.uint8))
    array([[25]], dtype=uint8)
    """
    total: npt.NDArray[np.uint16] = np.sum(_quarters(values), axis=0, dtype=np.uint16)
    return ((total + 2) // 4).astype(np.uint8)


def _quarters(values: _Image) -> list[_Image]:
    height, width = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2)), mode="edge")
    return [even[row::2, column::2] for row in (0, 1) for column in (0, 1)]


def halve(levels: list[zarr.Array[Any]], window: Window, *, mean: bool) -> None:
    """Make what the coarser levels have of a window of level 0, a row of chunks at a time.

    Each level is made from the one below it as it stands on disk, one pixel further where the
    window's edge lies inside a 2 × 2; the neighbour that comes later makes that pixel again.
    """
    for finer, coarser in pairwise(levels):
        left, top = window.x // 2, window.y // 2
        right, bottom = (window.right + 1) // 2, (window.bottom + 1) // 2
        window = Window(left, top, right - left, bottom - top)
        for row in range(top // CHUNK_PX, -(-bottom // CHUNK_PX)):
            y0, y1 = max(top, row * CHUNK_PX), min(bottom, (row + 1) * CHUNK_PX)
            source = np.asarray(finer[2 * y0 : 2 * y1, 2 * left : 2 * right], dtype=np.uint8)
            if source.any():
                coarser[y0:y1, left:right] = (
                    coarser_score(source) if mean else coarser_classes(source)
                )
