"""The maps of a run as a pyramid that OME-Zarr readers open, written band by band.

``maps.zarr`` follows NGFF 0.5 (Zarr version 3). It is a collection of images, each a multiscale
group. *class*, *ternary* and *score* have the levels ``0`` (the raster of the whole slide), ``1``,
``2`` … of half the side each, down to 512 pixels. Their *shares* (see `seg_core.store.shares`) have
several planes and begin at level 2::

    maps.zarr/  OME/            names the images, in order
                class/          0  1  2 …     uint8, chunks of 512 × 512
                ternary/        0  1  2 …
                score/          0  1  2 …
                class_shares/         2 …     uint8, all planes in a chunk of 256 × 256
                ternary_shares/       2 …
                score_shares/         2 …
    bands.json                  windows of the raster that are finished, and what of them the
                                coarser levels still lack

Chunks in which there is nothing do not exist as files, so a map costs what was analysed and not
what the slide measures.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
import zarr

from seg_core.classes import BACKGROUND, BOUNDARY, INSIDE, MONUSAC
from seg_core.errors import StoreError
from seg_core.files.stored import store_errors, write_json
from seg_core.geometry import Raster, Window
from seg_core.nuclei.instances import Maps
from seg_core.store.shares import FIRST_SHARE_LEVEL, MapName, averaged, planes_of
from seg_core.store.windows import WindowReader
from seg_core.tiling import MapBand

CHUNK_PX = 512

# Coarser levels follow level 0 at these rows. Halving each row of chunks by itself would read and
# pack the chunks of level 3 eight times.
_HALVING_PX = 8 * CHUNK_PX

RECORD_FILE = "bands.json"

_NAMES: tuple[MapName, ...] = get_args(MapName)

_SHARES_CHUNK_PX = 256

# Pixels of the raster to a side of a pixel of the finest shares that are kept.
_SHARES_STEP = 2**FIRST_SHARE_LEVEL

_USUAL_CLASSES = len(MONUSAC.classes)

_Image = npt.NDArray[np.uint8]
_Levels = dict[str, list[zarr.Array[Any]]]


class RunMaps:
    """The maps of a run, to read.

    Parameters
    ----------
    path : Path
        The folder ``maps.zarr``.

    Raises
    ------
    StoreError
        If there are none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        levels, shares = _open_levels(path, "r"), _open_shares(path, "r")
        self._level_shapes = [array.shape for array in levels["class"]]
        self._levels = {name: WindowReader(*arrays) for name, arrays in levels.items()}
        self._share_shapes = [array.shape for array in shares["class"]] if shares else []
        self._shares = {name: WindowReader(*arrays) for name, arrays in shares.items()}

    @property
    def level_count(self) -> int:
        """Number of levels; level 0 is the raster itself."""
        return len(self._level_shapes)

    def level_shape(self, level: int) -> tuple[int, int]:
        """Return (height, width) of a level."""
        height, width = self._level_shapes[level]
        return height, width

    def read(self, window: Window, level: int = 0) -> Maps:
        """Read a window of a level; past the edges, and where nothing was analysed, all is 0.

        Parameters
        ----------
        window : Window
            Pixels of that level.
        level : int
        """
        return Maps(*(self.read_map(name, window, level) for name in _NAMES))

    def read_map(self, name: MapName, window: Window, level: int = 0) -> npt.NDArray[np.uint8]:
        """Read one of the three, as `read` does, in a third of the time.

        Returns
        -------
        (H, W) uint8
        """
        with store_errors(self._path):
            return self._levels[name].read(level, window)

    @property
    def share_level_count(self) -> int:
        """Number of levels that `read_shares` answers."""
        kept = len(self._share_shapes) or self.level_count
        return FIRST_SHARE_LEVEL + kept

    def read_shares(self, name: MapName, window: Window, level: int) -> npt.NDArray[np.uint8]:
        """Read how much of each pixel of a level is what; past the edges all is 0.

        A run of a version that kept no shares answers those of its halved maps, in which small
        nuclei are missing from the fourth level on.

        Parameters
        ----------
        name : {"class", "ternary", "score"}
        window : Window
            Pixels of that level.
        level : int
            Level 0 is the raster itself, whose shares are all or nothing.

        Returns
        -------
        (P, H, W) uint8
            Planes as `seg_core.store.shares` describes them.
        """
        if self._shares and level >= FIRST_SHARE_LEVEL:
            with store_errors(self._path):
                return self._shares[name].read(level - FIRST_SHARE_LEVEL, window)
        finer = max(0, level - FIRST_SHARE_LEVEL)
        step = 2 ** (level - finer)
        seen = Window(*(step * each for each in _to_json(window)))
        classes = self._share_shapes[0][0] if self._share_shapes else _USUAL_CLASSES
        planes = planes_of(lambda each: self.read_map(each, seen, finer), name, classes)
        return averaged(planes, step)


class MapsWriter:
    """Writes finished bands into the maps of a run; there is one writer at a time.

    Bands that follow one another downwards are held back until they fill whole chunks, since a
    chunk written in parts is read and packed again for each part: at most a chunk's height and a
    band of the raster are in memory. A band is recorded as finished after it is on disk, so that a
    killed process leaves either a finished band or one that is computed again. Coarser levels
    follow every 4096 rows, and wherever the bands end.

    Parameters
    ----------
    path : Path
        The folder ``maps.zarr``; made when it is not there.
    raster : Raster
        The raster of the whole slide.
    class_count : int
        Classes without background.

    Examples
    --------
    ::

        with MapsWriter(folder / "maps.zarr", raster) as writer:
            for band in predict(slide, raster, window, engine, settings):
                writer.write(band)
    """

    def __init__(self, path: Path, raster: Raster, *, class_count: int = _USUAL_CLASSES) -> None:
        self._path = path
        self._record = path.with_name(RECORD_FILE)
        with store_errors(path):
            # what a version without shares has left unfinished starts again
            if not (self._record.is_file() and (path / _shares_name("score")).is_dir()):
                shutil.rmtree(path, ignore_errors=True)
                _create(path, raster, class_count)
                write_json(self._record, {"finished": [], "to_halve": None})
            record = json.loads(self._record.read_text("utf-8"))
        self._finished = {Window(*values) for values in record["finished"]}
        self._to_halve = None if record["to_halve"] is None else Window(*record["to_halve"])
        self._levels = _open_levels(path, "r+")
        self._shares = _open_shares(path, "r+")
        self._class_count = self._shares["class"][0].shape[0]
        self._held: _Block | None = None
        self._unrecorded: list[Window] = []
        self._halve()

    def is_finished(self, window: Window) -> bool:
        """Tell whether exactly this band is on disk."""
        return window in self._finished

    def write(self, band: MapBand) -> None:
        """Take a finished band.

        Raises
        ------
        StoreError
            If the disk is full or cannot be written.
        """
        block = _Block(band.window, (band.class_map, band.ternary_map, band.score))
        if self._held is not None and not self._held.is_followed_by(block):
            self.flush()
        self._held = block if self._held is None else self._held.with_below(block)
        self._unrecorded.append(band.window)
        upper, self._held = self._held.split(band.window.bottom // CHUNK_PX * CHUNK_PX)
        if upper is not None:
            self._store(upper)

    def flush(self) -> None:
        """Put on disk what is held back, and make the coarser levels whole."""
        if self._held is not None:
            block, self._held = self._held, None
            self._store(block)
        self._halve()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, StoreError):  # a disk that was full a moment ago still is
            self.flush()

    def _store(self, block: "_Block") -> None:
        bottom = block.window.bottom
        occupied = block.occupied()
        if occupied is not None:
            with store_errors(self._path):
                for name, plane in zip(_NAMES, occupied.planes, strict=True):
                    self._levels[name][0][occupied.window.slices()] = plane
            self._to_halve = _around(self._to_halve, occupied.window)
        self._finished |= {band for band in self._unrecorded if band.bottom <= bottom}
        self._unrecorded = [band for band in self._unrecorded if band.bottom > bottom]
        self._write_record()
        if bottom % _HALVING_PX == 0:
            self._halve()

    def _halve(self) -> None:
        """Give the coarser levels what level 0 has got since the last time."""
        if self._to_halve is None:
            return
        with store_errors(self._path):
            for name in _NAMES:
                _halve(self._levels[name], self._to_halve, mean=name == "score")
                self._count_shares(name, self._to_halve)
        self._to_halve = None
        self._write_record()

    def _count_shares(self, name: MapName, window: Window) -> None:
        """Make what the shares have of a window of level 0, a chunk at a time."""
        finest, *_ = levels = self._shares[name]
        window = _coarser(window, _SHARES_STEP)
        for part in _chunks_of(window, finest):
            rows, columns = _finer(part, _SHARES_STEP)

            def read(each: MapName, rows: slice = rows, columns: slice = columns) -> _Image:
                return np.asarray(self._levels[each][0][rows, columns], dtype=np.uint8)

            planes = planes_of(read, name, self._class_count)
            if planes.any():
                finest[:, *part.slices()] = averaged(planes, _SHARES_STEP)
        for finer, coarser in pairwise(levels):
            window = _coarser(window, 2)
            for part in _chunks_of(window, coarser):
                planes = np.asarray(finer[:, *_finer(part, 2)], dtype=np.uint8)
                if planes.any():
                    coarser[:, *part.slices()] = averaged(planes, 2)

    def _write_record(self) -> None:
        record = {
            "finished": sorted(map(_to_json, self._finished)),
            "to_halve": None if self._to_halve is None else _to_json(self._to_halve),
        }
        with store_errors(self._path):
            write_json(self._record, record)


@dataclass(frozen=True)
class _Block:
    """Rows of the three maps that lie below one another."""

    window: Window
    planes: tuple[_Image, ...]

    def is_followed_by(self, other: "_Block") -> bool:
        mine, its = self.window, other.window
        return (its.x, its.y, its.width) == (mine.x, mine.bottom, mine.width)

    def with_below(self, other: "_Block") -> "_Block":
        planes = tuple(map(np.concatenate, zip(self.planes, other.planes, strict=True)))
        return _Block(replace(self.window, height=len(planes[0])), planes)

    def occupied(self) -> "_Block | None":
        """Return the columns of chunks from the first to the last in which there is anything.

        The rest of a slide is glass, which is most of it, and empty on disk as it is.
        """
        columns = np.flatnonzero(np.any([plane.any(axis=0) for plane in self.planes], axis=0))
        if not len(columns):
            return None
        x = self.window.x
        first = max(x, (x + int(columns[0])) // CHUNK_PX * CHUNK_PX)
        last = min(self.window.right, ((x + int(columns[-1])) // CHUNK_PX + 1) * CHUNK_PX)
        part = slice(first - x, last - x)
        window = replace(self.window, x=first, width=last - first)
        return _Block(window, tuple(plane[:, part] for plane in self.planes))

    def split(self, row: int) -> tuple["_Block | None", "_Block | None"]:
        """Return what lies above a row of the raster and what lies below."""
        if row <= self.window.y:
            return None, self
        if row >= self.window.bottom:
            return self, None
        height = row - self.window.y
        below = replace(self.window, y=row, height=self.window.height - height)
        return (
            _Block(replace(self.window, height=height), tuple(p[:height] for p in self.planes)),
            _Block(below, tuple(p[height:] for p in self.planes)),
        )


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


def _halve(levels: list[zarr.Array[Any]], window: Window, *, mean: bool) -> None:
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


def _coarser(window: Window, step: int) -> Window:
    """Return the pixels, each step × step of the window's, that have anything of it."""
    x, y = window.x // step, window.y // step
    return Window(x, y, -(-window.right // step) - x, -(-window.bottom // step) - y)


def _finer(window: Window, step: int) -> tuple[slice, slice]:
    """Return rows and columns of the level whose step × step pixels make one of the window's."""
    rows, columns = window.slices()
    return (
        slice(rows.start * step, rows.stop * step),
        slice(columns.start * step, columns.stop * step),
    )


def _chunks_of(window: Window, level: zarr.Array[Any]) -> Iterator[Window]:
    """Return the whole chunks of a level's shares that have anything of a window."""
    height, width = level.shape[-2:]
    side = _SHARES_CHUNK_PX
    for y in range(window.y // side * side, min(window.bottom, height), side):
        for x in range(window.x // side * side, min(window.right, width), side):
            yield Window(x, y, min(side, width - x), min(side, height - y))


def _around(window: Window | None, other: Window) -> Window:
    if window is None:
        return other
    x, y = min(window.x, other.x), min(window.y, other.y)
    right, bottom = max(window.right, other.right), max(window.bottom, other.bottom)
    return Window(x, y, right - x, bottom - y)


def _to_json(window: Window) -> list[int]:
    return [window.x, window.y, window.width, window.height]


def discard_maps(path: Path) -> None:
    """Remove maps and the record of their bands, for instance because another engine made them."""
    with store_errors(path):
        path.with_name(RECORD_FILE).unlink(missing_ok=True)
        shutil.rmtree(path, ignore_errors=True)


def _open_levels(path: Path, mode: Literal["r", "r+"]) -> _Levels:
    with store_errors(path):
        if not path.is_dir():
            raise StoreError(f"there are no maps in {path.parent}; run the analysis again.")
        group = zarr.open_group(path, mode=mode)
        return {name: _levels_of(group[name]) for name in _NAMES}


def _open_shares(path: Path, mode: Literal["r", "r+"]) -> _Levels:
    """Return the shares by name, nothing where the run is of a version that kept none."""
    with store_errors(path):
        group = zarr.open_group(path, mode=mode)
        if _shares_name("score") not in group:
            return {}
        return {name: _levels_of(group[_shares_name(name)]) for name in _NAMES}


def _shares_name(name: MapName) -> str:
    return f"{name}_shares"


def _levels_of(image: Any) -> list[zarr.Array[Any]]:
    datasets = image.attrs["ome"]["multiscales"][0]["datasets"]
    return [image[dataset["path"]] for dataset in datasets]


def _create(path: Path, raster: Raster, class_count: int) -> None:
    """Lay out the empty collection: bioformats2raw.layout 3, which names images by a series."""
    group = zarr.create_group(
        path, zarr_format=3, attributes=_ome({"bioformats2raw.layout": 3}), overwrite=True
    )
    series = [*_NAMES, *map(_shares_name, _NAMES)]
    group.create_group("OME", attributes=_ome({"series": series}))
    planes = {"class": class_count, "ternary": len((INSIDE, BOUNDARY)), "score": 1}
    shapes = _level_shapes(raster.height, raster.width)
    coarse = _level_shapes(-(-raster.height // _SHARES_STEP), -(-raster.width // _SHARES_STEP))
    for name in _NAMES:
        _create_image(group, name, shapes, raster.mpp)
        shares = [(planes[name], *shape) for shape in coarse]
        _create_image(group, _shares_name(name), shares, raster.mpp)


def _create_image(
    group: zarr.Group, name: str, shapes: Sequence[tuple[int, ...]], mpp: float
) -> None:
    """Lay out a map or, where the shapes have planes, shares; ``mpp`` is the raster's."""
    has_planes = len(shapes[0]) > 2
    first, side = (FIRST_SHARE_LEVEL, _SHARES_CHUNK_PX) if has_planes else (0, CHUNK_PX)
    axes = ("c", "y", "x") if has_planes else ("y", "x")
    levels = range(first, first + len(shapes))
    multiscale = _multiscale(name, axes, mpp, levels)
    image = group.create_group(name, attributes=_ome({"multiscales": [multiscale]}))
    for level, shape in zip(levels, shapes, strict=True):
        image.create_array(
            str(level),
            shape=shape,
            chunks=(*shape[:-2], side, side),
            dtype="uint8",
            fill_value=BACKGROUND,
            dimension_names=axes,
        )


def _ome(entries: dict[str, Any]) -> dict[str, Any]:
    return {"ome": {"version": "0.5", **entries}}


def _level_shapes(height: int, width: int) -> list[tuple[int, int]]:
    shapes = [(height, width)]
    while max(shapes[-1]) > CHUNK_PX:
        height, width = shapes[-1]
        shapes.append(((height + 1) // 2, (width + 1) // 2))
    return shapes


def _multiscale(name: str, axes: Sequence[str], mpp: float, levels: range) -> dict[str, Any]:
    """Return NGFF's description of an image, in µm from the centre of the raster's first pixel."""
    plane_axes = len(axes) - 2
    return {
        "name": name,
        "type": "mode" if name in ("class", "ternary") else "mean",
        "axes": [
            {"name": axis, "type": "channel"}
            if axis == "c"
            else {"name": axis, "type": "space", "unit": "micrometer"}
            for axis in axes
        ],
        "datasets": [
            {
                "path": str(level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1.0] * plane_axes + [mpp * 2**level] * 2},
                    {
                        "type": "translation",
                        "translation": [0.0] * plane_axes + [mpp * (2**level - 1) / 2] * 2,
                    },
                ],
            }
            for level in levels
        ],
    }
