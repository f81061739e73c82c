"""What decoders of PNG pass over in silence.

They leave black what is missing of a picture, and give the colours of a palette where the numbers
that stand for them are wanted.

The names are those of the PNG specification (W3C, third edition), sections 4.5, 5.3 and 11.2.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.slide.picture import damaged

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by the kind of colours
_PIECE_BYTES = 1 << 20
_COLOURS_AT, _PALETTE = 25, 3  # where a file says its kind of colours, and what it says

ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Of each pass of an interlaced picture: its first column and row, and the steps to the next."""

_ONE_PASS = ((0, 0, 1, 1),)


def check_data(path: Path) -> None:
    """Refuse a PNG whose data end before its picture does.

    Parameters
    ----------
    path : Path
        A file that begins as a PNG.

    Raises
    ------
    SlideError
        If so, or if its data cannot be unpacked.
    """
    needed, unpacked = 0, 0
    stream = zlib.decompressobj()
    try:
        for kind, body in _chunks(path):
            if kind == b"IHDR":
                needed = _bytes_of_scanlines(body)
            elif kind == b"IDAT":
                while body and unpacked < needed and not stream.eof:
                    unpacked += len(stream.decompress(body, _PIECE_BYTES))
                    body = stream.unconsumed_tail
            if unpacked >= needed > 0:
                return
        while unpacked < needed and (rest := stream.flush()):
            unpacked += len(rest)
    except (zlib.error, struct.error, KeyError) as error:
        raise damaged(path, error) from error
    if unpacked < needed or not needed:
        raise damaged(path, "its data end before the picture does")


def palette_indices(path: Path) -> npt.NDArray[np.uint8] | None:
    """Return the numbers of a PNG whose pixels are numbers of a palette; None of another file.

    Parameters
    ----------
    path : Path
        Its size is known to be one that memory holds.

    Returns
    -------
    indices : (H, W) uint8 or None
    """
    with path.open("rb") as file:
        head = file.read(_COLOURS_AT + 1)
    if not head.startswith(_SIGNATURE) or head[_COLOURS_AT:] != bytes([_PALETTE]):
        return None
    with Image.open(path, formats=("PNG",)) as image:
        return np.asarray(image)


def _chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data, in pieces, of each chunk that decoding needs, up to the file's end."""
    with path.open("rb") as file:
        file.seek(len(_SIGNATURE))
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            end = file.tell() + length
            while kind in (b"IHDR", b"IDAT") and file.tell() < end:
                body = file.read(min(_PIECE_BYTES, end - file.tell()))
                if not body:
                    return
                yield kind, body
            file.seek(end + 4)  # after its checksum, which the decoder looks at


def _bytes_of_scanlines(header: bytes) -> int:
    """Return how many bytes all scanlines take, with the filter that stands before each."""
    width, height, depth, colours, _, _, interlace = struct.unpack(">IIBBBBB", header)
    bits = depth * _SAMPLES[colours]
    total = 0
    for left, top, across, down in ADAM7 if interlace else _ONE_PASS:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * bits // 8))
    return total
