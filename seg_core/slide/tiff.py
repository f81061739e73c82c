"""TIFF files as images: every compression and kind of values, and what their descriptions say.

OpenSlide reads the whole slides among them. This reads what OpenSlide does not, or reads wrongly: a
page for each colour, more than 8 bits, a turned picture, a fourth sample without a meaning.
"""

import logging
import math
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs  # noqa: F401 - tifffile uses it, and it has to be there before the fork
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from seg_core.apart import apart
from seg_core.errors import SlideError
from seg_core.slide.picture import (
    MOST_IMAGE_PX,
    Picture,
    check_density,
    check_size,
    damaged,
    on_white,
    scaled_to_bytes,
    upright,
)
from seg_core.slide.pyramid import same_resolution, square_mpp
from seg_core.slide.tiff_description import (
    channel_names,
    colour_order,
    described_size,
    significant_bits,
)

# tifffile logs what it works around, and the person who opens the file cannot change it.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

# How the directories of a TIFF are written, by the file's first bytes (little or big endian, classic
# or BigTIFF): where the place of the first one stands, a directory's number of entries, the bytes of
# an entry, and how the place of the next directory is told.
_LAYOUTS = {
    b"II*\0": (4, "<H", 12, "<I"),
    b"MM\0*": (4, ">H", 12, ">I"),
    b"II+\0": (8, "<Q", 20, "<Q"),
    b"MM\0+": (8, ">Q", 20, ">Q"),
}

# Hamamatsu's NDPI begins as a classic TIFF does, but tells places by 64 bits, since large scans have
# their directories behind the first 4 GB. Its own tag is in each of them.
_NDPI_LAYOUT = (4, "<H", 12, "<Q")
_NDPI_TAG = 65420

# A whole slide has a dozen; a stack of microscope pictures some thousand.
_MOST_DIRECTORIES = 20_000

# Red, green, blue, what is clear, and some masks; all of them are read.
_MOST_SAMPLES = 8

_MICROMETRES = {2: 25_400.0, 3: 10_000.0}  # of TIFF's units of resolution: inch, centimetre
_MOST_UINT16 = 65_535

_Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class TiffFacts:
    """What a TIFF says of itself.

    Attributes
    ----------
    mpp : float or None
        Size of a pixel, µm, as its description or its resolution says.
    notes : tuple of str
        What must be known of how it is read.
    largest : (int, int)
        Width and height of its largest picture.
    unlike_openslide : str
        Why OpenSlide's plain reader shows it wrongly; empty where it does not.
    """

    mpp: float | None
    notes: tuple[str, ...]
    largest: tuple[int, int]
    unlike_openslide: str


def describe_tiff(path: Path) -> TiffFacts:
    """Tell what a TIFF says of itself, without its pixels.

    Raises
    ------
    SlideError
        If its directories are damaged, cut off or without end.
    """
    check_directories(path)
    try:
        with tifffile.TiffFile(path) as file:
            level = _largest_level(file)
            page = level.keyframe
            _check_tiles(path, file, page)
            mpp, notes = _size_of(file, page)
            return TiffFacts(
                mpp,
                notes,
                (page.imagewidth, page.imagelength),
                _unlike_openslide(level, page),
            )
    except (SlideError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged file makes of a reader
        raise damaged(path, error) from error


def _check_tiles(path: Path, file: tifffile.TiffFile, page: Any) -> None:
    """Refuse a picture, or a reduced one, that lists fewer tiles than its size needs.

    Where the size is damaged, readers draw what is not there, for as long as the size says.
    """
    check_density(path, page.imagewidth, page.imagelength)
    for level in (level for series in file.series for level in series.levels):
        each = level.keyframe
        needed, listed = math.prod(each.chunked), len(each.dataoffsets)
        if each.is_tiled and listed < needed:
            raise damaged(
                path,
                f"{each.imagewidth:,} × {each.imagelength:,} pixels need {needed:,} tiles, and it "
                f"lists {listed:,}",
            )


def _unlike_openslide(level: Any, page: Any) -> str:
    """Return what of a picture OpenSlide's plain reader shows wrongly."""
    sizes = dict(zip(level.axes, level.shape, strict=True))
    if _orientation_of(page) != 1:
        return "it is stored turned"
    if page.bitspersample != 8 or page.dtype != np.uint8:
        return f"its values have {page.bitspersample} bits"
    if page.samplesperpixel == 2:
        return "it is grey with another channel"
    if page.samplesperpixel > 3 and tuple(page.extrasamples) in ((), (0,)):
        return "it has a fourth channel without a meaning"
    if page.samplesperpixel == 1 and sizes.get("C", 1) > 1:
        return "each of its channels is a page of its own"
    return ""


def _check_size(path: Path, page: Any, facts: TiffFacts) -> None:
    """Refuse what cannot be held in memory; of a tiled one, tell why it would have to be."""
    if page.samplesperpixel > _MOST_SAMPLES:
        raise SlideError(
            f"{path.name} has {page.samplesperpixel:,} values a pixel, which are no red, green and "
            "blue; save the picture as RGB."
        )
    if page.is_tiled and page.imagewidth * page.imagelength > MOST_IMAGE_PX:
        check_density(path, page.imagewidth, page.imagelength)
        why = facts.unlike_openslide or f"its compression is {page.compression.name}"
        raise SlideError(
            f"{path.name} is a tiled TIFF of {page.imagewidth * page.imagelength / 1e6:.0f} "
            f"megapixels, which OpenSlide does not read part by part ({why}); save it as a pyramidal "
            "TIFF of RGB with 8 bits, upright, compressed as JPEG."
        )
    check_size(path, page.imagewidth, page.imagelength)


def read_tiff(path: Path, facts: TiffFacts) -> Picture:
    """Read the largest picture of a TIFF.

    Of a stack the first plane is taken; pages that are the channels of an OME-TIFF are put
    together.

    Parameters
    ----------
    path : Path
    facts : TiffFacts
        Those of `describe_tiff`.

    Raises
    ------
    SlideError
        If it is damaged, too large, or its values have no agreed colours.
    """
    try:
        with tifffile.TiffFile(path) as file:
            level = _largest_level(file)
            page = level.keyframe
            _check_size(path, page, facts)
            ome, sides = _ome_of(file), (page.imagewidth, page.imagelength)
            channels = channel_names(ome, sides)
            missing = _missing_pieces(path, page)
            values, several, put_together = _values_of(path, level, channels)
            rgb, notes = _to_rgb(path, page, values, significant_bits(ome, sides))
            notes = (*missing, *put_together, *notes)
            if len(file.series) > 1 or several:
                notes = (*notes, "of several pictures in the file the largest, or first, is shown.")
            turned = upright(rgb, _orientation_of(page))
            return Picture(np.ascontiguousarray(turned), facts.mpp, (*facts.notes, *notes))
    except (SlideError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged file makes of a decoder
        raise damaged(path, error) from error


def _missing_pieces(path: Path, page: Any) -> tuple[str, ...]:
    """Tell of tiles or strips that the file lists without content."""
    pieces = len(page.databytecounts)
    missing = sum(size == 0 for size in page.databytecounts)
    if not missing:
        return ()
    if missing == pieces:
        raise damaged(path, "it lists its pixels and holds none")
    what = "tiles" if page.is_tiled else "strips"
    return (f"{missing:,} of its {pieces:,} {what} are missing and shown blank.",)


def check_directories(path: Path) -> None:
    """Refuse a TIFF that lacks some of its directories.

    Their chain runs through the whole file, so a TIFF that was cut off breaks it, while its first
    picture may still be there.

    Raises
    ------
    SlideError
        If so.
    """
    with path.open("rb") as file:
        start, count_format, entry_bytes, offset_format = _layout_of(file)
        file.seek(start)
        seen: set[int] = set()
        try:
            while (offset := _read_number(file, offset_format)) and offset not in seen:
                seen.add(offset)
                if len(seen) > _MOST_DIRECTORIES:
                    raise damaged(path, f"it names more than {_MOST_DIRECTORIES} pictures")
                file.seek(offset)
                file.seek(_read_number(file, count_format) * entry_bytes, os.SEEK_CUR)
        except (struct.error, OSError, OverflowError, ValueError) as error:
            raise damaged(path, "it ends too early") from error


def _layout_of(file: BinaryIO) -> tuple[int, str, int, str]:
    layout = _LAYOUTS[file.read(4)]
    if layout == _LAYOUTS[b"II*\0"]:
        start, count_format, entry_bytes, offset_format = _NDPI_LAYOUT
        file.seek(start)
        with suppress(struct.error, OSError, OverflowError, ValueError):
            file.seek(_read_number(file, offset_format))
            entries = file.read(_read_number(file, count_format) * entry_bytes)
            tags = {entries[at : at + 2] for at in range(0, len(entries), entry_bytes)}
            if struct.pack("<H", _NDPI_TAG) in tags:
                return _NDPI_LAYOUT
    return layout


def _read_number(file: BinaryIO, number_format: str) -> int:
    (number,) = struct.unpack(number_format, file.read(struct.calcsize(number_format)))
    return int(number)


def _largest_level(file: tifffile.TiffFile) -> Any:
    """Return the first level of the series whose picture is the largest."""
    levels = [series.levels[0] for series in file.series]
    return max(levels, key=lambda each: each.keyframe.imagewidth * each.keyframe.imagelength)


def _orientation_of(page: Any) -> int:
    tag = page.tags.get("Orientation")
    return 1 if tag is None else int(tag.value)


def _ome_of(file: tifffile.TiffFile) -> str | None:
    return file.ome_metadata if file.is_ome else None


def _size_of(file: tifffile.TiffFile, page: Any) -> tuple[float | None, tuple[str, ...]]:
    """Return the size of a pixel: the description's, else the resolution's, and where both differ a note."""
    try:
        across, down = (float(each) for each in page.get_resolution())
    except (ValueError, ZeroDivisionError, TypeError):
        across = down = 0.0
    imagej = file.imagej_metadata if file.is_imagej else None
    sides = (page.imagewidth, page.imagelength)
    said, notes = described_size(_ome_of(file), imagej, (across, down), sides)
    unit = _MICROMETRES.get(int(page.resolutionunit))
    resolved = (
        None if unit is None or not (across > 0 and down > 0) else (unit / across, unit / down)
    )
    if said is None:
        return (None, notes) if notes or resolved is None else square_mpp(*resolved)
    mpp, notes = square_mpp(*said)
    other = None if resolved is None else square_mpp(*resolved)[0]
    if mpp is not None and other is not None and not same_resolution(mpp, other):
        told, differs = apart(mpp, other, places=3)
        note = f"its description says that a pixel is {told} µm, its resolution {differs} µm"
        return mpp, (f"{note}; the description was followed.",)
    return mpp, notes


def _values_of(
    path: Path, level: Any, names: Sequence[str]
) -> tuple[_Array, bool, tuple[str, ...]]:
    """Return the samples of one picture, (H, W) or (H, W, S), whether there are others, and notes."""
    page = level.keyframe
    lead_axes = level.axes[: len(level.axes) - len(page.axes)]
    lead = level.shape[: len(lead_axes)]
    channels = lead[lead_axes.index("C")] if "C" in lead_axes else 1
    if channels > 1 and page.samplesperpixel == 1:
        if channels != 3:
            raise SlideError(
                f"{path.name} has {channels} channels, which are no red, green and blue; "
                "save the picture as RGB."
            )
        order, notes = colour_order(names)
        places = [tuple(c if axis == "C" else 0 for axis in lead_axes) for c in order]
    else:
        notes = ()
        places = [(0,) * len(lead)]
    numbers = [int(np.ravel_multi_index(place, lead)) if lead else 0 for place in places]
    if max(numbers) < len(level.pages) and not level.keyframe.is_volumetric:
        planes = [np.asarray(level.pages[number].asarray(maxworkers=1)) for number in numbers]
    else:  # pages that one directory describes, as ImageJ writes stacks
        check_size(path, page.imagewidth * max(1, int(np.prod(lead))), page.imagelength)
        stack = np.asarray(level.asarray(maxworkers=1)).reshape(-1, *page.shape)
        planes = [stack[number] for number in numbers]
    if page.axes.startswith("S"):  # planes apart
        planes = [np.moveaxis(plane, 0, -1) for plane in planes]
    values = planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)
    return values, int(np.prod(lead, dtype=int)) > len(planes), notes


def _to_rgb(
    path: Path, page: Any, values: _Array, bits_said: int | None
) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    """Convert samples of any agreed kind to RGB of 8 bits, on white."""
    photometric = page.photometric.name
    is_jpeg = page.compression.name in ("JPEG", "OJPEG", "APERIO_JP2000_YCBC")
    if photometric == "PALETTE":
        colours = (np.asarray(page.colormap) >> 8).astype(np.uint8)
        return np.ascontiguousarray(colours.T[values.astype(np.intp)]), ()
    if photometric not in ("MINISBLACK", "MINISWHITE", "RGB", "SEPARATED") and not (
        photometric == "YCBCR" and is_jpeg
    ):
        raise _no_colour(path, f"colours as {photometric}")
    values, notes = _to_bytes(path, page, values, bits_said)
    if photometric == "MINISWHITE":
        values = 255 - values
    if values.ndim == 2:
        values = values[..., None]
    if photometric == "SEPARATED":
        if values.shape[-1] != 4:
            raise _no_colour(path, f"{values.shape[-1]} inks")
        cmyk = Image.fromarray(np.ascontiguousarray(values), "CMYK")
        return np.array(cmyk.convert("RGB")), notes
    samples = 3 if values.shape[-1] >= 3 else 1
    rgb = np.ascontiguousarray(np.broadcast_to(values[..., :samples], (*values.shape[:2], 3)))
    if values.shape[-1] > samples and page.extrasamples and page.extrasamples[0]:
        return on_white(rgb, values[..., samples], int(page.extrasamples[0])), notes
    return rgb, notes


def _to_bytes(
    path: Path, page: Any, values: _Array, bits_said: int | None
) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    if values.dtype == np.bool_ or page.bitspersample in (1, 2, 4):
        most = (1 << page.bitspersample) - 1
        return (values.astype(np.uint16) * 255 // most).astype(np.uint8), ()
    if values.dtype == np.uint8:
        return values, ()
    if not np.issubdtype(values.dtype, np.integer):
        raise _no_colour(path, f"values of type {values.dtype}")
    if values.min(initial=0) < 0 or values.max(initial=0) > _MOST_UINT16:
        raise _no_colour(path, f"values of {page.bitspersample} bits")
    scaled, bits = scaled_to_bytes(values, bits_said)
    if bits == 16:
        return scaled, ()
    return scaled, (f"its values use {bits} of {page.bitspersample} bits and are read as such.",)


def _no_colour(path: Path, what: str) -> SlideError:
    return SlideError(
        f"{path.name} holds {what}, which have no agreed colour; "
        "save it as RGB or grey of 8 or 16 bits."
    )
