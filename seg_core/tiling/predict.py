"""Ask the network for a window of a slide and give its maps, finished rows at a time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from seg_core.errors import RegionError
from seg_core.geometry import Raster, Window
from seg_core.maps import MapBand, Maps, Pieces
from seg_core.model.engine import Engine, NumberedTile
from seg_core.process.pipelines import read_ahead
from seg_core.process.progress import CountCallback
from seg_core.settings import AnalysisSettings
from seg_core.slide import Slide
from seg_core.tiling.augmentation import answer, describe
from seg_core.tiling.blend import Blender
from seg_core.tiling.grid import TileGrid, cuts

STRIP_PX = 16_384
"""Wider windows are worked in strips of columns, so that memory does not depend on the width."""

# What the blender may hold of one row of tiles for the next. Default tiles need 45 MB for a
# strip; strips get narrower where tiles of 1024 px share half of their pixels. Features, where they
# are asked for, take a third as much beside it.
_CARRY_BYTES = 128 * 2**20
_BYTES_PER_PX = 8 * np.dtype(np.float32).itemsize

# Reading neighbours at once takes half the time of reading tile by tile; more than this gains
# nothing and lets the network wait for the first tile.
_READ_PX = 4096

# Tiles that lie ready while the network works: enough for a batch, 50 MB of the largest.
_TILES_AHEAD = 16


def predict(
    slide: Slide,
    raster: Raster,
    window: Window,
    engine: Engine,
    settings: AnalysisSettings,
    *,
    wanted: Callable[[Window], bool] | None = None,
    skip: Callable[[Window], bool] | None = None,
    report: CountCallback | None = None,
    with_features: bool = False,
) -> Iterator[MapBand]:
    """Give the maps of a window of a slide, band by band, as the network answers.

    What lies in the window gets exactly the answer that the whole slide would give it: the grid of
    tiles hangs on the raster, and tiles that reach out of the window see what is there. Only
    beyond the raster is the slide continued by reflection.

    Parameters
    ----------
    slide : Slide
    raster : Raster
        Of the slide, at the model's resolution.
    window : Window
        What is predicted, inside the raster.
    engine : Engine
    settings : AnalysisSettings
        ``tile_px``, ``overlap_px`` and ``views`` are used here.
    wanted : callable, optional
        Tells of a tile's window, which may reach past the raster, whether the tile is predicted. By
        default all are. Pixels of none but unwanted tiles are background with score 0.
    skip : callable, optional
        Tells of a band's window whether that band is stored already; it is then neither computed
        nor given. The bands of a window are the same ones each time, whatever is skipped.
    report : callable, optional
        Called with the number of tiles done and of all tiles, first with those of bands that are
        stored already. What it raises ends the work.
    with_features : bool
        Have the bands hold pieces of nuclei too; see `seg_core.tiling.pieces`.

    Yields
    ------
    MapBand
        The window's part of one row of the grid's cells, top to bottom; in a window wider than
        `STRIP_PX` one strip of columns after the other.

    Raises
    ------
    RegionError
        If the window is not inside the raster.
    """
    if not raster.window.contains(window):
        raise RegionError(
            f"the window {window.x},{window.y} of {window.width} × {window.height} pixels reaches "
            f"out of the raster of {raster.width} × {raster.height}; choose one inside it."
        )
    grid = TileGrid.of(raster, settings)
    strips = _plan(grid, window, wanted, skip)
    ask = partial(_described if with_features else _plain, engine, settings.views)
    return _predict(slide, raster, engine.name, ask, grid, strips, report or _silent)


def gathered(bands: Iterable[MapBand], raster: Raster) -> tuple[Maps, Pieces | None]:
    """Return the bands of a whole raster as maps in memory, and their pieces where they have any."""
    class_map, ternary_map, score = np.zeros((3, raster.height, raster.width), dtype=np.uint8)
    parts = []
    for band in bands:
        place = band.window.slices()
        class_map[place], ternary_map[place] = band.class_map, band.ternary_map
        score[place] = band.score
        if band.pieces is not None:
            parts.append(band.pieces)
    return Maps(class_map, ternary_map, score), np.concatenate(parts) if parts else None


def tiles_by_row(
    raster: Raster,
    window: Window,
    settings: AnalysisSettings,
    *,
    wanted: Callable[[Window], bool] | None = None,
) -> npt.NDArray[np.int64]:
    """Count the tiles that `predict` would ask for a window, in each row of the raster's grid.

    Parameters
    ----------
    raster, window, settings, wanted
        As of `predict`.

    Returns
    -------
    (rows,) int64
        Row *r* begins at pixel *r* times ``settings.stride_px``.
    """
    strips = _plan(TileGrid.of(raster, settings), window, wanted, None)
    return np.sum([strip.asked.sum(axis=1) for strip in strips], axis=0, dtype=np.int64)


def _predict(
    slide: Slide,
    raster: Raster,
    engine_name: str,
    ask: Callable[[Iterator[NumberedTile]], Iterator["_Answer"]],
    grid: TileGrid,
    strips: list["_Strip"],
    report: CountCallback,
) -> Iterator[MapBand]:
    done = sum(strip.answered for strip in strips)
    total = done + sum(strip.tile_count for strip in strips)
    report(done, total)
    for strip in strips:
        blender = Blender(grid, strip.bands, strip.asked)
        yield from blender.finished()
        source = read_tiles(slide, raster, grid, strip.asked)
        with read_ahead(source, _TILES_AHEAD, name="tile reader") as tiles:
            for number, logits, features in ask(tiles):
                row, column = divmod(number, grid.columns)
                blender.add(column, row, logits, features)
                done += 1
                report(done, total)
                yield from blender.finished()
    if done != total:
        raise RuntimeError(f"the engine {engine_name} answered {done} of {total} tiles.")


_Answer = tuple[int, npt.NDArray[np.float32], npt.NDArray[np.float16] | None]


def _plain(engine: Engine, views: int, tiles: Iterator[NumberedTile]) -> Iterator[_Answer]:
    return ((number, logits, None) for number, logits in answer(engine, tiles, views))


def _described(engine: Engine, views: int, tiles: Iterator[NumberedTile]) -> Iterator[_Answer]:
    return iter(describe(engine, tiles, views))


def _silent(done: int, total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class _Strip:
    """Some columns of the window: the bands to compute and the tiles that touch them.

    Attributes
    ----------
    bands : list of Window
    asked : (rows, columns) bool
        Over the whole grid.
    answered : int
        Tiles whose bands are all stored already.
    """

    bands: list[Window]
    asked: npt.NDArray[np.bool_]
    answered: int

    @property
    def tile_count(self) -> int:
        return int(self.asked.sum())


def _plan(
    grid: TileGrid,
    window: Window,
    wanted: Callable[[Window], bool] | None,
    skip: Callable[[Window], bool] | None,
) -> list[_Strip]:
    strips = []
    for columns in _strip_windows(grid, window):
        all_bands = grid.cell_rows(columns)
        bands = [band for band in all_bands if skip is None or not skip(band)]
        all_asked = _touching(grid, all_bands)
        if wanted is not None:
            for row, column in np.argwhere(all_asked).tolist():
                all_asked[row, column] = wanted(grid.tile_window(column, row))
        asked = all_asked & _touching(grid, bands)
        strips.append(_Strip(bands, asked, int(all_asked.sum() - asked.sum())))
    return strips


def _touching(grid: TileGrid, bands: list[Window]) -> npt.NDArray[np.bool_]:
    """Return which tiles of the grid touch any of some bands, (rows, columns) bool."""
    touching = np.zeros((grid.rows, grid.columns), dtype=np.bool_)
    for band in bands:
        columns, rows = grid.tiles_touching(band)
        touching[np.ix_(rows, columns)] = True
    return touching


def _strip_windows(grid: TileGrid, window: Window) -> list[Window]:
    """Cut a wide window between cells, at the same columns in whatever window of the raster.

    The tiles on a cut belong to both strips and are asked twice: one column more a strip.
    """
    most_px = STRIP_PX
    if grid.overlap_px:
        carried_per_px = _BYTES_PER_PX * grid.overlap_px * grid.tile_px // grid.stride_px
        most_px = min(most_px, _CARRY_BYTES // carried_per_px)
    if window.width <= most_px:
        return [window]
    step = max(most_px // grid.stride_px, 1) * grid.stride_px
    return [
        Window(left, window.y, right - left, window.height)
        for left, right in cuts(window.x, window.right, step)
    ]


def read_tiles(
    slide: Slide, raster: Raster, grid: TileGrid, asked: npt.NDArray[np.bool_]
) -> Iterator[NumberedTile]:
    """Read the tiles asked, row by row, numbered along the rows of the whole grid.

    Parameters
    ----------
    slide : Slide
    raster : Raster
    grid : TileGrid
        Of the whole raster.
    asked : (rows, columns) bool
        Which of its tiles.
    """
    reader = _RunReader(slide, raster, grid.stride_px)
    for row in np.flatnonzero(asked.any(axis=1)).tolist():
        for columns in _runs(np.flatnonzero(asked[row]), most=max(_READ_PX // grid.stride_px, 1)):
            tiles = reader.tiles([grid.tile_window(column, row) for column in columns])
            for column, tile in zip(columns, tiles, strict=True):
                yield row * grid.columns + column, tile


def _runs(columns: npt.NDArray[np.int64], most: int) -> Iterator[list[int]]:
    """Group ascending numbers into runs without a gap, of ``most`` numbers at most."""
    for run in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
        for start in range(0, len(run), most):
            yield run[start : start + most].tolist()


class _RunReader:
    """Reads neighbouring tiles in one go, row by row, and cuts them.

    What they share with the same columns of the row above is not read again: of tiles of 256 px,
    which share 64, a quarter.
    """

    def __init__(self, slide: Slide, raster: Raster, stride_px: int) -> None:
        self._slide, self._raster, self._stride_px = slide, raster, stride_px
        # by the place of their first pixel and where they end on the right
        self._kept: dict[tuple[int, int, int], npt.NDArray[np.uint8]] = {}
        self._kept_above = self._kept
        self._y = 0

    def tiles(self, windows: list[Window]) -> Iterator[npt.NDArray[np.uint8]]:
        """Give the tiles of windows side by side; past the raster they are reflected."""
        first, last = windows[0], windows[-1]
        run = Window(first.x, first.y, last.right - first.x, first.height)
        inside = run.intersection(self._raster.window)
        assert inside is not None, "every tile of the grid touches the raster"
        pixels = self._read(inside)
        for window in windows:
            part = pixels[:, window.x - inside.x : window.right - inside.x]
            below, right = window.height - part.shape[0], window.width - part.shape[1]
            if below or right:
                yield np.pad(part, ((0, below), (0, right), (0, 0)), mode="reflect")
            else:
                yield np.ascontiguousarray(part)

    def _read(self, run: Window) -> npt.NDArray[np.uint8]:
        if run.y != self._y:
            self._kept, self._kept_above, self._y = {}, self._kept, run.y
        upper = self._kept_above.pop((run.x, run.y, run.right), None)
        if upper is None:
            pixels = self._slide.read(self._raster, run)
        elif len(upper) < run.height:
            rest = replace(run, y=run.y + len(upper), height=run.height - len(upper))
            pixels = np.concatenate([upper, self._slide.read(self._raster, rest)])
        else:
            pixels = upper[: run.height]
        lower = pixels[self._stride_px :]
        if len(lower):
            self._kept[run.x, run.y + self._stride_px, run.right] = lower.copy()
        return pixels
