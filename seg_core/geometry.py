"""Two planes and the only bridge between them.

A slide has *level-0 pixels*; the network works on a *raster*, a pixel grid of another size laid
over a region of the slide. `Region` is a rectangle of the first, `Window` of the second, and
`Raster` converts. Pixel ``i`` covers ``[i, i + 1)``, so its centre is at ``i + 0.5``; arrays are
(row, column), points and sizes (x, y) and (width, height).
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from seg_core.errors import RegionError


@dataclass(frozen=True, slots=True)
class _Rectangle:
    """Whole pixels, right and bottom edges excluded."""

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise RegionError(
                f"a region of {self.width} × {self.height} pixels is empty; "
                "give a width and a height of at least 1."
            )

    @property
    def right(self) -> int:
        """First column past the rectangle."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row past the rectangle."""
        return self.y + self.height

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    def intersection(self, other: Self) -> Self | None:
        """Return the common part of two rectangles of one plane, None where there is none."""
        x0, y0 = max(self.x, other.x), max(self.y, other.y)
        x1, y1 = min(self.right, other.right), min(self.bottom, other.bottom)
        if x1 <= x0 or y1 <= y0:
            return None
        return type(self)(x0, y0, x1 - x0, y1 - y0)

    def joined(self, other: Self) -> Self:
        """Return the smallest rectangle that holds both."""
        x0, y0 = min(self.x, other.x), min(self.y, other.y)
        x1, y1 = max(self.right, other.right), max(self.bottom, other.bottom)
        return type(self)(x0, y0, x1 - x0, y1 - y0)

    def to_json(self) -> list[int]:
        """Return x, y, width and height."""
        return [self.x, self.y, self.width, self.height]

    def contains(self, other: Self) -> bool:
        """Tell whether no pixel of the other rectangle is outside this one."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )


class Region(_Rectangle):
    """A rectangle of level-0 pixels of a slide."""

    __slots__ = ()


class Window(_Rectangle):
    """A rectangle of a raster's own pixels; may reach past its edges."""

    __slots__ = ()

    def expanded(self, margin: int) -> "Window":
        """Return the window with ``margin`` pixels more on each side."""
        return Window(
            self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin
        )

    def moved(self, dx: int, dy: int) -> "Window":
        """Return the window so many pixels further right and down."""
        return Window(self.x + dx, self.y + dy, self.width, self.height)

    def slices(self) -> tuple[slice, slice]:
        """Return (rows, columns) that cut the window out of an array of the whole raster."""
        return slice(self.y, self.bottom), slice(self.x, self.right)


@dataclass(frozen=True, slots=True)
class Raster:
    """A pixel grid laid over a region of a slide; the only bridge between the two planes.

    Attributes
    ----------
    region : Region
        What the grid covers, in level-0 pixels. Its corner is the grid's corner.
    mpp : float
        Size of a pixel of the grid, µm.
    downsample : float
        Level-0 pixels per pixel of the grid; below 1 the slide is enlarged.

    Examples
    --------
    >>> raster = Raster(Region(100, 0, 400, 200), mpp=0.5, downsample=2.0)
    >>> raster.width, raster.height
    (200, 100)
    >>> raster.to_level0(np.array([[0.5, 0.5]]))
    array([[101.,   1.]])
    """

    region: Region
    mpp: float
    downsample: float

    def __post_init__(self) -> None:
        if not (self.mpp > 0 and self.downsample > 0):
            raise RegionError(
                f"a raster of {self.mpp} µm/px at downsample {self.downsample} cannot be; "
                "both must be greater than 0."
            )

    @property
    def width(self) -> int:
        """Columns; the last one may reach past the region by a part of a pixel."""
        return _pixels(self.region.width, self.downsample)

    @property
    def height(self) -> int:
        """Rows; the last one may reach past the region by a part of a pixel."""
        return _pixels(self.region.height, self.downsample)

    @property
    def slide_mpp(self) -> float:
        """Size of a level-0 pixel of the slide, µm."""
        return self.mpp / self.downsample

    @property
    def window(self) -> Window:
        """The whole grid."""
        return Window(0, 0, self.width, self.height)

    def to_level0(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Convert points of the grid to level-0 pixels.

        Parameters
        ----------
        points : (N, 2) float
            (x, y), grid pixels.

        Returns
        -------
        points : (N, 2) float64
            (x, y), level-0 pixels of the slide.
        """
        corner = np.array([self.region.x, self.region.y], dtype=np.float64)
        return np.asarray(points, dtype=np.float64) * self.downsample + corner

    def from_level0(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Convert points in level-0 pixels to the grid; the inverse of `to_level0`."""
        corner = np.array([self.region.x, self.region.y], dtype=np.float64)
        return (np.asarray(points, dtype=np.float64) - corner) / self.downsample

    def window_of(self, region: Region) -> Window:
        """Return the smallest window of the grid that covers a region, cut at the grid's edges.

        Raises
        ------
        RegionError
            If the region and the grid have nothing in common.
        """
        common = self.region.intersection(region)
        if common is None:
            raise RegionError(
                f"the region {region.x},{region.y} of {region.width} × {region.height} pixels lies "
                f"outside the slide, which covers {self.region.x},{self.region.y} to "
                f"{self.region.right},{self.region.bottom}; choose one inside it."
            )
        (x0, y0), (x1, y1) = self.from_level0([[common.x, common.y], [common.right, common.bottom]])
        left, top = math.floor(x0 + _EPSILON), math.floor(y0 + _EPSILON)
        right = min(max(math.ceil(x1 - _EPSILON), left + 1), self.width)
        bottom = min(max(math.ceil(y1 - _EPSILON), top + 1), self.height)
        return Window(left, top, right - left, bottom - top)

    def region_of(self, window: Window) -> Region:
        """Return the smallest region of whole level-0 pixels that covers a window of the grid."""
        (x0, y0), (x1, y1) = self.to_level0([[window.x, window.y], [window.right, window.bottom]])
        left, top = math.floor(x0 + _EPSILON), math.floor(y0 + _EPSILON)
        return Region(left, top, math.ceil(x1 - _EPSILON) - left, math.ceil(y1 - _EPSILON) - top)

    def to_json(self) -> dict[str, Any]:
        """Return the raster as it stands in ``run.json``."""
        return {
            "region": self.region.to_json(),
            "mpp": self.mpp,
            "downsample": self.downsample,
        }

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> "Raster":
        """Read what `to_json` gave."""
        return cls(Region(*entries["region"]), entries["mpp"], entries["downsample"])


# Ratios such as 0.499 / 0.25 are not exact; a millionth of a pixel is nobody's pixel.
_EPSILON = 1e-6


def _pixels(length: int, downsample: float) -> int:
    return max(1, math.ceil(length / downsample - _EPSILON))
