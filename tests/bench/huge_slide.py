"""A slide as large as scanners make them, in a file of some megabytes.

A BigTIFF says of each of its tiles where its JPEG lies, and nothing forbids that two lie in one
place. So a square of 4096 px of real tissue, mosaicked from the samples, is stored once and laid
down as often as wanted, and everything else is one tile of glass. Levels of downsample 4 and 16
follow the same way: the square measures a whole number of tiles in each.
"""

import io
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.samples import sample_path
from seg_core.slide import open_slide

MPP = 0.25
SQUARE_PX = 4096
_TILE_PX = 256
_DOWNSAMPLES = (1, 4, 16)
_GLASS = (243, 243, 243)

# Tags of TIFF 6.0, and their types: 3 SHORT, 4 LONG, 5 RATIONAL, 16 LONG8 of BigTIFF.
_SHORT, _LONG, _RATIONAL, _LONG8 = 3, 4, 5, 16
_FORMATS = {_SHORT: "H", _LONG: "I", _RATIONAL: "II", _LONG8: "Q"}
_JPEG, _YCBCR, _PER_CENTIMETRE = 7, 6, 3


@dataclass(frozen=True)
class _Stored:
    """Where a tile's JPEG lies in the file."""

    offset: int
    size: int


def write_huge_slide(path: Path, width: int, height: int, tissue_share: float) -> Path:
    """Write a slide of 0.25 µm/px.

    Parameters
    ----------
    path : Path
    width, height : int
        Level-0 pixels.
    tissue_share : float
        Share of its squares of 4096 px that are tissue: those nearest to the middle, one piece.

    Returns
    -------
    path : Path
    """
    tissue = _tissue_squares(width, height, tissue_share)
    picture = Image.fromarray(_mosaic())
    with path.open("wb") as file:
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0))
        link = 8  # where the offset of the next directory stands
        for downsample in _DOWNSAMPLES:
            square = picture.reduce(downsample) if downsample > 1 else picture
            tiles = [[_append(file, tile) for tile in row] for row in _cut(square)]
            glass = _append(file, Image.new("RGB", (_TILE_PX, _TILE_PX), _GLASS))
            size = (-(-width // downsample), -(-height // downsample))
            laid = _lay(size, tissue, tiles, glass)
            link = _append_directory(file, link, size, downsample, laid)
    return path


def _tissue_squares(width: int, height: int, share: float) -> npt.NDArray[np.bool_]:
    rows, columns = -(-height // SQUARE_PX), -(-width // SQUARE_PX)
    y, x = np.mgrid[0:rows, 0:columns]
    distance = np.hypot(y - (rows - 1) / 2, x - (columns - 1) / 2)
    nearest = np.argsort(distance.ravel(), kind="stable")[: round(share * rows * columns)]
    squares = np.zeros(rows * columns, dtype=np.bool_)
    squares[nearest] = True
    return squares.reshape(rows, columns)


def _mosaic() -> npt.NDArray[np.uint8]:
    """Lay the two samples that are all tissue over a square, mirrored so that no edge shows."""
    names = ("hgsc_nest", "hgsc_stromal_he")
    one, other = (open_slide(sample_path(name), mpp=MPP) for name in names)
    pair = np.hstack(
        [
            one.read(one.raster(MPP), one.raster(MPP).window),
            other.read(other.raster(MPP), other.raster(MPP).window),
        ]
    )
    pad = SQUARE_PX - np.array(pair.shape[:2])
    return np.pad(pair, ((0, pad[0]), (0, pad[1]), (0, 0)), mode="symmetric")


def _cut(square: Image.Image) -> list[list[Image.Image]]:
    starts = range(0, square.width, _TILE_PX)
    return [[square.crop((x, y, x + _TILE_PX, y + _TILE_PX)) for x in starts] for y in starts]


def _append(file: io.BufferedIOBase, tile: Image.Image) -> _Stored:
    stream = io.BytesIO()
    tile.save(stream, "JPEG", quality=85)
    offset = file.tell()
    return _Stored(offset, file.write(stream.getvalue()))


def _lay(
    size: tuple[int, int],
    tissue: npt.NDArray[np.bool_],
    tiles: list[list[_Stored]],
    glass: _Stored,
) -> list[_Stored]:
    columns, rows = (-(-length // _TILE_PX) for length in size)
    a_side = len(tiles)
    return [
        tiles[row % a_side][column % a_side] if tissue[row // a_side, column // a_side] else glass
        for row in range(rows)
        for column in range(columns)
    ]


def _append_directory(
    file: io.BufferedIOBase,
    link: int,
    size: tuple[int, int],
    downsample: int,
    laid: list[_Stored],
) -> int:
    """Write the directory of a level, hang it on the one before; return its own link's place."""
    dots = (round(10_000 * 1000 / (MPP * downsample)), 1000)
    tags = [
        (254, _LONG, [int(downsample > 1)]),  # a reduced version of the first
        (256, _LONG, [size[0]]),
        (257, _LONG, [size[1]]),
        (258, _SHORT, [8, 8, 8]),
        (259, _SHORT, [_JPEG]),
        (262, _SHORT, [_YCBCR]),
        (277, _SHORT, [3]),
        (282, _RATIONAL, dots),
        (283, _RATIONAL, dots),
        (284, _SHORT, [1]),
        (296, _SHORT, [_PER_CENTIMETRE]),
        (322, _LONG, [_TILE_PX]),
        (323, _LONG, [_TILE_PX]),
        (324, _LONG8, [tile.offset for tile in laid]),
        (325, _LONG8, [tile.size for tile in laid]),
        (530, _SHORT, [2, 2]),  # Pillow halves the colours along both sides
    ]
    entries = b""
    for tag, kind, values in tags:
        packed = struct.pack(f"<{len(values) // len(_FORMATS[kind]) * _FORMATS[kind]}", *values)
        if len(packed) > 8:
            place = file.tell()
            file.write(packed)
            packed = struct.pack("<Q", place)
        count = len(values) // len(_FORMATS[kind])
        entries += struct.pack("<HHQ8s", tag, kind, count, packed)
    place = file.tell()
    file.write(struct.pack("<Q", len(tags)) + entries + struct.pack("<Q", 0))
    file.seek(link)
    file.write(struct.pack("<Q", place))
    file.seek(0, io.SEEK_END)
    return place + 8 + len(entries)
