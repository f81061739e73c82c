"""The chunks of an array as files: written, read, and taken from another array of the same shape.

What zarr does to find, pack and name a chunk takes ten times as long as packing it, so where many
chunks are written or read at once it is done here. The files are those of Zarr version 3: a chunk is
a frame of zstd; a *shard* is several chunks, and behind them an index of where each begins and how
many bytes it has, with its checksum. What is all background has no chunk.
"""

import struct
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import google_crc32c
import numpy as np
import numpy.typing as npt
import zarr
from numcodecs.zstd import Zstd

from seg_core.files.atomic import take_file
from seg_core.geometry import Window

ZSTD_LEVEL = 1
"""A higher one takes longer and saves little: maps are flat."""

_packer = Zstd(level=ZSTD_LEVEL, checksum=True)

# Of a chunk that is not there.
_NOWHERE = (2**64 - 1, 2**64 - 1)

_Image = npt.NDArray[np.uint8]


class _File(NamedTuple):
    """A file of chunks, and what of the array's planes and pixels lies in it."""

    path: Path
    planes: slice
    window: Window


class ArrayFiles:
    """An array of planes, to read and write in windows; there is one writer at a time.

    Parameters
    ----------
    array : zarr.Array
        (P, H, W) uint8, as `seg_core.store.maps_layout.create_pyramid` lays them out.
    root : Path
        Folder of the group that it is in.
    """

    def __init__(self, array: zarr.Array[Any], root: Path) -> None:
        planes, height, width = array.shape
        self.shape = (planes, height, width)
        self.chunk_px = array.chunks[-1]
        self._chunk = array.chunks
        self._extent = array.shards or array.chunks
        self._has_index = array.shards is not None
        self._root = root / array.path / "c"

    def read(self, window: Window) -> _Image:
        """Return all planes of a window inside the array, (P, h, w)."""
        image = np.zeros((self.shape[0], window.height, window.width), np.uint8)
        for file in self._files(window):
            for planes, part, chunk in self._chunks_in(file, window):
                seen = part.intersection(window)
                assert seen is not None, "only chunks of the window are read"
                of_chunk = seen.moved(-part.x, -part.y).slices()
                image[planes, *seen.moved(-window.x, -window.y).slices()] = chunk[:, *of_chunk]
        return image

    def write(self, window: Window, image: _Image) -> None:
        """Replace all planes of a window inside the array, (P, h, w)."""
        whole = Window(0, 0, self.shape[2], self.shape[1])
        for file in self._files(window):
            inside = file.window.intersection(whole)
            seen = file.window.intersection(window)
            assert inside is not None, "a file has something of the array"
            assert seen is not None, "a file has something of the window"
            part = image[file.planes, *seen.moved(-window.x, -window.y).slices()]
            if seen != file.window:
                content = np.zeros((len(part), file.window.height, file.window.width), np.uint8)
                if seen != inside:
                    for planes, place, chunk in self._chunks_in(file, file.window):
                        first = planes.start - file.planes.start
                        kept = content[first : first + len(chunk)]
                        kept[:, *place.moved(-file.window.x, -file.window.y).slices()] = chunk
                content[:, *seen.moved(-file.window.x, -file.window.y).slices()] = part
                part = content
            _replace(file.path, self._packed(part))

    def _files(self, window: Window) -> Iterator[_File]:
        """Give the files that have something of a window."""
        depth, height, width = self._extent
        for first, row, column in product(
            range(-(-self.shape[0] // depth)),
            range(window.y // height, -(-window.bottom // height)),
            range(window.x // width, -(-window.right // width)),
        ):
            yield _File(
                self._root / str(first) / str(row) / str(column),
                slice(first * depth, (first + 1) * depth),
                Window(column * width, row * height, width, height),
            )

    def _places(self) -> Iterator[tuple[slice, Window]]:
        """Give planes and pixels of each chunk of a file, counted from the file's."""
        steps = zip(self._extent, self._chunk, strict=True)
        depth, height, width = self._chunk
        for plane, y, x in product(*(range(0, whole, step) for whole, step in steps)):
            yield slice(plane, plane + depth), Window(x, y, width, height)

    def _packed(self, content: _Image) -> bytes:
        """Return the bytes of a file; none where there is nothing."""
        packed: list[bytes] = []
        for planes, place in self._places():
            chunk = np.ascontiguousarray(content[planes, *place.slices()])
            packed.append(_packer.encode(chunk) if chunk.any() else b"")
        if not self._has_index or not any(packed):
            return packed[0]
        begin = 0
        entries: list[int] = []
        for each in packed:
            entries += (begin, len(each)) if each else _NOWHERE
            begin += len(each)
        index = struct.pack(f"<{len(entries)}Q", *entries)
        return b"".join([*packed, index, struct.pack("<I", google_crc32c.value(index))])

    def _chunks_in(self, file: _File, window: Window) -> Iterator[tuple[slice, Window, _Image]]:
        """Give the chunks of a file that are there and have something of a window."""
        try:
            content = file.path.read_bytes()
        except FileNotFoundError:
            return
        places = list(self._places())
        entries = _index_of(content, len(places)) if self._has_index else [(0, len(content))]
        for (planes, place), (begin, length) in zip(places, entries, strict=True):
            part = place.moved(file.window.x, file.window.y)
            if (begin, length) == _NOWHERE or part.intersection(window) is None:
                continue
            first = file.planes.start + planes.start
            unpacked = np.frombuffer(_packer.decode(content[begin : begin + length]), np.uint8)
            chunk = unpacked.reshape(self._chunk)
            yield slice(first, first + len(chunk)), part, chunk


def _index_of(content: bytes, count: int) -> list[tuple[int, int]]:
    """Return where each chunk of a shard begins and how many bytes it has."""
    index, said = content[-16 * count - 4 : -4], content[-4:]
    if struct.pack("<I", google_crc32c.value(index)) != said:
        raise ValueError("the index of a shard is damaged")
    numbers = struct.unpack(f"<{2 * count}Q", index)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole, since others may read it meanwhile; what is empty is removed."""
    if not content:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.partial")
    temporary.write_bytes(content)
    temporary.replace(path)


def take_chunks(
    source: zarr.Array[Any], source_root: Path, target: zarr.Array[Any], root: Path, part: Window
) -> None:
    """Give an array what another has of a part of the raster.

    A file of chunks that the target lacks is taken, which costs nothing; where both have
    something of it, as at the border of two parts, the rows of the part are copied.

    Parameters
    ----------
    source, target : zarr.Array
        (…, H, W), named by their level: each of their pixels is 2 ** level of the raster's.
    source_root, root : Path
        Folders of the groups that they are in.
    part : Window
        Of the raster.
    """
    step = 2 ** int(target.basename)
    top, bottom = part.y // step, min(-(-part.bottom // step), target.shape[-2])
    height, width = (target.shards or target.chunks)[-2:]
    chunks = source_root / source.path / "c"
    for path in sorted(
        each for each in chunks.rglob("*") if each.name.isdecimal() and each.is_file()
    ):
        goal = root / target.path / path.relative_to(source_root / source.path)
        if not goal.exists():
            take_file(path, goal)
        elif not goal.samefile(path):
            row, column = (int(name) for name in path.parts[-2:])
            rows = slice(max(row * height, top), min((row + 1) * height, bottom))
            columns = slice(column * width, (column + 1) * width)
            target[..., rows, columns] = source[..., rows, columns]
