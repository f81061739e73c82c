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
    features: npt.NDArray[np.float16],
    part: Window,
    cell: Window,
) -> Pieces:
    """Average features over each connected part of *inside*, four neighbours a pixel.

    Parameters
    ----------
    ternary_map : (h, w) uint8
        Of ``part``.
    features : (F, H / 4, W / 4) float16
        Of the cell.
    part : Window
        What is wanted of the cell, in the raster.
    cell : Window

    Returns
    -------
    (N,) Pieces
    """
    inside = (ternary_map == INSIDE).view(np.uint8)
    count, labels = cv2.connectedComponents(inside, connectivity=4)
    pixels = np.flatnonzero(labels)
    if not len(pixels):
        return np.empty(0, piece_type(len(features)))
    owners = labels.reshape(-1)[pixels] - 1
    y, x = np.divmod(pixels, labels.shape[1])
    y, x = y + part.y, x + part.x
    columns = features.shape[2]
    squares = (y - cell.y) // FEATURE_STRIDE_PX * columns + (x - cell.x) // FEATURE_STRIDE_PX
    used, places = np.unique(squares, return_inverse=True)
    counts = sparse.csr_array(
        (np.ones(len(pixels), np.float32), (owners, places)), shape=(count - 1, len(used))
    )
    pieces = np.empty(count - 1, piece_type(len(features)))
    pieces["pixels"] = np.bincount(owners)
    sums = counts @ features.reshape(len(features), -1)[:, used].T.astype(np.float32)
    pieces["features"] = sums / pieces["pixels"][:, None]
    # of several assignments to one place the last stays, so the first pixel is the one that names
    for name, values in (("x", x), ("y", y)):
        pieces[name][owners[::-1]] = values[::-1]
    return pieces


def joined_features(parts: FeatureParts, grid: TileGrid) -> npt.NDArray[np.float16]:
    """Take each square of a cell from the asked tile in whose middle it lies most.

    Parameters
    ----------
    parts : dict of (F, h, w) float16
        At least one.
    grid : TileGrid

    Returns
    -------
    features : (F, S, S) float16
        Of the cell, S squares a side. Where no tile was asked they are 0.
    """
    stride, overlap = (px // FEATURE_STRIDE_PX for px in (grid.stride_px, grid.overlap_px))
    if tuple(parts) == ((0, 0),):
        return parts[0, 0]
    reaches = (overlap, overlap // 2)
    count = len(next(iter(parts.values())))
    joined = np.zeros((count, stride, stride), np.float16)
    for part, reach in _PAINTED:
        if part in parts:
            below, right = (slice(reaches[reach] if each else None) for each in part)
            # a tile at the raster's edge may end before its cell does
            seen = parts[part][:, below, right]
            joined[:, : seen.shape[1], : seen.shape[2]] = seen
    return joined


# Neighbours first as far as they reach (0), then the cell's own tile, then they again to the middle
# of what they share with it (1).
_PAINTED = (
    *(((1, 1), 0), ((0, 1), 0), ((1, 0), 0), ((0, 0), 0)),
    *(((0, 1), 1), ((1, 0), 1), ((1, 1), 1)),
)
