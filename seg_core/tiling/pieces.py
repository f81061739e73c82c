"""What the network knows of nuclei, kept by pieces until the nuclei are known.

The features of a whole slide are too many to be kept: 100 bytes a µm². But wherever a nucleus will be
found there is a connected *inside* from which it grows, and which belongs to it alone. So while a
cell of the grid is decided, the features are averaged over each connected part of *inside* that the
cell holds. Such a *piece* is known by one of its pixels; a nucleus is the one piece, or the few at
the border of cells, whose pixels it holds::

    +------- cell -------+------- cell -------+
    |                ( piece )( piece )       |      one nucleus
    |      ( piece )     |                    |      another
    +--------------------+--------------------+

A mean over pixels does not depend on how they were cut, so what is said of a nucleus depends on the
grid as little as its class does.
"""

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt
from scipy import sparse

from seg_core.classes import INSIDE
from seg_core.geometry import Window
from seg_core.maps import Pieces, piece_type
from seg_core.model.features import FEATURE_STRIDE_PX
from seg_core.tiling.grid import TileGrid

FeatureParts = Mapping[tuple[int, int], npt.NDArray[np.float16]]
"""Features of a cell by the tile they come from, as `seg_core.tiling.blend` numbers them."""


def pieces_of(
    ternary_map: npt.NDArray[np.uint8],
    parts: FeatureParts,
    grid: TileGrid,
    part: Window,
    cell: Window,
) -> Pieces:
    """Average features over each connected part of *inside*, four neighbours a pixel.

    Parameters
    ----------
    ternary_map : (h, w) uint8
        Of ``part``.
    parts : dict of (F, h, w) float16
        At least one, of the cell.
    grid : TileGrid
    part : Window
        What is wanted of the cell, in the raster.
    cell : Window

    Returns
    -------
    (N,) Pieces
    """
    inside = ternary_map == INSIDE
    count, labels = cv2.connectedComponents(inside.view(np.uint8), connectivity=4)
    kind = piece_type(len(next(iter(parts.values()))))
    if count == 1:
        return np.empty(0, kind)
    starts, lengths = _runs_in_squares(inside, (part.x - cell.x) % FEATURE_STRIDE_PX)
    owners = labels.reshape(-1)[starts].astype(np.int64) - 1
    y, x = np.divmod(starts, labels.shape[1])
    y, x = y + part.y, x + part.x
    columns = grid.stride_px // FEATURE_STRIDE_PX
    squares = (y - cell.y) // FEATURE_STRIDE_PX * columns + (x - cell.x) // FEATURE_STRIDE_PX
    shared, places = np.unique(owners * columns**2 + squares, return_inverse=True)
    of_piece, squares = np.divmod(shared, columns**2)
    weights = np.bincount(places, weights=lengths).astype(np.float32)
    begins = np.searchsorted(of_piece, np.arange(count))
    shares = sparse.csr_array((weights, np.arange(len(squares)), begins))
    sums = shares @ _features_at(squares, parts, grid)
    pieces = np.empty(count - 1, kind)
    pieces["pixels"] = np.bincount(owners, weights=lengths)
    pieces["features"] = sums / pieces["pixels"][:, None]
    # of several assignments to one place the last stays, so the first pixel is the one that names
    for name, values in (("x", x), ("y", y)):
        pieces[name][owners[::-1]] = values[::-1]
    return pieces


def _runs_in_squares(
    inside: npt.NDArray[np.bool_], offset: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where runs of pixels within a row and a square begin, and how many pixels they have.

    ``offset`` is where in its square the first column lies.
    """
    begins, ends = inside.copy(), inside.copy()
    begins[:, 1:] &= ~inside[:, :-1]
    ends[:, :-1] &= ~inside[:, 1:]
    first = -offset % FEATURE_STRIDE_PX
    begins[:, first::FEATURE_STRIDE_PX] = inside[:, first::FEATURE_STRIDE_PX]
    last = (first - 1) % FEATURE_STRIDE_PX
    ends[:, last::FEATURE_STRIDE_PX] = inside[:, last::FEATURE_STRIDE_PX]
    starts = np.flatnonzero(begins)
    return starts, np.flatnonzero(ends) - starts + 1


def _features_at(
    squares: npt.NDArray[np.int64], parts: FeatureParts, grid: TileGrid
) -> npt.NDArray[np.float32]:
    """Take some squares of a cell from the asked tiles in whose middle they lie most.

    Parameters
    ----------
    squares : (U,) int64
        Flat indices.
    parts : dict of (F, h, w) float16
    grid : TileGrid

    Returns
    -------
    features : (U, F) float32
        Where no tile was asked they are 0.
    """
    stride, overlap = (px // FEATURE_STRIDE_PX for px in (grid.stride_px, grid.overlap_px))
    reaches = (overlap, overlap // 2)
    sources = np.full((stride, stride), len(parts), np.uint8)
    for place, reach in _PAINTED:
        if place in parts:
            below, right = (slice(reaches[reach] if each else None) for each in place)
            # a tile at the raster's edge may end before its cell does
            height, width = parts[place][0, below, right].shape
            sources[:height, :width] = list(parts).index(place)
    chosen = sources.reshape(-1)[squares]
    rows, columns = np.divmod(squares, stride)
    found = np.zeros((len(squares), len(next(iter(parts.values())))), np.float32)
    for number, features in enumerate(parts.values()):
        mine = np.flatnonzero(chosen == number)
        if len(mine):
            planes = features.reshape(len(features), -1)
            taken = planes.take(rows[mine] * features.shape[2] + columns[mine], axis=1)
            found[mine] = taken.T
    return found


# Neighbours first as far as they reach (0), then the cell's own tile, then they again to the middle
# of what they share with it (1).
_PAINTED = (
    *(((1, 1), 0), ((0, 1), 0), ((1, 0), 0), ((0, 0), 0)),
    *(((0, 1), 1), ((1, 0), 1), ((1, 1), 1)),
)
