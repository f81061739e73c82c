"""PNG and JPEG of more than 8 bits a colour, which Pillow cuts to the upper 8 or does not know.

Where a camera's 12 bits are stored in 16, the upper 8 are next to black.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.errors import SlideError
from seg_core.slide.formats import JPEG, PNG, SlideFormat
from seg_core.slide.image import mpp_of_image
from seg_core.slide.picture import (
    Picture,
    check_size,
    damaged,
    on_white,
    scaled_to_bytes,
    upright,
)

_PNG_HEAD_BYTES = 26  # the signature, and IHDR with the depth and the kind of colours
_PNG_COLOURS = (2, 4, 6)  # RGB, grey with alpha, RGB with alpha; Pillow keeps all of plain grey
_ORIENTATION = 0x0112  # of Exif

# Markers of JPEG: ITU-T T.81, table B.1. Those of frames are C0 to CF but for three.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_EXIF, _SCAN = 0xE1, 0xDA
_MOST_SEGMENTS = 10_000


def is_deep(path: Path, kind: SlideFormat) -> bool:
    """Tell whether an image has colours, or grey and alpha, of more than 8 bits."""
    if kind is PNG:
        with path.open("rb") as file:
            head = file.read(_PNG_HEAD_BYTES)
        return len(head) == _PNG_HEAD_BYTES and head[24] == 16 and head[25] in _PNG_COLOURS
    return kind is JPEG and any(
        marker in _FRAMES and body[:1] > b"\x08" for marker, body in _segments(path)
    )


def read_deep(path: Path, kind: SlideFormat) -> Picture:
    """Read such an image by the range that its values use.

    Raises
    ------
    SlideError
        If it is damaged or too large.
    """
    try:
        values, mpp, notes, orientation = (_of_png if kind is PNG else _of_jpeg)(path)
    except (SlideError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged file makes of a decoder
        raise damaged(path, error) from error
    values = values.reshape(*values.shape[:2], -1)
    samples = 3 if values.shape[2] >= 3 else 1
    scaled, bits = scaled_to_bytes(values[..., :samples])
    if bits < 16:
        notes = (*notes, f"its values use {bits} bits and are read as such.")
    rgb = np.ascontiguousarray(np.broadcast_to(scaled, (*scaled.shape[:2], 3)))
    if values.shape[2] > samples:
        rgb = on_white(rgb, (values[..., samples] >> 8).astype(np.uint8), 2)
    return Picture(np.ascontiguousarray(upright(rgb, orientation)), mpp, notes)


_Read = tuple[npt.NDArray[Any], float | None, tuple[str, ...], int]


def _of_png(path: Path) -> _Read:
    with warnings.catch_warnings(), Image.open(path, formats=("PNG",)) as image:
        warnings.simplefilter("ignore")
        check_size(path, image.width, image.height)
        mpp, notes = mpp_of_image(image)
        orientation = image.getexif().get(_ORIENTATION, 1)
    return imagecodecs.png_decode(path.read_bytes()), mpp, notes, orientation


def _of_jpeg(path: Path) -> _Read:
    orientation = 1
    for marker, body in _segments(path):
        if marker in _FRAMES:
            height, width = (int.from_bytes(body[at : at + 2], "big") for at in (1, 3))
            check_size(path, width, height)
        elif marker == _EXIF and body.startswith(b"Exif\0\0"):
            exif = Image.Exif()
            exif.load(body)
            orientation = exif.get(_ORIENTATION, 1)
    return imagecodecs.jpeg_decode(path.read_bytes()), None, (), orientation


def _segments(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the body of each segment of a JPEG, up to its first scan."""
    with path.open("rb") as file:
        file.seek(2)
        for _ in range(_MOST_SEGMENTS):
            head = file.read(4)
            if len(head) < 4 or head[0] != 0xFF or head[1] == _SCAN:
                return
            length = int.from_bytes(head[2:], "big")
            if length < 2:
                return
            yield head[1], file.read(length - 2)
