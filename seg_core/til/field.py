"""The tissue that is assessed, on a grid of whole squares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from seg_core.errors import RegionError
from seg_core.geometry import Raster, Window
from seg_core.slide.tissue import TissueMask
from seg_core.til.masks import Mask, fill_polygons
from seg_core.til.score_settings import TilSettings
from seg_core.til.tumour import Tumour

_Floats = npt.NDArray[np.float64]

MM2_PER_UM2 = 1e-6


@dataclass(frozen=True)
class Field:
    """The tissue that is assessed, on a grid of whole squares.

    Attributes
    ----------
    raster : Raster
        The grid, anchored to the corner of the slide, never to a ROI.
    window : Window
        Part of the grid that is held: whole squares of the phenotype around what is assessed. It
        may reach past the slide, where there is no tissue.
    mask : (H, W) bool
        Tissue inside the ROIs to include and outside those to exclude, in the window.
    tumour : Tumour or None
        What a reader has drawn as tumour; then the mask lies in it.
    """

    raster: Raster
    window: Window
    mask: Mask
    tumour: Tumour | None = None

    @property
    def pixel_mm2(self) -> float:
        """Area of a pixel, mm²."""
        return self.raster.mpp**2 * MM2_PER_UM2

    def pixels_of(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return (row, column) in the window for points in level-0 pixels, (N, 2)."""
        points = self.raster.from_level0(np.stack([x, y], axis=-1).reshape(-1, 2))
        columns_rows = np.floor(points).astype(np.int64) - (self.window.x, self.window.y)
        return columns_rows[:, ::-1]

    def holds(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Mask:
        """Tell which points in level-0 pixels are in the tissue that is assessed."""
        rows, columns = self.pixels_of(x, y).T
        inside = (rows >= 0) & (columns >= 0)
        inside &= (rows < self.window.height) & (columns < self.window.width)
        held = np.zeros(len(rows), dtype=np.bool_)
        held[inside] = self.mask[rows[inside], columns[inside]]
        return held

    def square_px(self, side_um: float) -> int:
        """Return the side of a square in pixels."""
        return round(side_um / self.raster.mpp)

    def square_areas_um2(self, mask: Mask, side_um: float) -> _Floats:
        """Return the area of a mask in each square, row by row."""
        side = self.square_px(side_um)
        rows, columns = self.window.height // side, self.window.width // side
        counts = mask.reshape(rows, side, columns, side).sum(axis=(1, 3), dtype=np.int64)
        return counts.ravel() * self.raster.mpp**2

    def squares_of(
        self, x: npt.ArrayLike, y: npt.ArrayLike, side_um: float
    ) -> npt.NDArray[np.int64]:
        """Return the number of the square of each point, as `square_areas_um2` counts them."""
        side = self.square_px(side_um)
        rows, columns = self.pixels_of(x, y).T // side
        return rows * (self.window.width // side) + columns

    def square_corners(self, side_um: float) -> _Floats:
        """Return the upper left corners (x, y) of the squares, level-0 pixels, (squares, 2)."""
        side = self.square_px(side_um)
        rows, columns = np.indices((self.window.height // side, self.window.width // side))
        corners = np.stack([columns.ravel(), rows.ravel()], axis=1) * side
        return self.raster.to_level0(corners + np.array([self.window.x, self.window.y]))


def find_field(
    tissue: TissueMask,
    settings: TilSettings,
    within: shapely.Geometry | None = None,
    tumour: Tumour | None = None,
) -> Field:
    """Find the tissue that is assessed.

    Parameters
    ----------
    tissue : TissueMask
    settings : TilSettings
    within : shapely.Polygon or MultiPolygon, optional
        Level-0 pixels; by default the whole slide.
    tumour : Tumour, optional
        Only what of it is tumour.

    Raises
    ------
    RegionError
        If it lies outside the slide, the tissue or the tumour.
    """
    if tumour is not None:
        within = tumour.within(within)
    downsample = settings.grid_um / tissue.raster.slide_mpp
    raster = Raster(tissue.raster.region, settings.grid_um, downsample)
    limits = [_tissue_box(tissue)] if within is None else [within, _tissue_box(tissue)]
    window = _whole_squares(raster, limits, settings)
    mask = _resampled(tissue, raster, window)
    if within is not None:
        mask &= fill_polygons([within], raster, window)
    return Field(raster, window, mask, tumour)


def _whole_squares(
    raster: Raster, limits: Sequence[shapely.Geometry], settings: TilSettings
) -> Window:
    common = shapely.box(0, 0, raster.width, raster.height)
    for limit in limits:
        common = common.intersection(shapely.transform(limit, raster.from_level0))
    if common.area == 0:
        raise RegionError(
            "the ROI has nothing in common with the tissue that was analysed; draw it there."
        )
    side = round(settings.phenotype_square_um / settings.grid_um)
    left, top = np.floor(np.array(common.bounds[:2]) / side + 1e-9).astype(int) * side
    right, bottom = np.ceil(np.array(common.bounds[2:]) / side - 1e-9).astype(int) * side
    return Window(int(left), int(top), int(right - left), int(bottom - top))


def _tissue_box(tissue: TissueMask) -> shapely.Polygon:
    """Return the box around the tissue in level-0 pixels; around the slide where there is none."""
    mask = tissue.mask if tissue.mask.any() else np.ones_like(tissue.mask)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    corners = [[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]]
    return shapely.box(*tissue.raster.to_level0(corners).ravel())


def _resampled(tissue: TissueMask, raster: Raster, window: Window) -> Mask:
    """Look each pixel's centre up in the mask of the tissue."""
    columns = np.arange(window.x, window.right) + 0.5
    rows = np.arange(window.y, window.bottom) + 0.5
    x = raster.to_level0(np.stack([columns, np.zeros_like(columns)], axis=1))
    y = raster.to_level0(np.stack([np.zeros_like(rows), rows], axis=1))
    columns = np.floor(tissue.raster.from_level0(x)[:, 0]).astype(np.int64)
    rows = np.floor(tissue.raster.from_level0(y)[:, 1]).astype(np.int64)
    height, width = tissue.mask.shape
    found = tissue.mask[np.ix_(np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1))]
    found[:, columns >= width] = False
    found[rows >= height] = False
    return found
