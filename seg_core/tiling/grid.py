"""Where the tiles lie."""

from dataclasses import dataclass

from seg_core.geometry import Raster, Window
from seg_core.settings import AnalysisSettings

EDGE_STEP_PX = 256
"""Few sizes of tiles, since engines make ready for each; that of a default tile, which stays whole."""


@dataclass(frozen=True, slots=True)
class TileGrid:
    """Overlapping square tiles that cover a raster, counted from its corner.

    Neighbours share ``overlap_px``, where their logits are blended. The grid is anchored to the
    raster and never to what is asked of it, so a window of a slide gets the tiles that the whole
    slide would give it. No last tile is shifted: it reaches past the raster::

        |<------ tile ------>|
        |<-- stride --->|    |
                        |<------ tile ------>|
                        |overlap|       |<------ tile ------>|
        |<------------------- raster ------------------->|

    The grid also cuts the raster into *cells*, squares of one stride. Since the overlap is at most
    half a tile, a pixel of cell (column, row) is covered by no other tile than those of the same
    number, of the column before and of the row before. Past the last column of tiles up to an
    overlap of the raster is left: a last, narrow column of cells; likewise below.

    Attributes
    ----------
    width, height : int
        Size of the raster.
    tile_px : int
        Side of a tile.
    overlap_px : int
        What neighbours share; at most half a tile.

    Examples
    --------
    >>> grid = TileGrid(width=500, height=200, tile_px=256, overlap_px=64)
    >>> grid.columns, grid.rows
    (3, 1)
    >>> grid.tile_window(1, 0)
    Window(x=192, y=0, width=256, height=256)
    >>> grid.tiles_touching(Window(200, 0, 10, 10))
    (range(0, 2), range(0, 1))
    """

    width: int
    height: int
    tile_px: int
    overlap_px: int

    @classmethod
    def of(cls, raster: Raster, settings: AnalysisSettings) -> "TileGrid":
        """Return the grid of a raster."""
        return cls(raster.width, raster.height, settings.tile_px, settings.overlap_px)

    @property
    def stride_px(self) -> int:
        """Distance between the corners of two neighbouring tiles; the side of a cell."""
        return self.tile_px - self.overlap_px

    @property
    def columns(self) -> int:
        """Number of tiles side by side."""
        return self._count(self.width)

    @property
    def rows(self) -> int:
        """Number of tiles one below the other."""
        return self._count(self.height)

    def tile_window(self, column: int, row: int) -> Window:
        """Return what a tile covers; it may reach past the raster.

        A tile larger than `EDGE_STEP_PX` ends at the first multiple of that behind the raster's
        edge: tiles of 1024 px would otherwise ask half as much again on 4096 × 4096.
        """
        x, y = column * self.stride_px, row * self.stride_px
        return Window(x, y, self._extent(x, self.width), self._extent(y, self.height))

    def tiles_touching(self, window: Window) -> tuple[range, range]:
        """Return the columns and rows of all tiles that cover a pixel of a window."""
        return (
            self._touching(window.x, window.right, self.columns),
            self._touching(window.y, window.bottom, self.rows),
        )

    def cell_rows(self, window: Window) -> list[Window]:
        """Cut a window along the rows of cells, from top to bottom.

        Examples
        --------
        >>> grid = TileGrid(width=500, height=500, tile_px=256, overlap_px=64)
        >>> [(part.y, part.bottom) for part in grid.cell_rows(Window(0, 100, 500, 250))]
        [(100, 192), (192, 350)]
        """
        return [
            Window(window.x, top, window.width, bottom - top)
            for top, bottom in cuts(window.y, window.bottom, self.stride_px)
        ]

    def _extent(self, start: int, length: int) -> int:
        needed = -(-(length - start) // EDGE_STEP_PX) * EDGE_STEP_PX
        return min(self.tile_px, needed)

    def _count(self, length: int) -> int:
        return max(1, -(-(length - self.overlap_px) // self.stride_px))

    def _touching(self, start: int, stop: int, count: int) -> range:
        first = (start - self.tile_px) // self.stride_px + 1
        last = (stop - 1) // self.stride_px
        return range(max(first, 0), min(last + 1, count))


def cuts(start: int, stop: int, step: int) -> list[tuple[int, int]]:
    """Cut ``[start, stop)`` at the multiples of ``step``.

    Examples
    --------
    >>> cuts(5, 22, 10)
    [(5, 10), (10, 20), (20, 22)]
    """
    inner = range(start - start % step + step, stop, step)
    return list(zip([start, *inner], [*inner, stop], strict=True))
