"""What the coarser levels have of a window of level 0.

A part of level 0 is read once and gives all levels down to an eighth of its side, which are most of
the work: what comes after them has a hundredth of the pixels and is made level from level.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from seg_core.geometry import Window
from seg_core.store.chunk_files import ArrayFiles
from seg_core.store.halving import halved
from seg_core.store.maps_layout import SHARES_STEP, Pyramid
from seg_core.store.shares import FIRST_SHARE_LEVEL, averaged, shares_of

# Side of the parts of level 0 that are in memory at once, 13 MB, and how many levels come of them.
PART_PX = 2048
_TOGETHER = 3

_Image = npt.NDArray[np.uint8]


def make_coarser(pyramid: Pyramid, window: Window) -> None:
    """Give the coarser levels and the shares what level 0 has of a window, as it stands on disk.

    Pixels that lie half outside the window are made of what is there; the neighbour that comes
    later makes them again.
    """
    levels, share_levels = pyramid.map_files(), pyramid.share_files()
    edge = 2**_TOGETHER
    for part in parts_of(_aligned(window, edge, levels[0]), PART_PX):
        maps = levels[0].read(part)
        if maps.any():
            shares = shares_of(maps, pyramid.class_count, SHARES_STEP)
            _write_levels(levels, share_levels, part, maps, shares)
    _from_finer(levels[_TOGETHER:], coarser_window(window, edge), halved)
    _from_finer(
        share_levels[_TOGETHER - FIRST_SHARE_LEVEL :],
        coarser_window(window, edge),
        lambda shares: averaged(shares, 2),
    )


def _write_levels(
    levels: Sequence[ArrayFiles],
    share_levels: Sequence[ArrayFiles],
    part: Window,
    maps: _Image,
    shares: _Image,
) -> None:
    """Write what comes of one part of level 0, ``maps``, and the finest shares of it."""
    for level in range(1, _TOGETHER + 1):
        part = coarser_window(part, 2)
        if level < len(levels):
            maps = halved(maps)
            levels[level].write(part, maps)
        if 0 <= level - FIRST_SHARE_LEVEL < len(share_levels):
            if level > FIRST_SHARE_LEVEL:
                shares = averaged(shares, 2)
            share_levels[level - FIRST_SHARE_LEVEL].write(part, shares)


def _from_finer(
    levels: Sequence[ArrayFiles], window: Window, halve: Callable[[_Image], _Image]
) -> None:
    """Make each level from the one before, in whole chunks; the window is of the first."""
    for finer, coarser in pairwise(levels):
        window = coarser_window(window, 2)
        side = coarser.chunk_px
        for part in parts_of(_aligned(window, side, coarser), side):
            doubled = Window(*(2 * each for each in part.to_json()))
            inside = doubled.intersection(Window(0, 0, finer.shape[2], finer.shape[1]))
            assert inside is not None, "each pixel has one of the finer level at least"
            planes = finer.read(inside)
            if planes.any():
                coarser.write(part, halve(planes))


def coarser_window(window: Window, step: int) -> Window:
    """Return the pixels, each step × step of the window's, that have anything of it."""
    x, y = window.x // step, window.y // step
    return Window(x, y, -(-window.right // step) - x, -(-window.bottom // step) - y)


def _aligned(window: Window, step: int, array: ArrayFiles) -> Window:
    """Let a window begin and end at multiples of a step, or where the array ends."""
    height, width = array.shape[-2:]
    x, y = window.x // step * step, window.y // step * step
    right, bottom = (-(-each // step) * step for each in (window.right, window.bottom))
    return Window(x, y, min(right, width) - x, min(bottom, height) - y)


def parts_of(window: Window, side: int) -> Iterator[Window]:
    """Cut a window at the multiples of a side."""
    for y in range(window.y // side * side, window.bottom, side):
        for x in range(window.x // side * side, window.right, side):
            part = Window(x, y, side, side).intersection(window)
            assert part is not None, "each cut shares a pixel with the window"
            yield part
