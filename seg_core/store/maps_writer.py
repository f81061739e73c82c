"""The maps of a run, written band by band."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from seg_core.errors import SegCoreError, StoreError
from seg_core.files.atomic import sync_disk_of, write_json
from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import file_checksum
from seg_core.geometry import Raster, Window
from seg_core.maps import MapBand
from seg_core.store.band_record import RECORD_FILE, BandRecord
from seg_core.store.chunk_files import take_chunks
from seg_core.store.coarser_levels import PART_PX, make_coarser
from seg_core.store.growing_files import CoarserFiles, layout_checksums
from seg_core.store.maps_layout import (
    CHUNK_PX,
    SHARD_PX,
    USUAL_CLASS_COUNT,
    Pyramid,
    create_pyramid,
    map_damage,
    open_pyramid,
)

# Coarser levels follow level 0 at these rows, of which one set of parts is made. Halving each row of
# chunks by itself would read and pack the chunks of level 3 eight times.
_HALVING_PX = PART_PX

# What names of files of level 0 begin with; its row and its column follow.
_SHARDS = "maps/0/c/0/"

_Image = npt.NDArray[np.uint8]


class MapsWriter:
    """Writes finished bands into the maps of a run; there is one writer at a time.

    Bands that follow one another downwards are held back until they fill whole chunks, since a
    chunk written in parts is read and packed again for each part: at most a chunk's height and a
    band of the raster are in memory. A band is recorded as finished after it is on disk, so that a
    killed process leaves either a finished band or one that is computed again. Strips of columns end
    within a file, so that of a process killed before it recorded what it had written, or on a disk
    that lost something, a file may be another than is recorded: then the bands that have something
    in it are computed again, and no others. Coarser levels
    follow every 2048 rows, wherever the bands end, when there are rows below these, and at the end;
    whoever reads the maps meanwhile has `seg_core.store.growing_maps` make what they lack.

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
        self._coarser = CoarserFiles(path)
        with store_errors(path):
            kept = self._read_record()
            if kept is None:  # what is damaged, or of another layout, starts again
                shutil.rmtree(path, ignore_errors=True)
                create_pyramid(path, raster, class_count)
                kept = BandRecord(files=layout_checksums(path))
                kept.coarser = self._coarser.checksum()
                write_json(self._record, kept.to_json())
            elif kept.coarser != self._coarser.checksum():  # damaged, or a process was killed
                self._coarser.discard()
                kept.to_halve = _around_all(kept.finished)
        self._kept = kept
        self._pyramid = _opened(path)
        self._finest = self._pyramid.map_files()[0]
        self._held: list[_Block] = []
        self._unrecorded: list[Window] = []
        self._is_halving_due = False
        self.make_coarser()

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
        block = _Block(band.window, np.stack([band.class_map, band.ternary_map, band.score]))
        if self._held and not self._held[-1].is_followed_by(block):
            self.flush()
        self._unrecorded.append(band.window)
        if band.pieces is not None:
            self._kept.with_pieces.add(band.window)
        row = band.window.bottom // CHUNK_PX * CHUNK_PX
        upper, lower = block.split(row)
        if upper is not None and upper.window.bottom == row:
            self._store(_joined([*self._held, upper]))
            self._held = []
        elif upper is not None:
            self._held.append(upper)
        if lower is not None:
            self._held.append(lower)

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
            for mine, its in zip(self._pyramid.arrays, others._pyramid.arrays, strict=True):
                take_chunks(its, others._path, mine, self._path, part)
            sync_disk_of(self._path)
            self._kept.files |= {
                name: file_checksum(self._path / name) for name in others._kept.files
            }
            self._kept.coarser = self._coarser.checksum()
        self._kept.finished |= others._kept.finished
        self._kept.with_pieces |= others._kept.with_pieces
        self._write_record()

    def flush(self) -> None:
        """Put on disk what is held back, and make the coarser levels whole."""
        self.store_held()
        self.make_coarser()

    def store_held(self) -> None:
        """Put on disk what is held back; then level 0 has all that was written."""
        if self._held:
            block, self._held = _joined(self._held), []
            self._store(block)

    def make_coarser(self) -> None:
        """Give the coarser levels what level 0 has got since the last time."""
        if self._kept.to_halve is None:
            return
        with store_errors(self._path), map_damage(self._path):
            make_coarser(self._pyramid, self._kept.to_halve)
            self._kept.coarser = self._coarser.checksum()
        self._kept.to_halve = None
        self._is_halving_due = False
        self._write_record()

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
        if self._is_halving_due:
            self.make_coarser()
        bottom = block.window.bottom
        occupied = block.occupied()
        if occupied is not None:
            with store_errors(self._path), map_damage(self._path):
                self._finest.write(occupied.window, occupied.planes)
                sync_disk_of(self._path)
                self._kept.files |= self._checksums_of(occupied.window)
            self._kept.to_halve = _around(self._kept.to_halve, occupied.window)
        self._kept.finished |= {band for band in self._unrecorded if band.bottom <= bottom}
        self._unrecorded = [band for band in self._unrecorded if band.bottom > bottom]
        self._write_record()
        self._is_halving_due |= bottom % _HALVING_PX == 0

    def _checksums_of(self, window: Window) -> dict[str, str]:
        """Return those of the files of level 0 that hold a window; what is empty has none."""
        checksums = {}
        for row in range(window.y // CHUNK_PX, -(-window.bottom // CHUNK_PX)):
            for column in range(window.x // SHARD_PX, -(-window.right // SHARD_PX)):
                shard = f"{_SHARDS}{row}/{column}"
                with suppress(FileNotFoundError):
                    checksums[shard] = file_checksum(self._path / shard)
        return checksums

    def _read_record(self) -> "BandRecord | None":
        """Return what is finished and whole; None where nothing can be relied on."""
        kept = BandRecord.read(self._path.parent)
        if kept is None:
            return None
        damaged = [name for name, said in kept.files.items() if not self._is_whole(name, said)]
        try:
            _opened(self._path)
            places = {name: _place_of(name) for name in damaged}
        except (OSError, ValueError, SegCoreError):
            return None
        # First, since what the record forgets reads as background. Of a file that it never knew,
        # nothing is finished, and the disk may have lost a part.
        for path in (self._path / _SHARDS).glob("*/*"):
            name = path.relative_to(self._path).as_posix()
            if name in places or name not in kept.files:
                path.unlink()
        if places:
            kept.forget(places)
            write_json(self._record, kept.to_json())
        return kept

    def _is_whole(self, name: str, said: str) -> bool:
        try:
            return file_checksum(self._path / name) == said
        except OSError:
            return False

    def _write_record(self) -> None:
        with store_errors(self._path):
            write_json(self._record, self._kept.to_json())


def _opened(path: Path) -> Pyramid:
    pyramid = open_pyramid(path, "r+")
    if pyramid is None:
        raise ValueError("an earlier version has laid out these maps")
    return pyramid


def _place_of(name: str) -> Window:
    """Return what of the raster a file of level 0 holds; ValueError where it is no such file."""
    if not name.startswith(_SHARDS):
        raise ValueError(f"{name} says how the maps are laid out")
    row, column = map(int, name.removeprefix(_SHARDS).split("/"))
    return Window(column * SHARD_PX, row * CHUNK_PX, SHARD_PX, CHUNK_PX)


@dataclass(frozen=True)
class _Block:
    """Rows of the three maps that lie below one another, (3, h, w) uint8."""

    window: Window
    planes: _Image

    def is_followed_by(self, other: "_Block") -> bool:
        mine, its = self.window, other.window
        return (its.x, its.y, its.width) == (mine.x, mine.bottom, mine.width)

    def occupied(self) -> "_Block | None":
        """Return the columns of chunks from the first to the last in which there is anything.

        The rest of a slide is glass, which is most of it, and empty on disk as it is.
        """
        columns = np.flatnonzero(self.planes.any(axis=(0, 1)))
        if not len(columns):
            return None
        x = self.window.x
        first = max(x, (x + int(columns[0])) // CHUNK_PX * CHUNK_PX)
        last = min(self.window.right, ((x + int(columns[-1])) // CHUNK_PX + 1) * CHUNK_PX)
        part = slice(first - x, last - x)
        window = replace(self.window, x=first, width=last - first)
        return _Block(window, self.planes[:, :, part])

    def split(self, row: int) -> tuple["_Block | None", "_Block | None"]:
        """Return what lies above a row of the raster and what lies below."""
        if row <= self.window.y:
            return None, self
        if row >= self.window.bottom:
            return self, None
        height = row - self.window.y
        below = replace(self.window, y=row, height=self.window.height - height)
        return (
            _Block(replace(self.window, height=height), self.planes[:, :height]),
            _Block(below, self.planes[:, height:]),
        )


def _joined(blocks: list[_Block]) -> _Block:
    """Put blocks below one another."""
    planes = np.concatenate([block.planes for block in blocks], axis=1)
    return _Block(replace(blocks[0].window, height=planes.shape[1]), planes)


def _around(window: Window | None, other: Window) -> Window:
    if window is None:
        return other
    x, y = min(window.x, other.x), min(window.y, other.y)
    right, bottom = max(window.right, other.right), max(window.bottom, other.bottom)
    return Window(x, y, right - x, bottom - y)


def _around_all(windows: Iterable[Window]) -> Window | None:
    around: Window | None = None
    for window in windows:
        around = _around(around, window)
    return around


def discard_maps(path: Path) -> None:
    """Remove maps and the record of their bands, for instance because another engine made them."""
    with store_errors(path):
        path.with_name(RECORD_FILE).unlink(missing_ok=True)
        shutil.rmtree(path, ignore_errors=True)
