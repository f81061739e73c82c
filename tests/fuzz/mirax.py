"""The smallest MIRAX slide: two by two pictures on two levels."""

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image

_SIDE, _COUNT = 64, 2
_VERSION, _ID = "01.02", "ABCDEF"

_LEVEL = """
[LAYER_0_LEVEL_{level}_SECTION]
OVERLAP_X = 0
OVERLAP_Y = 0
MICROMETER_PER_PIXEL_X = {mpp}
MICROMETER_PER_PIXEL_Y = {mpp}
IMAGE_FILL_COLOR_BGR = 16777215
DIGITIZER_WIDTH = {side}
DIGITIZER_HEIGHT = {side}
IMAGE_CONCAT_FACTOR = {factor}
IMAGE_FORMAT = JPEG
"""


def write_mirax(path: Path) -> Path:
    """Write a slide of 128 pixels a side, and return its path."""
    folder = path.with_suffix("")
    folder.mkdir()
    noise = np.random.default_rng(2).integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, format="JPEG")
    picture = io.BytesIO()
    Image.fromarray(noise).save(picture, format="JPEG")
    (folder / "Data0000.dat").write_bytes(picture.getvalue())
    (folder / "Index.dat").write_bytes(_index(len(picture.getvalue())))
    (folder / "Slidedat.ini").write_text(_facts(), "utf-8")
    return path


def _facts() -> str:
    names = "".join(
        f"HIER_0_VAL_{level}_SECTION = LAYER_0_LEVEL_{level}_SECTION\n" for level in (0, 1)
    )
    head = (
        f"[GENERAL]\nSLIDE_VERSION = {_VERSION}\nSLIDE_ID = {_ID}\nIMAGENUMBER_X = {_COUNT}\n"
        f"IMAGENUMBER_Y = {_COUNT}\nOBJECTIVE_MAGNIFICATION = 20\nCameraImageDivisionsPerSide = 1\n\n"
        "[HIERARCHICAL]\nHIER_COUNT = 1\nNONHIER_COUNT = 0\nINDEXFILE = Index.dat\n"
        f"HIER_0_NAME = Slide zoom level\nHIER_0_COUNT = 2\n{names}\n"
        "[DATAFILE]\nFILE_COUNT = 1\nFILE_0 = Data0000.dat\n"
    )
    return head + "".join(
        _LEVEL.format(level=level, mpp=0.5 * (level + 1), side=_SIDE, factor=level)
        for level in (0, 1)
    )


def _index(length: int) -> bytes:
    head = (_VERSION + _ID).encode()
    pointers = len(head) + 8  # behind the pointers to the levels and to what is no level
    pages = (
        [y * _COUNT + x for y in range(_COUNT) for x in range(_COUNT)],
        [0],  # a picture of the second level covers two by two of the first
    )
    at = pointers + 4 * len(pages)
    heads, body = [], b""
    for numbers in pages:
        heads.append(at + len(body))
        page = at + len(body) + 8
        body += struct.pack("<ii", 0, page) + struct.pack("<ii", len(numbers), 0)
        for number in numbers:
            body += struct.pack("<iiii", number, 0, length, 0)
    return head + struct.pack("<ii", pointers, 0) + struct.pack(f"<{len(heads)}i", *heads) + body
