"""The slide that is worked on: the samples as a mosaic, in a tiled JPEG TIFF as scanners write."""

import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.geometry import Window
from seg_core.samples import sample_path
from seg_core.slide import open_slide

_PIECES = ("cmu_small_region", "hgsc_nest", "hgsc_stromal_he")
_PIECE_PX = 1500  # two of the samples are of this size

# Lymphocytes beside the nest, the squares with most nuclei of all samples.
_DENSE_SAMPLE, _DENSE_PX, _DENSE_CORNERS = "hgsc_nest", 512, ((128, 988), (0, 100))

_TIFF_TILE_PX = 256
_JPEG_QUALITY = 85
_HEADER_BYTES = 8
_TYPES = {"H": 3, "I": 4, "II": 5}


def write_region(path: Path, side_px: int, mpp: float = 0.25, *, dense: bool = False) -> Path:
    """Write a square slide of tissue, a single level.

    Parameters
    ----------
    path : Path
        A ``.tif``.
    side_px : int
    mpp : float
        What the file says of its pixels.
    dense : bool
        Where the samples have most nuclei, 900 a megapixel, over and over; else all of them.

    Returns
    -------
    path : Path
    """
    picture = _mosaic(_dense_pieces(mpp) if dense else _usual_pieces(mpp), side_px)
    tiles = list(_encoded_tiles(picture))
    sizes = [len(tile) for tile in tiles]
    offsets = np.cumsum([_HEADER_BYTES, *sizes[:-1]]).tolist()
    end_of_tiles = _HEADER_BYTES + sum(sizes)
    header = struct.pack("<2sHI", b"II", 42, end_of_tiles)
    path.write_bytes(
        b"".join(
            [header, *tiles, _directory(side_px, round(1e4 / mpp), end_of_tiles, offsets, sizes)]
        )
    )
    return path


def _directory(
    side_px: int, pixels_per_cm: int, begin: int, offsets: list[int], sizes: list[int]
) -> bytes:
    """Return what TIFF 6.0 wants to know of a picture, as it stands from the byte ``begin`` on."""
    entries: dict[int, tuple[str, list[int]]] = {
        256: ("I", [side_px]),  # width
        257: ("I", [side_px]),  # height
        258: ("H", [8, 8, 8]),  # bits
        259: ("H", [7]),  # JPEG
        262: ("H", [6]),  # YCbCr
        277: ("H", [3]),  # samples a pixel
        282: ("II", [pixels_per_cm, 1]),
        283: ("II", [pixels_per_cm, 1]),
        296: ("H", [3]),  # resolution is a centimetre's
        322: ("I", [_TIFF_TILE_PX]),
        323: ("I", [_TIFF_TILE_PX]),
        324: ("I", offsets),
        325: ("I", sizes),
        530: ("H", [2, 2]),  # colours are halved
    }
    inline, behind = [struct.pack("<H", len(entries))], b""
    values_begin = begin + 2 + 12 * len(entries) + 4
    for tag, (kind, values) in entries.items():
        packed = struct.pack(f"<{len(values)}{kind[0]}", *values)
        if len(packed) > 4:
            packed, behind = struct.pack("<I", values_begin + len(behind)), behind + packed
        count = len(values) // len(kind)
        inline.append(struct.pack("<HHI", tag, _TYPES[kind], count) + packed.ljust(4, b"\0"))
    return b"".join([*inline, bytes(4), behind])


def _mosaic(pieces: list[npt.NDArray[np.uint8]], side_px: int) -> npt.NDArray[np.uint8]:
    """Lay square pieces out in rows, each row beginning with the next of them."""
    count = -(-side_px // pieces[0].shape[0])
    rows = [
        np.concatenate([pieces[(row + column) % len(pieces)] for column in range(count)], axis=1)
        for row in range(count)
    ]
    return np.concatenate(rows)[:side_px, :side_px]


def _usual_pieces(mpp: float) -> list[npt.NDArray[np.uint8]]:
    return [_piece(sample_path(name), mpp) for name in _PIECES]


def _dense_pieces(mpp: float) -> list[npt.NDArray[np.uint8]]:
    whole = _piece(sample_path(_DENSE_SAMPLE), mpp)
    return [whole[y : y + _DENSE_PX, x : x + _DENSE_PX] for x, y in _DENSE_CORNERS]


def _piece(path: Path, mpp: float) -> npt.NDArray[np.uint8]:
    """Read the middle of a sample; one of unknown resolution at its own pixels."""
    with closing(open_slide(path)) as slide:
        if slide.info.mpp is None:
            return slide.thumbnail(_PIECE_PX)
        raster = slide.raster(mpp)
        x, y = (raster.width - _PIECE_PX) // 2, (raster.height - _PIECE_PX) // 2
        return slide.read(raster, Window(x, y, _PIECE_PX, _PIECE_PX))


def _encoded_tiles(picture: npt.NDArray[np.uint8]) -> Iterator[bytes]:
    height, width = picture.shape[:2]
    padded = np.pad(
        picture, ((0, -height % _TIFF_TILE_PX), (0, -width % _TIFF_TILE_PX), (0, 0)), mode="edge"
    )
    for y in range(0, height, _TIFF_TILE_PX):
        for x in range(0, width, _TIFF_TILE_PX):
            tile = padded[y : y + _TIFF_TILE_PX, x : x + _TIFF_TILE_PX, ::-1]
            _, encoded = cv2.imencode(".jpg", tile, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
            yield encoded.tobytes()
