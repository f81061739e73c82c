"""Masks on a grid: filled polygons and exact Euclidean distances, in bands of rows.

Time grows with the area and n log n with the outlines, memory is a byte a pixel for each map.
"""

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.geometry import Raster, Window

Mask = npt.NDArray[np.bool_]
_Floats = npt.NDArray[np.float64]

_BAND_ROWS = 1024  # a band of a slide 100,000 px wide has some 50 MB of distances


def fill_polygons(
    polygons: Sequence[shapely.Geometry] | npt.NDArray[np.object_], raster: Raster, window: Window
) -> Mask:
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
    for band in bands(window.height):
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


def within(mask: Mask, reach_px: float) -> Mask:
    """Return which pixels are in a mask or no further than this from its edge."""
    near = np.zeros_like(mask)
    for band, distance in distances_px(~mask, reach_px):
        near[band] = distance <= reach_px
    return near


def shrunk(mask: Mask, by_px: float) -> Mask:
    """Return which pixels of a mask are further than this from its edge."""
    inner = mask.copy()
    if by_px > 0:
        for band, depth in distances_px(mask, by_px):
            inner[band] = depth > by_px
    return inner


def distances_px(outside: Mask, reach_px: float) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
    """Give, for bands of rows, how far pixels are from what is not outside; exact up to the reach.

    Distances are taken between centres (Felzenszwalb and Huttenlocher 2012, in OpenCV); the edge
    lies half a pixel before the first centre. Bands that are outside all over, and further away
    than the reach, are left out.
    """
    halo = math.ceil(reach_px) + 2
    for band in bands(len(outside)):
        first = max(band.start - halo, 0)
        around = outside[first : band.stop + halo]
        if not around.all():
            distance = cv2.distanceTransform(
                around.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
            )
            yield band, distance[band.start - first : band.stop - first] - 0.5


def depths_px(
    mask: Mask, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], reach_px: float
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
    for band, distance in distances_px(np.pad(mask, 1), reach_px):
        own = (rows + 1 >= band.start) & (rows + 1 < band.stop)
        depths[own] = distance[rows[own] + 1 - band.start, columns[own] + 1]
    return depths


def bands(rows: int) -> list[slice]:
    """Return slices of so many rows, one after the other."""
    return [slice(row, min(row + _BAND_ROWS, rows)) for row in range(0, rows, _BAND_ROWS)]
