"""Ordinary images as RGB arrays: whatever the file holds, on white, the right way up."""

import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageOps, UnidentifiedImageError

from seg_core.errors import SlideError
from seg_core.slide.picture import Picture, check_size, damaged, scaled_to_bytes
from seg_core.slide.png import check_data
from seg_core.slide.pyramid import square_mpp

_BROKEN_IMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError, KeyError)

_16_BIT_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")
_UM_PER_INCH = 25_400.0

_MAX_UINT16 = 65_535


def read_image(path: Path, pillow_format: str) -> Picture:
    """Read an ordinary image.

    Grey, palette, CMYK and 16-bit images are converted, what is transparent shows white, and a
    camera's orientation is followed.

    Parameters
    ----------
    path : Path
    pillow_format : str
        The one format that the file may be, as Pillow names it.

    Returns
    -------
    picture : Picture

    Raises
    ------
    SlideError
        If the file is no such image, damaged, too large, or of a kind that has no agreed colours.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if pillow_format == "WEBP":  # whose canvas Pillow takes from the heap to open it
                check_size(path, *_canvas_of_webp(path))
            with Image.open(path, formats=(pillow_format,)) as image:
                check_size(path, image.width, image.height)
                if pillow_format == "PNG":
                    check_data(path)
                mpp, notes = mpp_of_image(image)
                frames = getattr(image, "n_frames", 1)
                if frames > 1:
                    notes = (*notes, f"of {frames} pictures in the file the first is shown.")
                ImageOps.exif_transpose(image, in_place=True)
                return _to_rgb(image, path, mpp, notes)
    except UnidentifiedImageError as error:
        raise damaged(path, f"its beginning is not that of a {pillow_format} file") from error
    except _BROKEN_IMAGE as error:
        raise damaged(path, error) from error


def on_background(picture: Image.Image, colour: str) -> Image.Image:
    """Return an RGB image: what is transparent shows the colour."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    lowest, _ = picture.getchannel("A").getextrema()
    if lowest == 255:
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, (*ImageColor.getrgb(colour)[:3], 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def _canvas_of_webp(path: Path) -> tuple[int, int]:
    """Return width and height as a WebP's first chunk says; RFC 9649, sections 2.5 to 2.7."""
    with path.open("rb") as file:
        head = file.read(30).ljust(30, b"\0")
    if head[12:16] == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
    elif head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (int.from_bytes(head[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    return width, height


def mpp_of_image(image: Image.Image) -> tuple[float | None, tuple[str, ...]]:
    """Return the pixel size that an image's resolution tells, None where it speaks of paper."""
    try:
        dots_x, dots_y = (float(each) for each in image.info["dpi"])
    except (KeyError, TypeError, ValueError):
        return None, ()
    if not (dots_x > 0 and dots_y > 0):
        return None, ()
    return square_mpp(_UM_PER_INCH / dots_x, _UM_PER_INCH / dots_y)


def _to_rgb(image: Image.Image, path: Path, mpp: float | None, notes: tuple[str, ...]) -> Picture:
    """Convert any picture to RGB, 8 bit; an alpha channel goes onto white."""
    if image.mode in _16_BIT_MODES:
        values = np.asarray(image)
        if values.min() < 0 or values.max() > _MAX_UINT16:
            raise SlideError(
                f"{path.name} holds pixel values of a kind that has no agreed colour (mode "
                f"{image.mode}); save it as RGB or grey of 8 or 16 bits."
            )
        grey, bits = scaled_to_bytes(values)
        if bits < 16:
            notes = (*notes, f"its values use {bits} of 16 bits and are read as {bits} bits.")
        return Picture(np.repeat(grey[..., None], 3, axis=2), mpp, notes)
    if image.has_transparency_data:
        return Picture(np.array(on_background(image.convert("RGBA"), "#ffffff")), mpp, notes)
    return Picture(np.array(image.convert("RGB")), mpp, notes)
