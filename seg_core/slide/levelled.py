"""Reading a slide at any resolution, once a rectangle of one of its levels can be read."""

import math
from abc import ABC, abstractmethod
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.errors import RegionError, ResolutionError
from seg_core.geometry import Raster, Region, Window
from seg_core.slide.pyramid import PLAUSIBLE_MPP, best_level, resample, same_resolution
from seg_core.slide.slide import SlideInfo


class LevelledSlide(ABC):
    """What every slide does with its levels, once it can read a rectangle of one of them."""

    def __init__(self, info: SlideInfo, level_sizes: tuple[tuple[int, int], ...]) -> None:
        self.info = info
        self._level_sizes = level_sizes

    @abstractmethod
    def _read_level(self, level: int, x: int, y: int, width: int, height: int) -> Image.Image:
        """Read a rectangle that lies inside a level, in pixels of that level, as RGB."""

    def raster(self, mpp: float) -> Raster:
        """Return the grid over the slide's bounds whose pixels have about this size."""
        check_positive(mpp)
        own = self.info.mpp
        if own is None:
            why = " ".join(self.info.notes) or "it does not say how large a pixel is"
            raise ResolutionError(
                f"the pixel size of {self.info.path.name} is not known: {why.rstrip('.')}; give it "
                "with --mpp, for instance --mpp 0.25 for a 40x scan, or in the field µm per pixel "
                "of the page."
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


def check_mpp(mpp: float) -> None:
    """Refuse a pixel size that no microscope gives, as somebody has said it of a slide.

    Raises
    ------
    ResolutionError
        If so.
    """
    lowest, highest = PLAUSIBLE_MPP
    if not lowest <= mpp <= highest:
        raise ResolutionError(
            f"a pixel cannot be {mpp:g} µm large; give a number from {lowest:g} to {highest:g}, "
            "for instance 0.25 for a 40x scan."
        )


def check_positive(mpp: float) -> None:
    """Refuse what is no size of a pixel at all.

    Raises
    ------
    ResolutionError
        If it is not a number above 0.
    """
    if not (math.isfinite(mpp) and mpp > 0):
        raise ResolutionError(
            f"a pixel cannot be {mpp} µm large; give a number above 0, "
            "for instance 0.25 for a 40x scan."
        )
