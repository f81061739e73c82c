"""Open a slide and read it at any resolution; the only module that imports openslide.

Whole-slide formats are read through OpenSlide, ordinary images through Pillow; both answer as a
`Slide`. Every picture that leaves here is RGB, 8 bit, on white.
"""

import hashlib
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import openslide
from PIL import Image

from seg_core.errors import RegionError, ResolutionError, SlideError
from seg_core.geometry import Raster, Region, Window
from seg_core.slide.image import on_background, read_image
from seg_core.slide.pyramid import best_level, plausible_mpp, resample, same_resolution

SLIDE_SUFFIXES = frozenset(
    {
        *(".svs", ".tif", ".tiff", ".ndpi", ".vms", ".vmu", ".scn", ".mrxs", ".svslide", ".bif"),
        *(".czi", ".dcm", ".png", ".jpg", ".jpeg", ".webp"),
    }
)
"""Lower-case file suffixes worth listing in a folder; a slide may also have another or none."""

# Decoded parts of the files, shared by all slides: one row of tiles of a slide 125,000 px wide; an
# analysis goes back over 16,384 px of them.
_OPENSLIDE_CACHE = openslide.OpenSlideCache(128 * 1024 * 1024)

# Levels whose downsample is no whole number are read in squares of this side, see `ScannedSlide`.
_LEVEL_BLOCK_PX = 128

# From this side on an image in memory gets coarser levels of its own.
_LEVELS_FROM_PX = 2048

_FINGERPRINT_PIECE_BYTES = 64 * 1024
_MAX_NAME = 80  # a file system takes 255 bytes; the run's own files need some


@dataclass(frozen=True, slots=True)
class SlideInfo:
    """What a slide's file says of itself.

    Attributes
    ----------
    path : Path
    width, height : int
        Size at level 0, pixels.
    mpp : float or None
        Size of a level-0 pixel, µm; None where nobody has said it.
    level_downsamples : tuple of float
        Level-0 pixels per pixel of each stored level, the first 1.
    vendor : str or None
        Format family as OpenSlide names it; None for an ordinary image.
    objective_power : float or None
        Nominal magnification of the scan.
    bounds : Region
        The part that is not empty, level-0 pixels.
    """

    path: Path
    width: int
    height: int
    mpp: float | None
    level_downsamples: tuple[float, ...]
    vendor: str | None
    objective_power: float | None
    bounds: Region


class Slide(Protocol):
    """An open slide; safe to read from several threads."""

    @property
    def info(self) -> SlideInfo:
        """What the file says of itself, and what the user said."""

    def raster(self, mpp: float) -> Raster:
        """Return the grid over the slide's bounds whose pixels have about this size.

        Within 5 % of the slide's own pixel size it is the slide's own grid, unresampled.

        Raises
        ------
        ResolutionError
            If the slide's own pixel size is not known, or the one wanted is not positive.
        """

    def read(self, raster: Raster, window: Window) -> npt.NDArray[np.uint8]:
        """Read a window of a raster.

        A pixel of the raster has the same value in whatever window it is asked for.

        Parameters
        ----------
        raster : Raster
            Grid over a part of this slide.
        window : Window
            Must lie inside the raster.

        Returns
        -------
        rgb : (H, W, 3) uint8

        Raises
        ------
        RegionError
            If the window reaches past the raster.
        SlideError
            If the file is damaged there.
        """

    def read_level0(self, region: Region, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """Read a region inside the slide, resampled to a size in pixels.

        Parameters
        ----------
        region : Region
        size : (int, int)
            Width and height of the answer.

        Returns
        -------
        rgb : (height, width, 3) uint8

        Raises
        ------
        RegionError
            If the region reaches past the slide, or the size is empty.
        SlideError
            If the file is damaged there.
        """

    def thumbnail(self, max_side_px: int) -> npt.NDArray[np.uint8]:
        """Read the slide's bounds so that the longer side has at most this many pixels."""

    def associated_images(self) -> dict[str, Image.Image]:
        """Return label, macro and other pictures stored beside the slide, RGB, by name."""

    def close(self) -> None:
        """Let go of the file; nothing can be read afterwards."""


def open_slide(path: Path, *, mpp: float | None = None) -> Slide:
    """Open a whole-slide image or an ordinary image.

    Parameters
    ----------
    path : Path
        Any file that OpenSlide or Pillow reads; of a DICOM slide any of its files.
    mpp : float, optional
        Size of a level-0 pixel, µm, as the user says; it wins over the file's.

    Returns
    -------
    slide : Slide

    Raises
    ------
    SlideError
        If there is no such file or it is neither slide nor image.
    ResolutionError
        If ``mpp`` is not a positive number.
    """
    path = Path(path)
    if mpp is not None:
        _check_mpp(mpp)
    if path.is_dir():
        raise SlideError(f"{path.name} is a folder; choose one of the slide files in it.")
    if not path.exists():
        raise SlideError(f"there is no file {path}; check its name and place.")
    if path.stat().st_size == 0:
        raise SlideError(f"{path.name} is empty (0 bytes); copy or download it again.")
    vendor = openslide.OpenSlide.detect_format(path)
    try:
        handle = openslide.OpenSlide(path)
    except openslide.OpenSlideError as error:
        if vendor not in (None, "generic-tiff"):
            raise SlideError(
                f"{path.name} cannot be opened ({error}); "
                "the file is damaged or incomplete: copy or download it again."
            ) from error
        array, own_mpp = read_image(path)
        return ArraySlide(array, own_mpp if mpp is None else mpp, path)
    handle.set_cache(_OPENSLIDE_CACHE)
    return ScannedSlide(handle, path, mpp=mpp)


def slide_id(path: Path) -> str:
    """Return a name for a slide's content that can be a folder's name.

    Parameters
    ----------
    path : Path
        The slide's file. The companion folder of a MIRAX slide counts too; a DICOM slide has
        the same id by whichever of its files it is named, and is called after their folder.

    Returns
    -------
    slide_id : str
        The file's stem, letters, digits, dots, hyphens and underscores only, and 12 hex digits
        of a fingerprint of the content: renaming the file changes the first part alone.

    Raises
    ------
    SlideError
        If the file cannot be read.
    """
    path = Path(path)
    try:
        if _is_dicom(path):
            return _safe_name(path.resolve().parent.name) + "-" + _fingerprint_of_dicom(path)
        companions = []
        if path.suffix.lower() == ".mrxs":
            companions = sorted(each for each in path.with_suffix("").glob("*") if each.is_file())
        return _safe_name(path.stem) + "-" + _fingerprint([path, *companions])
    except OSError as error:
        raise SlideError(
            f"{path.name} cannot be read ({error.strerror}); check its name and your permissions."
        ) from error


class _LevelledSlide(ABC):
    """What every slide does with its levels, once it can read a rectangle of one of them."""

    def __init__(self, info: SlideInfo, level_sizes: tuple[tuple[int, int], ...]) -> None:
        self.info = info
        self._level_sizes = level_sizes

    @abstractmethod
    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> Image.Image:
        """Read a rectangle that lies inside a level, in pixels of that level, as RGB."""

    def raster(self, mpp: float) -> Raster:
        """Return the grid over the slide's bounds whose pixels have about this size."""
        _check_mpp(mpp)
        own = self.info.mpp
        if own is None:
            raise ResolutionError(
                f"{self.info.path.name} does not say how large a pixel is; give it with --mpp, "
                "for instance --mpp 0.25 for a 40x scan, or in the field µm per pixel of the page."
            )
        if same_resolution(mpp, own):
            return Raster(self.info.bounds, own, 1.0)
        return Raster(self.info.bounds, mpp, mpp / own)

    def read(self, raster: Raster, window: Window) -> npt.NDArray[np.uint8]:
        """Read a window of a raster."""
        if not raster.window.contains(window):
            raise RegionError(
                f"the window {window.x},{window.y} of {window.width} × {window.height} pixels "
                f"reaches past its raster of {raster.width} × {raster.height}; "
                "cut it at the raster's edges."
            )
        step = raster.downsample
        corner = (raster.region.x + window.x * step, raster.region.y + window.y * step)
        return self._resample(corner, (step, step), (window.width, window.height))

    def read_level0(self, region: Region, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """Read a region inside the slide, resampled to a size in pixels."""
        if not Region(0, 0, self.info.width, self.info.height).contains(region):
            raise RegionError(
                f"the region {region.x},{region.y} of {region.width} × {region.height} pixels "
                f"reaches past the slide of {self.info.width} × {self.info.height}; "
                "choose one inside it."
            )
        if min(size) < 1:
            raise RegionError(
                f"a picture of {size[0]} × {size[1]} pixels is empty; ask for at least 1 × 1."
            )
        step = (region.width / size[0], region.height / size[1])
        return self._resample((region.x, region.y), step, size)

    def thumbnail(self, max_side_px: int) -> npt.NDArray[np.uint8]:
        """Read the slide's bounds so that the longer side has at most this many pixels."""
        bounds = self.info.bounds
        scale = min(1.0, max_side_px / max(bounds.width, bounds.height))
        size = (max(1, round(bounds.width * scale)), max(1, round(bounds.height * scale)))
        return self.read_level0(bounds, size)

    def _resample(
        self, corner: tuple[float, float], step: tuple[float, float], size: tuple[int, int]
    ) -> npt.NDArray[np.uint8]:
        level = best_level(self.info.level_downsamples, min(step))
        downsample = self.info.level_downsamples[level]
        return resample(
            partial(self._read_level, level),
            self._level_sizes[level],
            (corner[0] / downsample, corner[1] / downsample),
            (step[0] / downsample, step[1] / downsample),
            size,
        )


class ScannedSlide(_LevelledSlide):
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
    """

    def __init__(
        self, handle: openslide.OpenSlide, path: Path, *, mpp: float | None = None
    ) -> None:
        properties = handle.properties
        width, height = handle.dimensions
        info = SlideInfo(
            path=path,
            width=width,
            height=height,
            mpp=mpp or _mpp_of_properties(properties),
            level_downsamples=tuple(handle.level_downsamples),
            vendor=properties.get(openslide.PROPERTY_NAME_VENDOR),
            objective_power=_number(properties, openslide.PROPERTY_NAME_OBJECTIVE_POWER),
            bounds=_bounds_of_properties(properties, width, height),
        )
        super().__init__(info, tuple(handle.level_dimensions))
        self._handle = handle
        self._background = _background_of_properties(properties)

    def associated_images(self) -> dict[str, Image.Image]:
        """Return label, macro and other pictures stored beside the slide, RGB, by name."""
        try:
            pictures = dict(self._handle.associated_images)
        except openslide.OpenSlideError as error:
            raise self._damaged(error) from error
        return {name: on_background(each, "#ffffff") for name, each in pictures.items()}

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
            f"{self.info.path.name} cannot be read ({error}); "
            "the file is damaged or incomplete: copy or download it again, then reopen it."
        )


class ArraySlide(_LevelledSlide):
    """A slide that is an image in memory.

    Parameters
    ----------
    array : (H, W, 3) uint8
        RGB; not copied.
    mpp : float, optional
        Size of a pixel, µm.
    path : Path
        Where the image comes from, or a name for it.

    Examples
    --------
    >>> slide = ArraySlide(np.full((40, 60, 3), 255, dtype=np.uint8), mpp=0.5)
    >>> slide.raster(0.25).width
    120
    >>> slide.read(slide.raster(0.25), Window(0, 0, 2, 1)).tolist()
    [[[255, 255, 255], [255, 255, 255]]]
    """

    def __init__(
        self,
        array: npt.NDArray[np.uint8],
        mpp: float | None = None,
        path: Path = Path("array"),
    ) -> None:
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
            raise SlideError(
                f"{path.name} is an array of shape {array.shape} and type {array.dtype}; "
                "give (height, width, 3) bytes, RGB."
            )
        if mpp is not None:
            _check_mpp(mpp)
        height, width = array.shape[:2]
        self._levels = _halved(array)
        info = SlideInfo(
            path=path,
            width=width,
            height=height,
            mpp=mpp,
            level_downsamples=tuple(2.0**level for level in range(len(self._levels))),
            vendor=None,
            objective_power=None,
            bounds=Region(0, 0, width, height),
        )
        super().__init__(info, tuple((each.shape[1], each.shape[0]) for each in self._levels))

    def associated_images(self) -> dict[str, Image.Image]:
        """Return nothing: an image has no label and no macro."""
        return {}

    def close(self) -> None:
        """Do nothing: memory goes with the last reference."""

    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> Image.Image:
        return Image.fromarray(self._levels[level][y : y + height, x : x + width])


def _check_mpp(mpp: float) -> None:
    if not (math.isfinite(mpp) and mpp > 0):
        raise ResolutionError(
            f"a pixel cannot be {mpp} µm large; give a number above 0, "
            "for instance 0.25 for a 40x scan."
        )


def _number(properties: Mapping[str, str], name: str) -> float | None:
    try:
        value = float(properties[name])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) and value > 0 else None


def _mpp_of_properties(properties: Mapping[str, str]) -> float | None:
    mpp_x = _number(properties, openslide.PROPERTY_NAME_MPP_X)
    mpp_y = _number(properties, openslide.PROPERTY_NAME_MPP_Y)
    if mpp_x is None or mpp_y is None:
        return None
    return plausible_mpp((mpp_x + mpp_y) / 2)


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


def _halved(array: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.uint8]]:
    """Return the image and, where it is large, coarser levels, each half the one before."""
    levels = [array]
    while max(levels[-1].shape[:2]) > _LEVELS_FROM_PX:
        levels.append(np.asarray(Image.fromarray(levels[-1]).reduce(2)))
    return levels


def _safe_name(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._")[:_MAX_NAME] or "slide"


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _fingerprint_of_dicom(path: Path) -> str:
    """Return the fingerprint of a slide of several files: OpenSlide's own for the series."""
    try:
        with openslide.OpenSlide(path) as handle:
            series = handle.properties.get(openslide.PROPERTY_NAME_QUICKHASH1)
    except openslide.OpenSlideError:
        series = None
    if series is None:
        return _fingerprint([path])
    return hashlib.blake2b(series.encode(), digest_size=6).hexdigest()


def _fingerprint(paths: list[Path]) -> str:
    """Hash sizes and the heads, middles and tails of files: whole slides are gigabytes."""
    digest = hashlib.blake2b(digest_size=6)
    for path in paths:
        size = path.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with path.open("rb") as file:
            for start in (0, size // 2, max(0, size - _FINGERPRINT_PIECE_BYTES)):
                file.seek(start)
                digest.update(file.read(_FINGERPRINT_PIECE_BYTES))
    return digest.hexdigest()
