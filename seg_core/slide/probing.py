"""What the confined process does: try all that a slide's file will be asked, and decode images."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import openslide
import PIL.JpegImagePlugin
import PIL.PngImagePlugin
import PIL.WebPImagePlugin  # noqa: F401 - imported before the fork, as are the two above
from PIL import Image

from seg_core.errors import SlideError, told_by
from seg_core.slide.companions import size_of
from seg_core.slide.deep_image import is_deep, read_deep
from seg_core.slide.dicom import frames_are_in_place
from seg_core.slide.formats import DICOM, TIFF, SlideFormat, format_of
from seg_core.slide.image import read_image
from seg_core.slide.jpeg import DAMAGED_NOTE, is_damaged
from seg_core.slide.listing import files_of_series
from seg_core.slide.picture import MOST_ASSOCIATED_PX, Picture, check_density, damaged
from seg_core.slide.tiff import TiffFacts, describe_tiff, read_tiff

# Our own limit comes first, see `picture.check_size`; Pillow would only warn, up to twice its own.
Image.MAX_IMAGE_PIXELS = None

# Of a level, what is read to see whether it can be.
_SPOT_PX = 512

# A tile is decoded whole, by each thread that reads: 256 MB. Scanners write 240 to 4,096 a side, and
# some of Hamamatsu's coarse levels are one tile.
_MOST_TILE_PX = 1 << 26

# A level that is that small is what thumbnails are made of, and read whole.
_WHOLE_LEVEL_PX = 2048 * 2048


def probe(path: str) -> tuple[dict[str, Any], bytes | memoryview]:
    """Tell how a file is to be opened; of an image, give its pixels.

    Parameters
    ----------
    path : str

    Returns
    -------
    facts : dict
        ``reader``: *openslide* or *array*; ``mpp``, ``notes``; of an array its ``shape``, of a
        slide of OpenSlide ``metadata``, a digest of all that is known of it.
    pixels : bytes
        RGB, of an array.

    Raises
    ------
    SlideError
        If it cannot be opened.
    """
    file = Path(path)
    kind = format_of(file)
    described = describe_tiff(file) if kind is TIFF else None
    if kind.vendors:
        facts = _probe_slide(file, kind, described)
        if facts is not None:
            return facts, b""
    if described is not None:
        picture = read_tiff(file, described)
    elif is_deep(file, kind):
        picture = read_deep(file, kind)
    elif kind.pillow is not None:
        picture = read_image(file, kind.pillow)
        if kind.pillow == "JPEG" and is_damaged(file):
            picture = replace(picture, notes=(*picture.notes, DAMAGED_NOTE))
    else:
        raise damaged(file, f"it begins like a {kind.name} file but is none")
    return _facts_of(picture), picture.rgb.data


def _facts_of(picture: Picture) -> dict[str, Any]:
    shape = list(picture.rgb.shape[:2])
    return {"reader": "array", "shape": shape, "mpp": picture.mpp, "notes": list(picture.notes)}


def _probe_slide(
    path: Path, kind: SlideFormat, described: TiffFacts | None
) -> dict[str, Any] | None:
    """Return what a slide of OpenSlide is; None where a TIFF is better read as an image."""
    vendor = openslide.OpenSlide.detect_format(path)
    if vendor is not None and vendor not in kind.vendors:
        raise SlideError(
            f"{path.name} is a slide of {vendor} by its content, which its name does not say; "
            "rename it if that is what it is."
        )
    if vendor is None or (vendor == "generic-tiff" and described and described.unlike_openslide):
        return None
    try:
        with openslide.OpenSlide(path) as handle:
            _check_declared(path, kind, handle)
            if kind is DICOM:
                _check_frames(path)
            width, height = handle.dimensions
            metadata = _digest_of(handle)
            _try_levels(handle)
    except openslide.OpenSlideError as error:
        if vendor == "generic-tiff":
            return None
        raise SlideError(
            f"{path.name} cannot be opened ({told_by(error)}); "
            "the file is damaged or incomplete: copy or download it again."
        ) from error
    facts: dict[str, Any] = {
        "reader": "openslide",
        "described": False,
        "mpp": None,
        "notes": [],
        "metadata": metadata,
    }
    if described is not None and vendor == "generic-tiff":
        if math.prod(described.largest) > width * height:
            return None  # a reduced picture comes first
        facts |= {"described": True, "mpp": described.mpp, "notes": list(described.notes)}
    return facts


def _check_declared(path: Path, kind: SlideFormat, handle: openslide.OpenSlide) -> None:
    """Refuse what no reader could hold: sizes that the bytes contradict, and giant pictures."""
    for level in range(handle.level_count):
        sides = [
            int(handle.properties.get(f"openslide.level[{level}].tile-{side}", 0))
            for side in ("width", "height")
        ]
        if math.prod(sides) > _MOST_TILE_PX:
            raise SlideError(
                f"{path.name} stores tiles of {sides[0]:,} × {sides[1]:,} pixels, which take too "
                "much memory; save it with tiles of 256 to 1,024 pixels."
            )
    check_density(path, *handle.dimensions, size=size_of(path, kind))


def _check_frames(path: Path) -> None:
    """Refuse a DICOM slide with a frame that does not begin where its file says."""
    for each in files_of_series(path):
        with each.open("rb") as file:
            if not frames_are_in_place(file):
                raise damaged(path, "a frame of it does not begin where its table says")


def _try_levels(handle: openslide.OpenSlide) -> None:
    """Read a little of each level: what makes OpenSlide end the process must do so here.

    That a part cannot be decoded is told when it is asked; the rest of the slide may be sound.
    """
    try:
        for level, (width, height) in enumerate(handle.level_dimensions):
            downsample = handle.level_downsamples[level]
            whole = width * height <= _WHOLE_LEVEL_PX
            for share in (0.0,) if whole else (0.0, 0.5, 1.0):
                size = (width, height) if whole else (min(_SPOT_PX, width), min(_SPOT_PX, height))
                x, y = share * (width - size[0]), share * (height - size[1])
                handle.read_region((round(x * downsample), round(y * downsample)), level, size)
        for name in handle.associated_images:
            width = int(handle.properties.get(f"openslide.associated.{name}.width", 0))
            height = int(handle.properties.get(f"openslide.associated.{name}.height", 0))
            if width * height <= MOST_ASSOCIATED_PX:
                _ = handle.associated_images[name]
    except (openslide.OpenSlideError, KeyError, ValueError):
        return


def _digest_of(handle: openslide.OpenSlide) -> str:
    known = (sorted(handle.properties.items()), handle.level_dimensions)
    return hashlib.blake2b(repr(known).encode(), digest_size=16).hexdigest()
