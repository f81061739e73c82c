"""A slide that OpenSlide reads."""

import math
import re
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from ctypes import ArgumentError
from pathlib import Path

import openslide
from PIL import Image

from seg_core.errors import RegionError, SlideError, told_by
from seg_core.geometry import Region
from seg_core.slide.image import on_background
from seg_core.slide.levelled import LevelledSlide
from seg_core.slide.picture import MOST_ASSOCIATED_PX
from seg_core.slide.pyramid import square_mpp
from seg_core.slide.slide import SlideInfo

# Decoded parts of the files, shared by all slides: one row of tiles of a slide 125,000 px wide; an
# analysis goes back over 16,384 px of them.
_DECODED_BYTES = 128 * 1024 * 1024

# Levels whose downsample is no whole number are read in squares of this side, see `ScannedSlide`.
_LEVEL_BLOCK_PX = 128


class _Decoded:
    """What OpenSlide keeps of decoded parts, for all open slides."""

    def __init__(self) -> None:
        self._cache = openslide.OpenSlideCache(_DECODED_BYTES)
        self._lock = threading.Lock()
        self._handles: weakref.WeakSet[openslide.OpenSlide] = weakref.WeakSet()

    def serve(self, handle: openslide.OpenSlide) -> None:
        with self._lock:
            self._handles.add(handle)
            handle.set_cache(self._cache)

    def forget(self) -> None:
        """Begin anew: OpenSlide frees a cache with the last slide that uses it."""
        with self._lock:
            self._cache = openslide.OpenSlideCache(_DECODED_BYTES)
            for handle in list(self._handles):
                with suppress(ArgumentError, openslide.OpenSlideError):  # it has been closed
                    handle.set_cache(self._cache)


_decoded = _Decoded()


def share_decoded(handle: openslide.OpenSlide) -> None:
    """Have a slide keep its decoded parts together with all other slides."""
    _decoded.serve(handle)


def forget_decoded() -> None:
    """Give back the memory of what has been decoded of slides, up to 128 MB."""
    _decoded.forget()


class ScannedSlide(LevelledSlide):
    """A slide that OpenSlide reads.

    OpenSlide takes positions in whole level-0 pixels. On a level of downsample 4.0003 these fall
    between the level's pixels, and OpenSlide interpolates; where exactly depends on the position
    asked. Such a level is therefore read in squares of a fixed grid, so that a pixel has one value,
    at most half a level-0 pixel off.

    Parameters
    ----------
    handle : openslide.OpenSlide
        Open handle; the slide closes it.
    path : Path
    mpp : float, optional
        Size of a level-0 pixel, µm, as the user says; it wins over the file's.
    described : bool
        Whether ``described_mpp`` is what the file says, description and resolution alike, and not
        what OpenSlide reads of its resolution alone.
    described_mpp : float, optional
        Size of a level-0 pixel, µm; None where that is not understood, which ``notes`` say.
    unstated_mpp : float, optional
        The same for a file that says none.
    notes : tuple of str
        What must be known of how the file was read.
    """

    def __init__(
        self,
        handle: openslide.OpenSlide,
        path: Path,
        *,
        mpp: float | None = None,
        described: bool = False,
        described_mpp: float | None = None,
        unstated_mpp: float | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        properties = handle.properties
        width, height = handle.dimensions
        own_mpp, own_notes = (described_mpp, ()) if described else _mpp_of_properties(properties)
        info = SlideInfo(
            path=path,
            width=width,
            height=height,
            mpp=mpp or own_mpp or unstated_mpp,
            level_downsamples=tuple(handle.level_downsamples),
            vendor=properties.get(openslide.PROPERTY_NAME_VENDOR),
            objective_power=_number(properties, openslide.PROPERTY_NAME_OBJECTIVE_POWER),
            bounds=_bounds_of_properties(properties, width, height),
            notes=(*notes, *(() if mpp else own_notes)),
        )
        super().__init__(info, tuple(handle.level_dimensions))
        self._handle = handle
        self._background = _background_of_properties(properties)

    def associated_images(self) -> dict[str, Image.Image]:
        """Return label, macro and other pictures stored beside the slide, RGB, by name."""
        try:
            pictures = {
                name: self._handle.associated_images[name]
                for name in self._handle.associated_images
                if self._pixels_of(name) <= MOST_ASSOCIATED_PX
            }
        except openslide.OpenSlideError as error:
            raise self._damaged(error) from error
        return {name: on_background(each, "#ffffff") for name, each in pictures.items()}

    def _pixels_of(self, name: str) -> int:
        sides = (
            _number(self._handle.properties, f"openslide.associated.{name}.{side}") or 0
            for side in ("width", "height")
        )
        return round(math.prod(sides))

    def close(self) -> None:
        """Let go of the file; nothing can be read afterwards."""
        self._handle.close()

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> Image.Image:
        if self.info.level_downsamples[level].is_integer():
            return self._read_directly(level, x, y, width, height)
        picture = Image.new("RGB", (width, height))
        level_width, level_height = self._level_sizes[level]
        for top in range(y - y % _LEVEL_BLOCK_PX, y + height, _LEVEL_BLOCK_PX):
            for left in range(x - x % _LEVEL_BLOCK_PX, x + width, _LEVEL_BLOCK_PX):
                block_width = min(_LEVEL_BLOCK_PX, level_width - left)
                block_height = min(_LEVEL_BLOCK_PX, level_height - top)
                block = self._read_directly(level, left, top, block_width, block_height)
                picture.paste(block, (left - x, top - y))
        return picture

    def _read_directly(self, level: int, x: int, y: int, width: int, height: int) -> Image.Image:
        downsample = self.info.level_downsamples[level]
        location = (round(x * downsample), round(y * downsample))
        try:
            picture = self._handle.read_region(location, level, (width, height))
        except openslide.OpenSlideError as error:
            raise self._damaged(error) from error
        return on_background(picture, self._background)

    def _damaged(self, error: openslide.OpenSlideError) -> SlideError:
        return SlideError(
            f"{self.info.path.name} cannot be read ({told_by(error)}); "
            "the file is damaged or incomplete: copy or download it again, then reopen it."
        )


def _number(properties: Mapping[str, str], name: str) -> float | None:
    try:
        value = float(properties[name])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) and value > 0 else None


def _mpp_of_properties(properties: Mapping[str, str]) -> tuple[float | None, tuple[str, ...]]:
    mpp_x = _number(properties, openslide.PROPERTY_NAME_MPP_X)
    mpp_y = _number(properties, openslide.PROPERTY_NAME_MPP_Y)
    if mpp_x is None or mpp_y is None:
        return None, ()
    return square_mpp(mpp_x, mpp_y)


def _bounds_of_properties(properties: Mapping[str, str], width: int, height: int) -> Region:
    """Return the scanned rectangle, the whole slide where the file names none."""
    slide = Region(0, 0, width, height)
    try:
        bounds = Region(
            int(properties[openslide.PROPERTY_NAME_BOUNDS_X]),
            int(properties[openslide.PROPERTY_NAME_BOUNDS_Y]),
            int(properties[openslide.PROPERTY_NAME_BOUNDS_WIDTH]),
            int(properties[openslide.PROPERTY_NAME_BOUNDS_HEIGHT]),
        )
    except (KeyError, ValueError, RegionError):
        return slide
    return slide.intersection(bounds) or slide


def _background_of_properties(properties: Mapping[str, str]) -> str:
    """Return the colour of what was not scanned, as ``#rrggbb``."""
    colour = properties.get(openslide.PROPERTY_NAME_BACKGROUND_COLOR, "")
    return f"#{colour}" if re.fullmatch("[0-9a-fA-F]{6}", colour) else "#ffffff"
