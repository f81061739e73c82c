"""Ordinary images as RGB arrays: whatever the file holds, on white, the right way up."""

import os
import struct
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageOps, UnidentifiedImageError

from seg_core.errors import SlideError
from seg_core.slide.pyramid import plausible_mpp

# An image is held in memory: 0.8 GB as RGB. Larger ones are Pillow's "decompression bombs".
# Pillow itself would only warn, up to twice the limit.
_MAX_IMAGE_PX = 2**28
Image.MAX_IMAGE_PIXELS = _MAX_IMAGE_PX
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

# What Pillow raises on a damaged file, by format.
_BROKEN_IMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error)

# How a directory of a TIFF is written, by the file's first bytes (little or big endian, classic or
# BigTIFF): its number of entries, bytes of an entry, where the next directory begins.
_TIFF_LAYOUTS = {
    b"II*\0": ("<H", 12, "<I"),
    b"MM\0*": (">H", 12, ">I"),
    b"II+\0": ("<Q", 20, "<Q"),
    b"MM\0+": (">Q", 20, ">Q"),
}

_UM_PER_INCH = 25_400.0
_MAX_UINT16 = 65_535


def read_image(path: Path) -> tuple[npt.NDArray[np.uint8], float | None]:
    """Read an ordinary image.

    Grey, palette, CMYK and 16-bit images are converted, what is transparent shows white, and a
    camera's orientation is followed. Of several pictures in a file the first is taken.

    Parameters
    ----------
    path : Path

    Returns
    -------
    rgb : (H, W, 3) uint8
    mpp : float or None
        Size of a pixel, µm, where the file's resolution is one a microscope can have.

    Raises
    ------
    SlideError
        If the file is no image, damaged, too large, or of a kind that has no agreed colours.
    """
    try:
        if not _is_whole(path):
            raise _damaged(path, "it ends too early")
        with Image.open(path) as image:
            if image.width * image.height > _MAX_IMAGE_PX:
                raise _too_large(path)
            mpp = _mpp_of(image)
            return np.array(_to_rgb(ImageOps.exif_transpose(image), path)), mpp
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(path) from error
    except UnidentifiedImageError as error:
        raise SlideError(
            f"{path.name} is neither a slide that OpenSlide reads nor an ordinary image; "
            "choose an SVS, NDPI, MRXS, SCN, DICOM, TIFF, PNG, JPEG or WebP file."
        ) from error
    except _BROKEN_IMAGE as error:
        raise _damaged(path, str(error)) from error


def on_background(picture: Image.Image, colour: str) -> Image.Image:
    """Return an RGB image: what is transparent shows the colour."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    lowest, _ = picture.getchannel("A").getextrema()
    if lowest == 255:
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, (*ImageColor.getrgb(colour)[:3], 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def _is_whole(path: Path) -> bool:
    """Tell whether a TIFF has all its directories; other files are not looked into.

    The chain of directories runs through the whole file, so a TIFF that was cut off breaks it,
    while its first picture, which is all that Pillow looks at, may still be there.
    """
    with path.open("rb") as file:
        layout = _TIFF_LAYOUTS.get(file.read(4))
        if layout is None:
            return True
        count_format, entry_bytes, offset_format = layout
        file.seek(struct.calcsize(offset_format))
        seen: set[int] = set()
        try:
            while (offset := _read_number(file, offset_format)) and offset not in seen:
                seen.add(offset)
                file.seek(offset)
                file.seek(_read_number(file, count_format) * entry_bytes, os.SEEK_CUR)
        except (struct.error, OSError, OverflowError):
            return False
    return True


def _read_number(file: BinaryIO, number_format: str) -> int:
    (number,) = struct.unpack(number_format, file.read(struct.calcsize(number_format)))
    return int(number)


def _mpp_of(image: Image.Image) -> float | None:
    """Return the pixel size that an image's resolution tells, None where it speaks of paper."""
    try:
        dots_x, dots_y = (float(each) for each in image.info["dpi"])
    except (KeyError, TypeError, ValueError):
        return None
    if not (dots_x > 0 and dots_y > 0):
        return None
    return plausible_mpp((_UM_PER_INCH / dots_x + _UM_PER_INCH / dots_y) / 2)


def _to_rgb(image: Image.Image, path: Path) -> Image.Image:
    """Convert any picture to RGB, 8 bit; an alpha channel goes onto white."""
    if image.mode in ("I", "I;16", "I;16L", "I;16B", "I;16N"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > _MAX_UINT16:
            raise _unknown_values(path, image.mode)
        grey = (values.astype(np.uint32) * 255 + _MAX_UINT16 // 2) // _MAX_UINT16
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.mode in ("F", "LAB", "HSV"):
        raise _unknown_values(path, image.mode)
    if image.has_transparency_data:
        return on_background(image.convert("RGBA"), "#ffffff")
    return image.convert("RGB")


def _unknown_values(path: Path, mode: str) -> SlideError:
    return SlideError(
        f"{path.name} holds pixel values of a kind that has no agreed colour (mode {mode}); "
        "save it as RGB or grey of 8 or 16 bits."
    )


def _too_large(path: Path) -> SlideError:
    return SlideError(
        f"{path.name} is an ordinary image of more than {_MAX_IMAGE_PX / 1e6:.0f} megapixels, "
        "too large to be held in memory; save it as a pyramidal, tiled TIFF."
    )


def _damaged(path: Path, reason: str) -> SlideError:
    return SlideError(
        f"{path.name} cannot be read ({reason}); "
        "the file is damaged or incomplete: copy or download it again."
    )
