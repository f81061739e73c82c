"""Blend the logits of overlapping tiles and decide each pixel, a band of rows at a time.

A tile is surest in its middle, so its logits are weighted with a Gaussian before they are added.
A cell of the grid is decided as soon as the last of its tiles is there, and its logits are then
forgotten; a band is finished when all its cells are decided. What is held in floats is one
overlap's height of the band, and the cells the network is working on.

The answer is the same value for value whatever the order in which the tiles come and wherever the
bands begin, although adding floats is not associative: at most two tiles of one row meet in a
pixel, they are added first (``a + b`` equals ``b + a``), and then the sums of at most two rows.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from seg_core.errors import ModelError
from seg_core.geometry import Window
from seg_core.maps import MapBand, Pieces
from seg_core.model.features import FEATURE_STRIDE_PX
from seg_core.tiling.grid import TileGrid
from seg_core.tiling.pieces import pieces_of

TERNARY_CHANNELS = 3
"""The last planes of the logits; those before are semantic, background first."""

# Of the tile's side, as in the original project. A tile's corner still weighs 0.02, so that no
# sum of weights comes near zero.
_SIGMA = 0.25

# Pixels that are decided at once: what is computed of them stays in the processor's cache.
_CACHED_PX = 40_000

_Floats = npt.NDArray[np.float32]
_Halves = npt.NDArray[np.float16]
_Bytes = npt.NDArray[np.uint8]


def tile_weights(tile_px: int) -> _Floats:
    """Return the weights of a tile's rows, and of its columns; a pixel's weight is their product.

    Examples
    --------
    >>> tile_weights(4).round(2)
    array([0.32, 0.88, 0.88, 0.32], dtype=float32)
    """
    offsets = np.arange(tile_px) - (tile_px - 1) / 2
    return np.exp(-0.5 * (offsets / (_SIGMA * tile_px)) ** 2).astype(np.float32)


class Blender:
    """Takes tiles in any order and gives bands from top to bottom.

    Parameters
    ----------
    grid : TileGrid
    bands : sequence of Window
        What is wanted: parts of different rows of cells, as `TileGrid.cell_rows` gives them, all
        of the same columns.
    asked : (rows, columns) bool
        The tiles that will come, of the whole grid.
    """

    def __init__(
        self, grid: TileGrid, bands: Sequence[Window], asked: npt.NDArray[np.bool_]
    ) -> None:
        self._grid = grid
        self._windows = {band.y // grid.stride_px: band for band in bands}
        self._columns = _cell_columns(bands, grid)
        self._due = asked.copy()
        self._asked_by_cell = _tiles_by_cell(asked, grid)
        self._missing = self._asked_by_cell.sum(axis=(0, 1), dtype=np.uint8)
        self._parts: defaultdict[tuple[int, int], _Parts] = defaultdict(dict)
        self._features: defaultdict[tuple[int, int], dict[tuple[int, int], _Halves]] = defaultdict(
            dict
        )
        self._pieces: defaultdict[int, list[Pieces]] = defaultdict(list)
        self._bands: dict[int, MapBand] = {}
        self._weights = tile_weights(grid.tile_px)
        self._plane = np.multiply.outer(self._weights, self._weights)

    def add(self, column: int, row: int, logits: _Floats, features: _Halves | None = None) -> None:
        """Take the answer of one tile.

        Parameters
        ----------
        column, row : int
            Its place in the grid.
        logits : (C + 3, H, W) float32
            Semantic planes, background first, then the three of the ternary map, in the size of
            the tile's window. Neither changed nor kept.
        features : (F, H / 4, W / 4) float16, optional
            Of all tiles or of none; see `seg_core.model.features`. Neither changed nor kept.

        Raises
        ------
        ModelError
            If the logits are not of the tile's size.
        ValueError
            If the tile was not asked or comes a second time.
        """
        tile_px, stride = self._grid.tile_px, self._grid.stride_px
        window = self._grid.tile_window(column, row)
        if logits.ndim != 3 or logits.shape[1:] != (window.height, window.width):
            raise ModelError(
                f"the network answered a tile of {window.width} × {window.height} pixels with an "
                f"array of shape {logits.shape}; choose another model or another tile_px."
            )
        if not self._due[row, column]:
            raise ValueError(f"the tile in column {column}, row {row} was not asked, or is here.")
        self._due[row, column] = False
        if logits[0].size < tile_px**2:  # what is missing lies past the raster
            missing = (tile_px - window.height, tile_px - window.width)
            logits = np.pad(logits, ((0, 0), (0, missing[0]), (0, missing[1])))
        if features is not None:
            self._keep_features(column, row, features)
        for below, rows in ((0, slice(0, stride)), (1, slice(stride, tile_px))):
            if row + below in self._windows and rows.start < tile_px:
                weighted = logits[:, rows] * self._plane[rows]
                self._add_part(row + below, column, (below, 0), weighted[:, :, :stride])
                self._add_part(row + below, column + 1, (below, 1), weighted[:, :, stride:])
        if (waiting := self._features.get((row, column))) is not None:
            side = stride // FEATURE_STRIDE_PX
            waiting[0, 0] = waiting[0, 0][:, :side, :side].copy()

    def finished(self) -> Iterator[MapBand]:
        """Give away, once each, the bands that are decided and have none undecided above them."""
        columns = slice(self._columns.start, self._columns.stop)
        while self._windows:
            row = next(iter(self._windows))
            if self._missing[row, columns].any():
                return
            band = self._band(row)
            if row in self._pieces:
                band = replace(band, pieces=np.concatenate(self._pieces.pop(row)))
            del self._windows[row], self._bands[row]
            yield band

    def _keep_features(self, column: int, row: int, features: _Halves) -> None:
        """Keep what each cell needs of a tile's features, for which it is told before the logits."""
        stride = self._grid.stride_px // FEATURE_STRIDE_PX
        for below, rows in ((0, features[:, :stride]), (1, features[:, stride:])):
            for right, part in ((0, rows[:, :, :stride]), (1, rows[:, :, stride:])):
                cell = (row + below, column + right)
                if cell[0] in self._windows and cell[1] in self._columns and part.size:
                    # mostly the tile's own cell is decided at once
                    own = not (below or right)
                    self._features[cell][below, right] = features if own else part.copy()

    def _add_part(self, row: int, column: int, place: tuple[int, int], part: _Floats) -> None:
        if column not in self._columns or part.shape[2] == 0:
            return
        self._parts[row, column][place] = part
        self._missing[row, column] -= 1
        if self._missing[row, column] == 0:
            self._decide(row, column, self._parts.pop((row, column)))

    def _decide(self, row: int, column: int, parts: "_Parts") -> None:
        band = self._band(row)
        stride = self._grid.stride_px
        cell = Window(column * stride, row * stride, stride, stride)
        wanted = cell.intersection(band.window)
        assert wanted is not None, "only cells of the bands are decided"
        source = wanted.moved(-cell.x, -cell.y).slices()
        target = wanted.moved(-band.window.x, -band.window.y).slices()

        logits = _sum_of(parts, self._grid)[:, *source]
        weight_sum = self._weight_sum(row, column)[source]
        maps = [each[target] for each in (band.class_map, band.ternary_map, band.score)]
        step = max(1, _CACHED_PX // wanted.width)
        for rows in (slice(top, top + step) for top in range(0, wanted.height, step)):
            semantic, ternary = logits[:-TERNARY_CHANNELS, rows], logits[-TERNARY_CHANNELS:, rows]
            classes, ternary_map, score = (each[rows] for each in maps)
            classes[:], best = _argmax(semantic)
            ternary_map[:], _ = _argmax(ternary)
            score[:] = _score(semantic, best, weight_sum[rows])
        if (row, column) in self._features:
            features = self._features.pop((row, column))
            pieces = pieces_of(band.ternary_map[target], features, self._grid, wanted, cell)
            self._pieces[row].append(pieces)

    def _weight_sum(self, row: int, column: int) -> _Floats:
        """Sum up the weights that went into a cell; 0 where no tile was asked."""
        stride = self._grid.stride_px
        own, beside = self._weights[:stride], np.zeros(stride, np.float32)
        beside[: self._grid.overlap_px] = self._weights[stride:]
        asked = self._asked_by_cell[:, :, row, column]
        across = [asked[below, 0] * own + asked[below, 1] * beside for below in (0, 1)]
        return np.multiply.outer(own, across[0]) + np.multiply.outer(beside, across[1])

    def _band(self, row: int) -> MapBand:
        if row not in self._bands:
            window = self._windows[row]
            shape = (window.height, window.width)
            classes, ternary, score = (np.zeros(shape, np.uint8) for _ in range(3))
            self._bands[row] = MapBand(window, classes, ternary, score)
        return self._bands[row]


# What the tiles of a cell add to it: (0, 0) the tile of its own number, (0, 1) the one to the
# left, (1, 0) the one above, (1, 1) the one above to the left.
_Parts = dict[tuple[int, int], _Floats]


def _cell_columns(bands: Sequence[Window], grid: TileGrid) -> range:
    if not bands:
        return range(0)
    stride = grid.stride_px
    return range(bands[0].x // stride, (bands[0].right - 1) // stride + 1)


def _tiles_by_cell(asked: npt.NDArray[np.bool_], grid: TileGrid) -> npt.NDArray[np.bool_]:
    """Tell of each cell, by part as in `_Parts`, whether its tile is predicted."""
    rows, columns = asked.shape
    by_cell = np.zeros((2, 2, rows + 1, columns + 1), dtype=np.bool_)
    reach = 2 if grid.overlap_px else 1
    for below in range(reach):
        for right in range(reach):
            by_cell[below, right, below : below + rows, right : right + columns] = asked
    return by_cell


def _sum_of(parts: _Parts, grid: TileGrid) -> _Floats:
    """Add up a cell's parts, in the one order the module's docstring promises; parts change."""
    stride, overlap = grid.stride_px, grid.overlap_px
    channels = next(iter(parts.values())).shape[0]
    by_row = []
    for below, height in ((0, stride), (1, overlap)):
        total = parts.get((below, 0))
        if total is None:
            total = np.zeros((channels, height, stride), np.float32)
        if (below, 1) in parts:
            total[:, :, :overlap] += parts[below, 1]
        by_row.append(total)
    own, above = by_row
    own[:, :overlap] += above
    return own


def _argmax(planes: _Floats) -> tuple[_Bytes, _Floats]:
    """Return the index of the largest plane, the first of equals, and its values.

    A running maximum touches each plane once; ``np.argmax`` over the first axis is five times
    slower.
    """
    best = planes[0].copy()
    winner = np.zeros(best.shape, np.uint8)
    for index in range(1, len(planes)):
        larger = np.greater(planes[index], best).view(np.uint8)
        np.maximum(best, planes[index], out=best)
        np.maximum(winner, larger * np.uint8(index), out=winner)
    return winner, best


def _score(semantic: _Floats, best: _Floats, weight_sum: _Floats) -> _Bytes:
    """Return the softmax probability of the largest of the weighted logits, 255 for 1."""
    covered = weight_sum > 0
    np.copyto(weight_sum, 1, where=~covered)
    total = np.zeros_like(best)
    margin = np.empty_like(best)
    for plane in semantic:
        np.subtract(plane, best, out=margin)
        np.divide(margin, weight_sum, out=margin)
        np.exp(margin, out=margin)
        total += margin
    np.divide(255, total, out=total)
    total += np.float32(0.5)
    return total.astype(np.uint8) * covered
