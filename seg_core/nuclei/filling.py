"""Polygons back to labelled pixels: the inverse of `seg_core.nuclei.contours`.

A pixel is a nucleus' own when its centre lies in the outline. Outlines keep a third of a pixel away
from the centres of all pixels, so that filling one gives exactly the pixels it was drawn round.
"""

import numpy as np
import numpy.typing as npt
import shapely


def fill_polygons(
    polygons: npt.NDArray[np.object_],
    values: npt.NDArray[np.uint32],
    labels: npt.NDArray[np.uint32],
) -> None:
    """Write the value of each polygon into the pixels whose centres it holds.

    Each row of pixels is crossed by the polygon's edges an even number of times; what lies between
    the first and the second crossing, the third and the fourth … is inside. Holes need no care.

    Parameters
    ----------
    polygons : (N,) shapely.Polygon
        In pixels of ``labels``; what reaches past its edges is cut off.
    values : (N,) uint32
    labels : (H, W) uint32
        Written into; where two polygons hold a centre the later one wins.

    Examples
    --------
    >>> labels = np.zeros((2, 4), np.uint32)
    >>> fill_polygons(np.array([shapely.box(1, 0, 3, 2)]), np.array([7], np.uint32), labels)
    >>> labels
    array([[0, 7, 7, 0],
           [0, 7, 7, 0]], dtype=uint32)
    """
    height, width = labels.shape
    starts, ends, owners = _edges(polygons)
    lower, upper = np.sort(np.stack([starts[:, 1], ends[:, 1]]), axis=0)
    # an edge crosses the rows with lower <= row + 0.5 < upper
    first_rows = np.clip(np.ceil(lower - 0.5), 0, height).astype(np.int64)
    last_rows = np.clip(np.ceil(upper - 0.5), 0, height).astype(np.int64)
    counts = last_rows - first_rows
    edges = np.repeat(np.arange(len(counts)), counts)
    rows = first_rows[edges] + _count_up(counts)

    slopes = (ends[edges, 0] - starts[edges, 0]) / (ends[edges, 1] - starts[edges, 1])
    crossings = starts[edges, 0] + (rows + 0.5 - starts[edges, 1]) * slopes
    order = np.lexsort((crossings, rows, owners[edges]))
    columns = np.clip(np.ceil(crossings[order] - 0.5), 0, width).astype(np.int64)

    lengths = columns[1::2] - columns[::2]
    runs_of = order[::2]  # a pair of crossings is of one owner and one row
    flat = np.repeat(rows[runs_of] * width + columns[::2], lengths) + _count_up(lengths)
    labels.reshape(-1)[flat] = np.repeat(values[owners[edges[runs_of]]], lengths)


def _edges(
    polygons: npt.NDArray[np.object_],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the ends of all edges of all rings, and whose they are."""
    rings, ring_owners = shapely.get_rings(polygons, return_index=True)
    points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    within = ring_of_point[1:] == ring_of_point[:-1]
    return points[:-1][within], points[1:][within], ring_owners[ring_of_point[:-1][within]]


def _count_up(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return 0 to n - 1 for each n, one after the other."""
    ends = counts.cumsum()
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
