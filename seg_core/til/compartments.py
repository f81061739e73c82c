"""Where the epithelium is and where the stroma: estimated from the nuclei, on a grid.

MoNuSAC has no stroma class, and its epithelium is benign and malignant alike, so both compartments
are estimates. They are drawn on a grid of `TilSettings.grid_um` with exact Euclidean distances
between pixel centres, in bands of rows: time grows with the area and n log n, memory is a byte a
pixel for each map. Against the same construction on polygons outlines lie within about half a
pixel, and the area of a nest within 2 %; the tests measure it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import scipy.sparse
import scipy.sparse.csgraph
import shapely

from seg_core.errors import RegionError
from seg_core.geometry import Raster, Window
from seg_core.roi import Roi
from seg_core.slide.tissue import TissueMask
from seg_core.til.settings import TilSettings

_Mask = npt.NDArray[np.bool_]
_Floats = npt.NDArray[np.float64]

OUTSIDE, TISSUE, STROMA, EPITHELIUM = 0, 1, 2, 3
"""Values of the map of compartments."""

_MM2_PER_UM2 = 1e-6

_BAND_ROWS = 1024  # a band of a slide 100,000 px wide has some 50 MB of distances

# 500 µm are measured on a grid so much coarser; the outer edge of S is then true to 5 µm.
_COARSER = 4


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
    """

    raster: Raster
    window: Window
    mask: _Mask

    @property
    def pixel_mm2(self) -> float:
        """Area of a pixel, mm²."""
        return self.raster.mpp**2 * _MM2_PER_UM2

    def pixels_of(self, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return (row, column) in the window for points in level-0 pixels, (N, 2)."""
        points = self.raster.from_level0(np.stack([x, y], axis=-1).reshape(-1, 2))
        columns_rows = np.floor(points).astype(np.int64) - (self.window.x, self.window.y)
        return columns_rows[:, ::-1]

    def holds(self, x: npt.ArrayLike, y: npt.ArrayLike) -> _Mask:
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

    def square_areas_um2(self, mask: _Mask, side_um: float) -> _Floats:
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


@dataclass(frozen=True)
class Compartments:
    """Estimated epithelium and stroma of a field.

    Attributes
    ----------
    field : Field
    labels : (H, W) uint8
        `OUTSIDE` the field, `TISSUE` of neither compartment, `STROMA` (S: tissue outside E and near
        it) or `EPITHELIUM` (E: the grown and shrunk union of the epithelial nuclei), in the window
        of the field.
    """

    field: Field
    labels: npt.NDArray[np.uint8]

    @property
    def epithelium(self) -> _Mask:
        """E as a mask."""
        return np.equal(self.labels, EPITHELIUM)

    @property
    def stroma(self) -> _Mask:
        """S as a mask."""
        return np.equal(self.labels, STROMA)


def find_field(
    tissue: TissueMask,
    settings: TilSettings,
    *,
    rois: Sequence[Roi] = (),
    analysed: Roi | None = None,
) -> Field:
    """Find the tissue that is assessed.

    Parameters
    ----------
    tissue : TissueMask
    settings : TilSettings
    rois : sequence of Roi
        Those to include restrict the field to their union; those to exclude are taken out of it.
    analysed : Roi, optional
        Where nuclei were looked for at all; by default everywhere.

    Raises
    ------
    RegionError
        If the ROIs lie outside the slide.
    """
    slide_mpp = tissue.raster.mpp / tissue.raster.downsample
    raster = Raster(tissue.raster.region, settings.grid_um, settings.grid_um / slide_mpp)
    included = [roi.polygon for roi in rois if roi.kind == "include"]
    limits = [shapely.union_all(included)] if included else []
    limits += [] if analysed is None else [analysed.polygon]
    window = _whole_squares(raster, [*limits, _tissue_box(tissue)], settings)
    mask = _resampled(tissue, raster, window)
    for limit in limits:
        mask &= fill_polygons([limit], raster, window)
    excluded = [roi.polygon for roi in rois if roi.kind == "exclude"]
    if excluded:
        mask &= ~fill_polygons(excluded, raster, window)
    return Field(raster, window, mask)


def _whole_squares(
    raster: Raster, limits: Sequence[shapely.Geometry], settings: TilSettings
) -> Window:
    common = shapely.box(0, 0, raster.width, raster.height)
    for limit in limits:
        common = common.intersection(shapely.transform(limit, raster.from_level0))
    if common.area == 0:
        raise RegionError(
            "the ROIs to include have nothing in common with the tissue that was analysed; "
            "draw them on it."
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


def _resampled(tissue: TissueMask, raster: Raster, window: Window) -> _Mask:
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


def find_compartments(
    field: Field, nuclei: gpd.GeoDataFrame, settings: TilSettings
) -> Iterator[tuple[float, Compartments]]:
    """Estimate epithelium and stroma from the nuclei of a field, at every dilation of interest.

    The growth past the outermost nuclei, dilation less erosion of the settings, is the same at all
    of them: what changes is how wide a gap between nuclei is closed.

    Parameters
    ----------
    field : Field
    nuclei : NucleusTable
        With their centroids in the field.
    settings : TilSettings

    Yields
    ------
    dilation_um : float
        That of the settings, then those of `TilSettings.sensitivity_um`.
    compartments : Compartments
    """
    epithelial = nuclei[nuclei["class_name"] == "epithelial"]
    centres = field.pixels_of(epithelial["x"], epithelial["y"])
    dilations = sorted({settings.dilation_um, *settings.sensitivity_um})
    levels = _dilation_levels(field, epithelial.geometry.to_numpy(), dilations, settings.grid_um)
    for dilation in (settings.dilation_um, *settings.sensitivity_um):
        erosion_px = (dilation - settings.growth_um) / settings.grid_um
        reached = dilations.index(dilation)
        yield (
            dilation,
            _with_stroma(
                field,
                _large_islands(_closed(field, levels, reached, erosion_px), centres, settings),
                settings,
            ),
        )


def _closed(field: Field, levels: npt.NDArray[np.uint8], reached: int, erosion_px: float) -> _Mask:
    """Return the pixels of the field that one dilation reaches and its erosion leaves."""
    margin = (len(levels) - field.window.height) // 2
    shrunk = _shrunk(levels <= reached, erosion_px)
    return shrunk[margin:-margin, margin:-margin] & field.mask


def _dilation_levels(
    field: Field,
    outlines: npt.NDArray[np.object_],
    dilations_um: Sequence[float],
    grid_um: float,
) -> npt.NDArray[np.uint8]:
    """Return how many of the rising dilations do not reach each pixel of the window.

    A margin around the window lets what the window's edge cuts shrink as it would without an edge.
    """
    window = field.window.expanded(_margin_px(dilations_um, grid_um))
    outside = ~fill_polygons(outlines, field.raster, window)
    levels = np.full(outside.shape, len(dilations_um), dtype=np.uint8)
    for band, distance in _distances_px(outside, dilations_um[-1] / grid_um):
        levels[band] = sum((distance * grid_um > each).astype(np.uint8) for each in dilations_um)
    return levels


def _margin_px(dilations_um: Sequence[float], grid_um: float) -> int:
    return math.ceil(max(dilations_um) / grid_um) + 1


def _with_stroma(field: Field, epithelium: _Mask, settings: TilSettings) -> Compartments:
    labels = field.mask.astype(np.uint8)
    reach_px = settings.stroma_reach_um / (settings.grid_um * _COARSER)
    near = _within(_coarser(epithelium), reach_px)
    for band in _bands(len(labels)):
        rows = near[np.arange(band.start, band.stop) // _COARSER]
        reached = rows.repeat(_COARSER, axis=1)[:, : labels.shape[1]] & field.mask[band]
        labels[band][reached] = STROMA
        labels[band][epithelium[band]] = EPITHELIUM
    return Compartments(field, labels)


def _coarser(mask: _Mask) -> _Mask:
    """Return which blocks of pixels are covered by half."""
    height, width = mask.shape
    counts = np.zeros((math.ceil(height / _COARSER), math.ceil(width / _COARSER)), dtype=np.uint8)
    for row, column in np.ndindex(_COARSER, _COARSER):
        part = mask[row::_COARSER, column::_COARSER]
        counts[: part.shape[0], : part.shape[1]] += part
    return counts * 2 >= _COARSER**2


def _within(mask: _Mask, reach_px: float) -> _Mask:
    """Return which pixels are in a mask or no further than this from its edge."""
    near = np.zeros_like(mask)
    for band, distance in _distances_px(~mask, reach_px):
        near[band] = distance <= reach_px
    return near


def _shrunk(mask: _Mask, by_px: float) -> _Mask:
    """Return which pixels of a mask are further than this from its edge."""
    inner = mask.copy()
    if by_px > 0:
        for band, depth in _distances_px(mask, by_px):
            inner[band] = depth > by_px
    return inner


def _distances_px(
    outside: _Mask, reach_px: float
) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
    """Give, for bands of rows, how far pixels are from what is not outside; exact up to the reach.

    Distances are taken between centres (Felzenszwalb and Huttenlocher 2012, in OpenCV); the edge
    lies half a pixel before the first centre. Bands that are outside all over, and further away
    than the reach, are left out.
    """
    halo = math.ceil(reach_px) + 2
    for band in _bands(len(outside)):
        first = max(band.start - halo, 0)
        around = outside[first : band.stop + halo]
        if not around.all():
            distance = cv2.distanceTransform(
                around.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
            )
            yield band, distance[band.start - first : band.stop - first] - 0.5


def depths_px(
    mask: _Mask, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], reach_px: float
) -> _Floats:
    """Return how far pixels of a mask are from its edge; past the reach any larger number.

    The mask ends where its array ends.

    Parameters
    ----------
    mask : (H, W) bool
    rows, columns : (N,) int
        Pixels of the mask.
    reach_px : float

    Returns
    -------
    depths : (N,) float64
        Of the pixels' centres.

    Examples
    --------
    >>> depths_px(np.ones((3, 9), dtype=bool), np.array([1]), np.array([4]), 8.0)
    array([1.5])
    """
    depths = np.full(len(rows), np.inf)
    for band, distance in _distances_px(np.pad(mask, 1), reach_px):
        own = (rows + 1 >= band.start) & (rows + 1 < band.stop)
        depths[own] = distance[rows[own] + 1 - band.start, columns[own] + 1]
    return depths


def _bands(rows: int) -> list[slice]:
    return [slice(row, min(row + _BAND_ROWS, rows)) for row in range(0, rows, _BAND_ROWS)]


def _large_islands(mask: _Mask, centres: npt.NDArray[np.int64], settings: TilSettings) -> _Mask:
    """Return the connected parts, four neighbours a pixel, that hold enough centres."""
    bands = _bands(len(mask))
    nuclei: list[_Floats] = [np.zeros(1)]
    links, offsets = [np.zeros((0, 2), np.int64)], []
    offset, above = 0, np.zeros(mask.shape[1], np.int32)
    for band in bands:
        offsets.append(offset)
        count, labels = _label(mask[band], offset)
        own = centres[(centres[:, 0] >= band.start) & (centres[:, 0] < band.stop)]
        held = labels[own[:, 0] - band.start, own[:, 1]]
        inside = held[held > 0] - offset - 1
        nuclei.append(np.bincount(inside, minlength=count).astype(np.float64))
        touching = (above > 0) & (labels[0] > 0)
        links.append(np.unique(np.stack([above, labels[0]], axis=1)[touching], axis=0))
        offset, above = offset + count, labels[-1]
    i, j = np.concatenate(links).T
    graph = scipy.sparse.coo_array((np.ones(len(i)), (i, j)), shape=(offset + 1, offset + 1))
    _, island_of = scipy.sparse.csgraph.connected_components(graph, directed=False)
    nuclei_of_island = np.bincount(island_of, weights=np.concatenate(nuclei))
    large = nuclei_of_island[island_of] >= settings.min_island_nuclei
    large[0] = False  # label 0 is what is not in the mask
    kept = np.zeros_like(mask)
    for band, before in zip(bands, offsets, strict=True):
        kept[band] = large[_label(mask[band], before)[1]]
    return kept


def _label(mask: _Mask, offset: int) -> tuple[int, npt.NDArray[np.int32]]:
    """Return how many parts a band has, and their labels, counted on from those before."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    labels[labels > 0] += offset
    return count - 1, labels


def fill_polygons(
    polygons: Sequence[shapely.Geometry] | npt.NDArray[np.object_], raster: Raster, window: Window
) -> _Mask:
    """Return which pixels of a window have their centre in any of the polygons.

    A row of pixels enters and leaves a polygon where its centre line crosses the outline, hole or
    shell; all crossings of all polygons are sorted at once, so the cost is n log n.

    Parameters
    ----------
    polygons : (N,) shapely.Polygon or MultiPolygon
        In level-0 pixels.
    raster : Raster
    window : Window
        Of the raster; may reach past it.

    Returns
    -------
    mask : (H, W) bool

    Examples
    --------
    >>> from seg_core.geometry import Region
    >>> raster = Raster(Region(0, 0, 4, 2), mpp=0.5, downsample=1.0)
    >>> fill_polygons([shapely.box(1, 0, 3, 1)], raster, raster.window).astype(int)
    array([[0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    owners, rows, x = _crossings(polygons, raster, window)
    order = np.lexsort((x, owners, rows))
    # An outline is closed: every row crosses it an even number of times.
    columns = np.clip(np.ceil(x[order] - 0.5), 0, window.width).astype(np.int64)
    rows, starts, ends = rows[order][::2], columns[::2], columns[1::2]
    mask = np.zeros((window.height, window.width), dtype=np.bool_)
    for band in _bands(window.height):
        first, past = np.searchsorted(rows, [band.start, band.stop])
        steps = np.zeros((band.stop - band.start, window.width + 1), dtype=np.int32)
        np.add.at(steps, (rows[first:past] - band.start, starts[first:past]), 1)
        np.add.at(steps, (rows[first:past] - band.start, ends[first:past]), -1)
        mask[band] = np.cumsum(steps, axis=1, out=steps)[:, :-1] > 0
    return mask


def _crossings(
    polygons: Sequence[shapely.Geometry] | npt.NDArray[np.object_], raster: Raster, window: Window
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], _Floats]:
    """Return owner, row and x wherever an outline crosses the centre line of a row of pixels."""
    parts = shapely.get_parts(np.asarray(polygons, dtype=object))
    rings, owner_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    points = raster.from_level0(points) - np.array([window.x, window.y])
    edges = np.flatnonzero(ring_of_point[1:] == ring_of_point[:-1])
    (x0, y0), (x1, y1) = points[edges].T, points[edges + 1].T
    first = np.clip(np.ceil(np.minimum(y0, y1) - 0.5), 0, window.height).astype(np.int64)
    past = np.clip(np.ceil(np.maximum(y0, y1) - 0.5), 0, window.height).astype(np.int64)
    times = past - first
    edge = np.repeat(np.arange(len(edges)), times)
    rows = np.arange(len(edge)) - np.repeat(np.cumsum(times) - times, times) + first[edge]
    share = (rows + 0.5 - y0[edge]) / (y1 - y0)[edge]
    owners = owner_of_ring[ring_of_point[edges[edge]]]
    return owners, rows, x0[edge] + share * (x1 - x0)[edge]
