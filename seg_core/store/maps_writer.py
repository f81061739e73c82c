"""The maps of a run, written band by band."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import zarr

from seg_core.errors import SegCoreError, StoreError
from seg_core.files.atomic import sync_disk_of, write_json
from seg_core.files.disk_errors import store_errors
from seg_core.geometry import Raster, Window
from seg_core.maps import MapBand, MapName
from seg_core.store.chunk_files import take_chunks
from seg_core.store.halving import halve
from seg_core.store.maps_layout import (
    CHUNK_PX,
    MAP_NAMES,
    RECORD_FILE,
    SHARES_CHUNK_PX,
    SHARES_STEP,
    USUAL_CLASS_COUNT,
    create_pyramid,
    open_levels,
    open_shares,
    shares_name,
)
from seg_core.store.shares import averaged, planes_of

# Coarser levels follow level 0 at these rows. Halving each row of chunks by itself would read and
# pack the chunks of level 3 eight times.
_HALVING_PX = 8 * CHUNK_PX

_Image = npt.NDArray[np.uint8]


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

    def __init__(self, path: Path, raster: Raster, *, class_count: int = USUAL_CLASS_COUNT) -> None:
        self._path = path
        self._record = path.with_name(RECORD_FILE)
        with store_errors(path):
            kept = self._read_record()
            if kept is None:  # what is damaged, or of a version without shares, starts again
                shutil.rmtree(path, ignore_errors=True)
                create_pyramid(path, raster, class_count)
                kept = _Record()
                write_json(self._record, kept.to_json())
        self._kept = kept
        self._levels = open_levels(path, "r+")
        self._shares = open_shares(path, "r+")
        self._class_count = self._shares["class"][0].shape[0]
        self._held: _Block | None = None
        self._unrecorded: list[Window] = []
        self._halve()

    def is_finished(self, window: Window) -> bool:
        """Tell whether exactly this band is on disk."""
        return window in self._kept.finished

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

    def take(self, others: "MapsWriter", part: Window) -> None:
        """Take over what another writer has finished of a part of the same raster.

        Parameters
        ----------
        others : MapsWriter
        part : Window
            Where it has written: some rows of what is analysed, which end at whole chunks of each
            level unless they are the last.
        """
        others.flush()
        with store_errors(self._path):
            for levels, theirs in ((self._levels, others._levels), (self._shares, others._shares)):
                for name in MAP_NAMES:
                    for mine, its in zip(levels[name], theirs[name], strict=True):
                        take_chunks(its, others._path, mine, self._path, part)
            sync_disk_of(self._path)
            self._kept.files |= {
                name: (self._path / name).stat().st_size for name in others._kept.files
            }
        self._kept.finished |= others._kept.finished
        self._write_record()

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
                for name, plane in zip(MAP_NAMES, occupied.planes, strict=True):
                    self._levels[name][0][occupied.window.slices()] = plane
                sync_disk_of(self._path)
                self._kept.files |= self._sizes_of(occupied.window)
            self._kept.to_halve = _around(self._kept.to_halve, occupied.window)
        self._kept.finished |= {band for band in self._unrecorded if band.bottom <= bottom}
        self._unrecorded = [band for band in self._unrecorded if band.bottom > bottom]
        self._write_record()
        if bottom % _HALVING_PX == 0:
            self._halve()

    def _halve(self) -> None:
        """Give the coarser levels what level 0 has got since the last time."""
        if self._kept.to_halve is None:
            return
        with store_errors(self._path):
            for name in MAP_NAMES:
                halve(self._levels[name], self._kept.to_halve, mean=name == "score")
                self._count_shares(name, self._kept.to_halve)
        self._kept.to_halve = None
        self._write_record()

    def _count_shares(self, name: MapName, window: Window) -> None:
        """Make what the shares have of a window of level 0, a chunk at a time."""
        finest, *_ = levels = self._shares[name]
        window = _coarser(window, SHARES_STEP)
        for part in _chunks_of(window, finest):
            rows, columns = _finer(part, SHARES_STEP)

            def read(each: MapName, rows: slice = rows, columns: slice = columns) -> _Image:
                return np.asarray(self._levels[each][0][rows, columns], dtype=np.uint8)

            planes = planes_of(read, name, self._class_count)
            if planes.any():
                finest[:, *part.slices()] = averaged(planes, SHARES_STEP)
        for finer, coarser in pairwise(levels):
            window = _coarser(window, 2)
            for part in _chunks_of(window, coarser):
                planes = np.asarray(finer[:, *_finer(part, 2)], dtype=np.uint8)
                if planes.any():
                    coarser[:, *part.slices()] = averaged(planes, 2)

    def _sizes_of(self, window: Window) -> dict[str, int]:
        """Return the sizes of the files of level 0 that hold a window; what is empty has none."""
        sizes = {}
        for name in MAP_NAMES:
            for row in range(window.y // CHUNK_PX, -(-window.bottom // CHUNK_PX)):
                for column in range(window.x // CHUNK_PX, -(-window.right // CHUNK_PX)):
                    chunk = f"{name}/0/c/{row}/{column}"
                    with suppress(FileNotFoundError):
                        sizes[chunk] = (self._path / chunk).stat().st_size
        return sizes

    def _read_record(self) -> "_Record | None":
        """Return what is finished; None where nothing can be relied on."""
        if not (self._path / shares_name("score")).is_dir():
            return None
        try:
            kept = _Record.from_json(json.loads(self._record.read_bytes().decode("utf-8")))
            whole = all(
                (self._path / name).stat().st_size == size for name, size in kept.files.items()
            )
            open_levels(self._path, "r")
            open_shares(self._path, "r")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SegCoreError):
            return None
        return kept if whole else None

    def _write_record(self) -> None:
        with store_errors(self._path):
            write_json(self._record, self._kept.to_json())


@dataclass
class _Record:
    """What stands in ``bands.json``."""

    finished: set[Window] = field(default_factory=set)
    to_halve: Window | None = None

    files: dict[str, int] = field(default_factory=dict)
    """Sizes of the chunks of level 0 that hold what is finished."""

    def to_json(self) -> dict[str, Any]:
        entries = {
            "finished": sorted(band.to_json() for band in self.finished),
            "to_halve": None if self.to_halve is None else self.to_halve.to_json(),
            "files": dict(sorted(self.files.items())),
        }
        return {**entries, "checksum": _checksum(entries)}

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> "_Record":
        """Read what `to_json` gave; ValueError, KeyError or TypeError where it is not that."""
        said = entries.pop("checksum")
        if said != _checksum(entries):
            raise ValueError("the record of bands is damaged")
        to_halve = entries["to_halve"]
        return cls(
            {Window(*values) for values in entries["finished"]},
            None if to_halve is None else Window(*to_halve),
            dict(entries["files"]),
        )


def _checksum(entries: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


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
    side = SHARES_CHUNK_PX
    for y in range(window.y // side * side, min(window.bottom, height), side):
        for x in range(window.x // side * side, min(window.right, width), side):
            yield Window(x, y, min(side, width - x), min(side, height - y))


def _around(window: Window | None, other: Window) -> Window:
    if window is None:
        return other
    x, y = min(window.x, other.x), min(window.y, other.y)
    right, bottom = max(window.right, other.right), max(window.bottom, other.bottom)
    return Window(x, y, right - x, bottom - y)


def discard_maps(path: Path) -> None:
    """Remove maps and the record of their bands, for instance because another engine made them."""
    with store_errors(path):
        path.with_name(RECORD_FILE).unlink(missing_ok=True)
        shutil.rmtree(path, ignore_errors=True)
