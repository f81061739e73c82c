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
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from seg_core.errors import ModelError
from seg_core.geometry import Window
from seg_core.maps import MapBand, Pieces
from seg_core.model.features import FEATURE_STRIDE_PX
from seg_core.tiling.grid import TileGrid, cuts
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
        self._areas = _areas_of_cell(grid)
        self._usual: _Weights | None = None
        self._room = np.empty(0, np.float32)

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
        stride = self._grid.stride_px
        logits = self._whole_tile(logits, self._grid.tile_window(column, row))
        if not self._due[row, column]:
            raise ValueError(f"the tile in column {column}, row {row} was not asked, or is here.")
        self._due[row, column] = False
        if features is not None:
            self._keep_features(column, row, features)
        for place in _PLACES if self._grid.overlap_px else (_OWN,):
            cell = (row + place[0], column + place[1])
            if self._is_wanted(*cell):
                cut = tuple(slice(stride, None) if each else slice(stride) for each in place)
                part = logits[:, *cut]
                self._add_part(*cell, place, part if place == _OWN else part * self._plane[cut])
        if (waiting := self._parts.get((row, column))) is not None:
            waiting[_OWN] = waiting[_OWN].copy()
        if (described := self._features.get((row, column))) is not None:
            side = stride // FEATURE_STRIDE_PX
            described[_OWN] = described[_OWN][:, :side, :side].copy()

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

    def _whole_tile(self, logits: _Floats, window: Window) -> _Floats:
        """Return a tile's logits, filled up with zeros where the tile reaches past the raster.

        Raises
        ------
        ModelError
            If the logits are not of the window's size.
        """
        if logits.ndim != 3 or logits.shape[1:] != (window.height, window.width):
            raise ModelError(
                f"the network answered a tile of {window.width} × {window.height} pixels with an "
                f"array of shape {logits.shape}; choose another model or another tile_px."
            )
        below, right = (self._grid.tile_px - side for side in (window.height, window.width))
        return np.pad(logits, ((0, 0), (0, below), (0, right))) if below or right else logits

    def _keep_features(self, column: int, row: int, features: _Halves) -> None:
        """Keep what each cell needs of a tile's features, for which it is told before the logits."""
        stride = self._grid.stride_px // FEATURE_STRIDE_PX
        for below, rows in ((0, features[:, :stride]), (1, features[:, stride:])):
            for right, part in ((0, rows[:, :, :stride]), (1, rows[:, :, stride:])):
                cell = (row + below, column + right)
                if self._is_wanted(*cell) and part.size:
                    # mostly the tile's own cell is decided at once
                    own = not (below or right)
                    self._features[cell][below, right] = features if own else part.copy()

    def _is_wanted(self, row: int, column: int) -> bool:
        return row in self._windows and column in self._columns

    def _add_part(self, row: int, column: int, place: tuple[int, int], part: _Floats) -> None:
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
        source = wanted.moved(-cell.x, -cell.y)
        target = wanted.moved(-band.window.x, -band.window.y).slices()

        _join_upper(parts, self._grid)
        maps = [each[target] for each in (band.class_map, band.ternary_map, band.score)]
        for piece, is_shared in self._cut(source):
            classes, ternary_map, score = (
                each[piece.moved(-source.x, -source.y).slices()] for each in maps
            )
            if is_shared:
                logits, weights = self._sum_of(parts, piece), self._weights_of(row, column)
                weight_sum, covered = weights.sums[piece.slices()], weights.covered
            elif _OWN in parts:
                logits, weight_sum, covered = parts[_OWN][:, *piece.slices()], None, None
            else:
                continue
            semantic, ternary = logits[:-TERNARY_CHANNELS], logits[-TERNARY_CHANNELS:]
            classes[:], best = _argmax(semantic)
            ternary_map[:], _ = _argmax(ternary)
            score[:] = _score(semantic, best, weight_sum)
            if covered is not None:
                score *= covered[piece.slices()]
        if (row, column) in self._features:
            features = self._features.pop((row, column))
            pieces = pieces_of(band.ternary_map[target], features, self._grid, wanted, cell)
            self._pieces[row].append(pieces)

    def _cut(self, source: Window) -> Iterator[tuple[Window, bool]]:
        """Cut a part of a cell into pieces that fit the cache, and tell whether tiles share them."""
        for area, is_shared in self._areas:
            part = area.intersection(source)
            if part is not None:
                step = max(1, _CACHED_PX // part.width)
                for top, bottom in cuts(part.y, part.bottom, step):
                    yield replace(part, y=top, height=bottom - top), is_shared

    def _sum_of(self, parts: "_Parts", piece: Window) -> _Floats:
        """Add up the parts of a piece of a cell, in the one order the module's docstring promises.

        ``parts`` as `_join_upper` leaves them, ``piece`` in pixels of the cell. The answer stands
        where the next one will.
        """
        overlap, inside = self._grid.overlap_px, piece.slices()
        channels = len(next(iter(parts.values())))
        if len(self._room) < channels * piece.area:
            self._room = np.empty(channels * piece.area, np.float32)
        total = self._room[: channels * piece.area].reshape(channels, piece.height, piece.width)
        if _OWN in parts:
            np.multiply(parts[_OWN][:, *inside], self._plane[inside], out=total)
        else:
            total[:] = 0
        rows, columns = inside
        if _LEFT in parts and piece.x < overlap:
            total[:, :, : overlap - piece.x] += parts[_LEFT][:, rows, piece.x :][
                :, :, : piece.width
            ]
        if _UPPER in parts and piece.y < overlap:
            total[:, : overlap - piece.y] += parts[_UPPER][:, piece.y :, columns][:, : piece.height]
        return total

    def _weights_of(self, row: int, column: int) -> "_Weights":
        """Sum up the weights that went into a cell; most cells have as many tiles as the last one."""
        asked = self._asked_by_cell[:, :, row, column]
        if self._usual is None or (self._usual.asked != asked).any():
            stride = self._grid.stride_px
            own, beside = self._weights[:stride], np.zeros(stride, np.float32)
            beside[: self._grid.overlap_px] = self._weights[stride:]
            across = [asked[below, 0] * own + asked[below, 1] * beside for below in (0, 1)]
            sums = np.multiply.outer(own, across[0]) + np.multiply.outer(beside, across[1])
            covered = sums > 0
            sums[~covered] = 1
            self._usual = _Weights(asked, sums, None if covered.all() else covered)
        return self._usual

    def _band(self, row: int) -> MapBand:
        if row not in self._bands:
            window = self._windows[row]
            shape = (window.height, window.width)
            classes, ternary, score = (np.zeros(shape, np.uint8) for _ in range(3))
            self._bands[row] = MapBand(window, classes, ternary, score)
        return self._bands[row]


# What the tiles of a cell add to it: the tile of its own number, as the network answered; weighted
# already, what those to the left, above, and above to the left reach over.
_Parts = dict[tuple[int, int], _Floats]
_OWN, _LEFT, _UPPER, _CORNER = (0, 0), (0, 1), (1, 0), (1, 1)
_PLACES = (_OWN, _LEFT, _UPPER, _CORNER)


@dataclass(frozen=True, slots=True)
class _Weights:
    """What the tiles of a cell weigh together.

    Attributes
    ----------
    asked : (2, 2) bool
        Which tiles these are.
    sums : (stride, stride) float32
        1 where no tile is.
    covered : (stride, stride) bool or None
        Where a tile is; None where that is everywhere.
    """

    asked: npt.NDArray[np.bool_]
    sums: _Floats
    covered: npt.NDArray[np.bool_] | None


def _areas_of_cell(grid: TileGrid) -> list[tuple[Window, bool]]:
    """Return what of a cell tiles share, and what its own tile alone holds: no weight matters there."""
    stride, overlap = grid.stride_px, grid.overlap_px
    rest = stride - overlap
    areas = []
    if overlap:
        areas.append((Window(0, 0, stride, overlap), True))
    if overlap and rest:
        areas.append((Window(0, overlap, overlap, rest), True))
    if rest:
        areas.append((Window(overlap, overlap, rest, rest), False))
    return areas


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


def _join_upper(parts: _Parts, grid: TileGrid) -> None:
    """Add up what the two tiles above a cell reach over, and keep it as that of the one above."""
    if (corner := parts.pop(_CORNER, None)) is None:
        return
    if _UPPER not in parts:
        parts[_UPPER] = np.zeros((len(corner), grid.overlap_px, grid.stride_px), np.float32)
    parts[_UPPER][:, :, : grid.overlap_px] += corner


def _argmax(planes: _Floats) -> tuple[_Bytes, _Floats]:
    """Return the index of the largest plane, the first of equals, and its values.

    The index is the number of planes before it that are smaller; ``np.argmax`` over the first axis
    takes many times as long.
    """
    best = np.maximum.reduce(planes, axis=0)
    smaller = (planes[:-1] < best).view(np.uint8)
    winner = smaller[0].copy()
    for before, plane in pairwise(smaller):
        plane &= before
        winner += plane
    return winner, best


def _score(semantic: _Floats, best: _Floats, weight_sum: _Floats | None) -> _Bytes:
    """Return the softmax probability of the largest of the logits, 255 for 1.

    Where ``weight_sum`` is given the logits were multiplied by weights that add up to it.
    """
    margins = semantic - best
    if weight_sum is not None:
        margins /= weight_sum
    np.exp(margins, out=margins)
    total = np.add.reduce(margins, axis=0)
    np.divide(255, total, out=total)
    total += np.float32(0.5)
    return total.astype(np.uint8)
