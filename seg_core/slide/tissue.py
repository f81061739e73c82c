"""Where the slide holds tissue and where only glass.

Both stains of H&E absorb green more than one of the other colours: haematoxylin lets blue through,
eosin red. Glass, whatever its brightness, absorbs all colours alike. So tissue is what absorbs
green in excess, or absorbs much of everything (pigment, folds, unstained debris), each by a fixed
amount of optical density. The thresholds are absolute: a picture without any glass is all tissue
and an empty slide has none, where a histogram method such as Otsu's would split both in two.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.errors import RegionError
from seg_core.geometry import Raster, Region, Window
from seg_core.roi import Roi, roi_of_region
from seg_core.slide.pen import is_ink, pen_marks
from seg_core.slide.slide import Slide
from seg_core.slide.stain import optical_density

# Pale stroma has 0.03 and more; tinted glass of the scanners tried has 0.01 at most.
_MIN_GREEN_EXCESS = 0.02

# Grey glass of the darkest scanners has 0.11 (200 of 255).
_MIN_DENSITY = 0.15

# Gaps between fibres of loose stroma.
_CLOSING_RADIUS_UM = 12.0

# A smaller hole belongs to the tissue around it: a capillary, a gland's lumen, a fat cell.
_MIN_HOLE_UM2 = 2000.0

# Rows whose colours are in memory at once; only masks are kept of the whole slide.
_BAND_PX = 256

_OPENCV_SHIFT = 4  # OpenCV draws on sixteenths of a pixel


@dataclass(frozen=True)
class TissueMask:
    """Tissue of a slide at low resolution.

    Attributes
    ----------
    raster : Raster
        Grid of the mask, over the slide's bounds.
    mask : (H, W) bool
        True on tissue.
    """

    raster: Raster
    mask: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.mask.shape != (self.raster.height, self.raster.width):
            raise RegionError(
                f"a mask of shape {self.mask.shape} does not fit a raster of "
                f"{self.raster.width} × {self.raster.height} pixels."
            )

    def touches(self, raster: Raster, window: Window) -> bool:
        """Tell whether there is any tissue in a window of another raster of the same slide.

        The window may reach past its raster; a window wholly outside the slide touches nothing.
        """
        region = raster.region_of(window).intersection(self.raster.region)
        if region is None:
            return False
        return bool(self.mask[self.raster.window_of(region).slices()].any())

    def area_um2(self, roi: Roi | Region | None = None) -> float:
        """Return the area of tissue inside a ROI or region, by default of the whole slide.

        Pixels of the mask that the outline cuts count by the part inside.
        """
        if roi is None:
            roi = self.raster.region
        polygon = (roi_of_region(roi) if isinstance(roi, Region) else roi).polygon
        return float(self.coverage(polygon).sum() * self.raster.mpp**2)

    def coverage(self, polygon: shapely.Geometry) -> npt.NDArray[np.float64]:
        """Return which share of each pixel of the mask is tissue inside a polygon.

        Parameters
        ----------
        polygon : shapely.Polygon or shapely.MultiPolygon
            Level-0 pixels; what reaches past the slide is cut off.

        Returns
        -------
        coverage : (H, W) float64
            0 to 1.
        """
        polygon = polygon.intersection(roi_of_region(self.raster.region).polygon)
        if polygon.area == 0:
            return np.zeros(self.mask.shape)
        return _covered_pixels(polygon, self.raster, self.mask)


def find_tissue(slide: Slide, mpp: float = 8.0, *, keep_pen: bool = False) -> TissueMask:
    """Find the tissue of a slide.

    Parameters
    ----------
    slide : Slide
    mpp : float
        Resolution of the mask, µm.
    keep_pen : bool
        Whether pen marks, which hide the tissue under them, count as tissue.

    Returns
    -------
    tissue : TissueMask

    Raises
    ------
    ResolutionError
        If the slide's own pixel size is not known.

    Examples
    --------
    >>> from seg_core.slide.array import ArraySlide
    >>> picture = np.full((64, 128, 3), 245, dtype=np.uint8)
    >>> picture[:, :64] = (220, 160, 200)
    >>> find_tissue(ArraySlide(picture, mpp=4.0)).area_um2() == 64 * 64 * 4.0**2
    True
    """
    return find_tissue_and_pen(slide, mpp, keep_pen=keep_pen)[0]


def find_tissue_and_pen(
    slide: Slide, mpp: float = 8.0, *, keep_pen: bool = False
) -> tuple[TissueMask, npt.NDArray[np.bool_]]:
    """Find the tissue of a slide and, apart from it, the pen marks on it and on the glass.

    Parameters as of `find_tissue`.

    Returns
    -------
    tissue : TissueMask
        Without the pen marks.
    pen : (H, W) bool
        On the same raster, see `seg_core.slide.pen`; empty where pen marks count as tissue.
    """
    raster = slide.raster(mpp)
    tissue, ink = np.zeros((2, raster.height, raster.width), dtype=np.bool_)
    for top in range(0, raster.height, _BAND_PX):
        band = Window(0, top, raster.width, min(_BAND_PX, raster.height - top))
        rgb = slide.read(raster, band)
        tissue[band.slices()] = absorbs(rgb)
        if not keep_pen:
            ink[band.slices()] = is_ink(rgb)
    pen = pen_marks(ink, raster.mpp)
    mask = _fill_small_holes(_close_gaps(tissue & ~pen, raster.mpp), raster.mpp)
    return TissueMask(raster, mask & ~pen), pen


def absorbs(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Tell of each pixel whether it is too dark, or too coloured, to be glass.

    Parameters
    ----------
    rgb : (H, W, 3) uint8

    Returns
    -------
    (H, W) bool
    """
    red, green, blue = np.moveaxis(optical_density(rgb), -1, 0)
    return (green - np.minimum(red, blue) >= _MIN_GREEN_EXCESS) | (green >= _MIN_DENSITY)


def _close_gaps(mask: npt.NDArray[np.bool_], mpp: float) -> npt.NDArray[np.bool_]:
    side = 2 * round(_CLOSING_RADIUS_UM / mpp) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc) > 0


def _fill_small_holes(mask: npt.NDArray[np.bool_], mpp: float) -> npt.NDArray[np.bool_]:
    if not mask.any():
        return mask
    holes = (~mask).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(holes, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] * mpp**2 < _MIN_HOLE_UM2
    return mask | small[labels]


def _covered_pixels(
    polygon: shapely.Geometry, raster: Raster, mask: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return how much of each pixel of a mask a polygon in level-0 pixels covers.

    Only pixels near the outline are intersected one by one; a whole slide has millions.
    """
    polygon = shapely.transform(polygon, raster.from_level0)
    outline = np.zeros(mask.shape, dtype=np.uint8)
    filled = np.zeros(mask.shape, dtype=np.uint8)
    rings = [_opencv_points(ring) for ring in shapely.get_rings(shapely.get_parts(polygon))]
    cv2.fillPoly(filled, rings, 1, shift=_OPENCV_SHIFT)
    cv2.polylines(outline, rings, isClosed=True, color=1, thickness=3, shift=_OPENCV_SHIFT)
    covered = (mask & (filled > 0) & (outline == 0)).astype(np.float64)
    rows, columns = np.nonzero(mask & (outline > 0))
    cut = shapely.intersection(shapely.box(columns, rows, columns + 1, rows + 1), polygon)
    covered[rows, columns] = shapely.area(cut)
    return covered


def _opencv_points(ring: shapely.LinearRing) -> npt.NDArray[np.int32]:
    """Return a ring in OpenCV's frame, where a pixel's centre is a whole number."""
    points = shapely.get_coordinates(ring) - 0.5
    return np.round(points * (1 << _OPENCV_SHIFT)).astype(np.int32)
