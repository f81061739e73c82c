"""Tiles for the viewer: which part of the slide each one shows, and its pixels."""

import math

import numpy as np
import numpy.typing as npt

from seg_core.errors import RegionError
from seg_core.geometry import Region
from seg_core.slide.slide import Slide


class DeepZoom:
    """The slide's bounds as a Deep Zoom image, without overlap of tiles.

    Level 0 is one pixel, each level has twice the size of the one before, and the last is the
    slide at full resolution. Tiles are squares from the corner; those at the right and the bottom
    are cut.

    Parameters
    ----------
    slide : Slide
    tile_px : int
        Side of a tile.

    Attributes
    ----------
    level_count : int
    """

    def __init__(self, slide: Slide, tile_px: int = 256) -> None:
        if tile_px < 1:
            raise RegionError(f"a tile of {tile_px} pixels is empty; give at least 1, usually 256.")
        self.slide = slide
        self.tile_px = tile_px
        bounds = slide.info.bounds
        self.level_count = math.ceil(math.log2(max(bounds.width, bounds.height))) + 1

    def level_size(self, level: int) -> tuple[int, int]:
        """Return width and height of a level, pixels."""
        bounds = self.slide.info.bounds
        downsample = self._downsample(level)
        return math.ceil(bounds.width / downsample), math.ceil(bounds.height / downsample)

    def tile_size(self, level: int, column: int, row: int) -> tuple[int, int]:
        """Return width and height of a tile, pixels of its level.

        Raises
        ------
        RegionError
            If there is no such tile.
        """
        width, height = self.level_size(level)
        left, top = column * self.tile_px, row * self.tile_px
        if not (0 <= left < width and 0 <= top < height):
            raise RegionError(
                f"level {level} has {math.ceil(width / self.tile_px)} × "
                f"{math.ceil(height / self.tile_px)} tiles, none at column {column}, row {row}."
            )
        return min(self.tile_px, width - left), min(self.tile_px, height - top)

    def tile_region(self, level: int, column: int, row: int) -> Region:
        """Return what a tile shows, level-0 pixels of the slide."""
        width, height = self.tile_size(level, column, row)
        bounds = self.slide.info.bounds
        downsample = self._downsample(level)
        x = bounds.x + column * self.tile_px * downsample
        y = bounds.y + row * self.tile_px * downsample
        return Region(
            x,
            y,
            min(width * downsample, bounds.right - x),
            min(height * downsample, bounds.bottom - y),
        )

    def read_tile(self, level: int, column: int, row: int) -> npt.NDArray[np.uint8]:
        """Read a tile.

        Returns
        -------
        rgb : (H, W, 3) uint8

        Raises
        ------
        RegionError
            If there is no such tile.
        SlideError
            If the file is damaged there.
        """
        size = self.tile_size(level, column, row)
        return self.slide.read_level0(self.tile_region(level, column, row), size)

    def _downsample(self, level: int) -> int:
        if not 0 <= level < self.level_count:
            raise RegionError(
                f"there is no level {level}; the slide has levels 0 to {self.level_count - 1}."
            )
        return 1 << (self.level_count - 1 - level)
