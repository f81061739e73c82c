"""Outlines as pixels: a pixel belongs to what its centre lies in."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

_TIE = 1e-6


def filled(
    outline: shapely.Geometry, width: int, height: int
) -> tuple[tuple[slice, slice], npt.NDArray[np.bool_]]:
    """Return the part of an image under an outline, and which of its pixels are enclosed.

    Parameters
    ----------
    outline : shapely.Polygon or shapely.MultiPolygon
        Pixels of the image; whole numbers are corners of pixels.
    width, height : int
        Of the image; what lies outside is cut off.
    """
    x0, y0, x1, y1 = shapely.bounds(outline)
    left, top = np.clip(np.floor([x0, y0]).astype(int), 0, [width, height])
    right, bottom = np.clip(np.ceil([x1, y1]).astype(int), 0, [width, height])
    columns, rows = np.meshgrid(np.arange(left, right), np.arange(top, bottom))
    # off the centre by so little that one on a line is always on the same side of it
    x, y = columns + 0.5 + _TIE, rows + 0.5 + _TIE / 2
    shapely.prepare(outline)
    return (slice(top, bottom), slice(left, right)), shapely.contains_xy(outline, x, y)


def painted(outlines: Sequence[shapely.Geometry], width: int, height: int) -> npt.NDArray[np.int32]:
    """Return a label map, (H, W): k where the k-th outline is, from 1; later ones lie on top.

    Examples
    --------
    >>> painted([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)], 4, 1).tolist()
    [[1, 2, 2, 0]]
    """
    labels = np.zeros((height, width), dtype=np.int32)
    for number, outline in enumerate(outlines, start=1):
        place, mask = filled(outline, width, height)
        labels[place][mask] = number
    return labels


def enclosed(points: npt.NDArray[np.float64]) -> shapely.Geometry:
    """Return all that a closed line encloses, once or twice, the loops of a crossing one too.

    Parameters
    ----------
    points : (N, 2) float
        At least three, not all on one line.
    """
    polygon = shapely.Polygon(points)
    if polygon.is_valid:
        return polygon
    lines = shapely.node(polygon.exterior)
    return shapely.union_all(shapely.get_parts(shapely.polygonize([lines])))
