"""What a slide is to everything that reads one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.geometry import Raster, Region, Window

_FORMAT_TITLES = {"generic-tiff": "Tiled TIFF", "dicom": "DICOM", "mirax": "MIRAX"}


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
    notes : tuple of str
        What must be known of how the file was read, a sentence each.
    """

    path: Path
    width: int
    height: int
    mpp: float | None
    level_downsamples: tuple[float, ...]
    vendor: str | None
    objective_power: float | None
    bounds: Region
    notes: tuple[str, ...] = ()

    @property
    def format_title(self) -> str:
        """The format as people call it: OpenSlide has names of its own for vendors."""
        if self.vendor is None:
            return f"Image ({self.path.suffix.lstrip('.').upper()})"
        return _FORMAT_TITLES.get(self.vendor, self.vendor.capitalize())


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
