"""Which level of a slide answers which resolution, and how its pixels are resampled.

A slide stores its picture several times, each *level* coarser than the one before. Reading at some
resolution takes the coarsest level that still has all the detail asked for and resamples it::

    downsample   1     2     4     8          wanted 5: level 2 is read and shrunk by 1.25
    level        0     1     2     3          wanted 0.5: level 0 is read and enlarged

Positions are those of the grid asked for, never of the piece read: a pixel has the same value in
whatever window it is asked for.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image

# Scanners report 0.2520 or 0.2498 for a nominal 0.25; below 5 % it is the same resolution.
SAME_MPP_TOLERANCE = 0.05

PLAUSIBLE_MPP = (0.05, 4.0)
"""What a pixel of a microscope's camera can cover, µm, from the finest objective to a scan of 2.5x.

A file that says 84 µm (300 dpi) speaks of paper, one that says 0 of nothing."""

# Levels are cut to whole pixels, so one of a nominal downsample 4 says 4.0003 or, small, 4.02.
_SAME_LEVEL_TOLERANCE = 0.01

# A level much finer than wanted is first averaged in whole blocks, aligned to the level's corner.
# Half of what could be averaged is left to the bicubic filter, which hides the blocks.
_MAX_BLOCK_PX = 64

# Pixels of a level that are in memory at once while it is averaged: 64 MB as Pillow holds them.
_MAX_SOURCE_PX = 4096 * 4096

# Pillow keeps positions in single precision: over 4,096 pixels they are off by 0.0005 at most.
_MAX_PIECE_PX = 4096

_BICUBIC_SUPPORT_PX = 2

ReadLevel = Callable[[int, int, int, int], Image.Image]
"""(x, y, width, height) in pixels of a level, wholly inside it, to an RGB image."""


def same_resolution(mpp: float, other: float) -> bool:
    """Tell whether two pixel sizes are the same for all practical purposes.

    Examples
    --------
    >>> same_resolution(0.2520, 0.25), same_resolution(0.5, 0.25)
    (True, False)
    """
    return abs(mpp / other - 1) <= SAME_MPP_TOLERANCE


def plausible_mpp(mpp: float) -> float | None:
    """Return a file's pixel size where a microscope can have it, else None.

    Examples
    --------
    >>> plausible_mpp(0.25)
    0.25
    >>> plausible_mpp(25_400 / 300) is None  # 300 dpi
    True
    """
    lowest, highest = PLAUSIBLE_MPP
    return mpp if lowest <= mpp <= highest else None


def square_mpp(mpp_x: float, mpp_y: float) -> tuple[float | None, tuple[str, ...]]:
    """Return the pixel size of a file that states two, and a note where it is not believed.

    Lengths, areas and shapes are measured on square pixels, so a file whose pixels are not has
    none.

    Examples
    --------
    >>> square_mpp(0.25, 0.26)
    (0.255, ())
    >>> square_mpp(0.5, 0.25)[0] is None
    True
    """
    if plausible_mpp(mpp_x) is None or plausible_mpp(mpp_y) is None:
        return None, ()
    if not same_resolution(mpp_x, mpp_y):
        note = (
            f"it says that a pixel is {mpp_x:.4g} µm wide and {mpp_y:.4g} µm high, and only square "
            "pixels can be measured: resample it to square pixels, or give the size of a pixel if "
            "the file errs."
        )
        return None, (note,)
    return (mpp_x + mpp_y) / 2, ()


def best_level(level_downsamples: tuple[float, ...], downsample: float) -> int:
    """Return the coarsest level that is not coarser than wanted; level 0 if all are.

    Parameters
    ----------
    level_downsamples : tuple of float
        Level-0 pixels per pixel of each level, ascending.
    downsample : float
        Level-0 pixels per pixel wanted.

    Examples
    --------
    >>> best_level((1.0, 4.0003, 16.002), 4.0), best_level((1.0, 4.0003, 16.002), 0.5)
    (1, 0)
    """
    limit = downsample * (1 + _SAME_LEVEL_TOLERANCE)
    return max(
        (level for level, value in enumerate(level_downsamples) if value <= limit), default=0
    )


def resample(
    read_level: ReadLevel,
    level_size: tuple[int, int],
    corner: tuple[float, float],
    step: tuple[float, float],
    size: tuple[int, int],
) -> npt.NDArray[np.uint8]:
    """Lay a grid of pixels over a level and answer their colours.

    Pixel (column, row) of the answer covers ``step`` level pixels from ``corner + (column, row) *
    step``. Shrinking averages, enlarging is bicubic; beyond the level its edge pixels go on.

    Parameters
    ----------
    read_level : callable
        Reads a rectangle of whole pixels of the level.
    level_size : (int, int)
        Width and height of the level.
    corner : (float, float)
        x and y of the grid's corner, level pixels.
    step : (float, float)
        Level pixels per pixel of the grid along x and y.
    size : (int, int)
        Width and height of the answer.

    Returns
    -------
    rgb : (height, width, 3) uint8
    """
    width, height = size
    rgb = np.empty((height, width, 3), dtype=np.uint8)
    block = _block_of(min(step))
    if block > 1:
        read_level = partial(_read_averaged, read_level, level_size, block)
        level_size = (math.ceil(level_size[0] / block), math.ceil(level_size[1] / block))
        corner = (corner[0] / block, corner[1] / block)
        step = (step[0] / block, step[1] / block)
    for row in range(0, height, _MAX_PIECE_PX):
        for column in range(0, width, _MAX_PIECE_PX):
            piece = rgb[row : row + _MAX_PIECE_PX, column : column + _MAX_PIECE_PX]
            piece_corner = (corner[0] + column * step[0], corner[1] + row * step[1])
            piece_size = (piece.shape[1], piece.shape[0])
            image = _resample_piece(read_level, level_size, piece_corner, step, piece_size)
            piece[...] = np.asarray(image)
    return rgb


def _resample_piece(
    read_level: ReadLevel,
    level_size: tuple[int, int],
    corner: tuple[float, float],
    step: tuple[float, float],
    size: tuple[int, int],
) -> Image.Image:
    x0, x1, left, right = _source_span(corner[0], step[0], size[0], level_size[0])
    y0, y1, top, bottom = _source_span(corner[1], step[1], size[1], level_size[1])
    image = read_level(x0, y0, x1 - x0, y1 - y0)
    if left or right or top or bottom:
        padding = ((top, bottom), (left, right), (0, 0))
        image = Image.fromarray(np.pad(np.asarray(image), padding, mode="edge"))
    box_x, box_y = corner[0] - x0 + left, corner[1] - y0 + top
    box = (box_x, box_y, box_x + size[0] * step[0], box_y + size[1] * step[1])
    return image.resize(size, Image.Resampling.BICUBIC, box=box)


def _block_of(step: float) -> int:
    """Return the largest power of two that is at most half the step."""
    block = 1
    while block < _MAX_BLOCK_PX and block * 4 <= step:
        block *= 2
    return block


def _source_span(corner: float, step: float, count: int, length: int) -> tuple[int, int, int, int]:
    """Return what one axis needs: first and past-the-end pixel, and how many lack on either side."""
    if step == 1 and corner == int(corner):
        margin = 0
    else:
        margin = math.ceil(_BICUBIC_SUPPORT_PX * max(step, 1.0)) + 1
    wanted0 = math.floor(corner) - margin
    wanted1 = math.ceil(corner + count * step) + margin
    first = min(max(wanted0, 0), length - 1)
    last = max(min(wanted1, length), first + 1)
    return first, last, first - min(wanted0, first), max(wanted1, last) - last


def _read_averaged(
    read_level: ReadLevel,
    level_size: tuple[int, int],
    block: int,
    x: int,
    y: int,
    width: int,
    height: int,
) -> Image.Image:
    """Read a rectangle of the picture that has one pixel per block × block pixels of the level."""
    averaged = Image.new("RGB", (width, height))
    # Columns as well as rows: a level may be wider than what may be in memory at once.
    columns = max(1, min(width, math.isqrt(_MAX_SOURCE_PX) // block))
    rows = max(1, _MAX_SOURCE_PX // (columns * block * block))
    for row in range(0, height, rows):
        y0 = (y + row) * block
        y1 = min((y + min(row + rows, height)) * block, level_size[1])
        for column in range(0, width, columns):
            x0 = (x + column) * block
            x1 = min((x + min(column + columns, width)) * block, level_size[0])
            piece = read_level(x0, y0, x1 - x0, y1 - y0).reduce(block)
            averaged.paste(piece, (column, row))
    return averaged
