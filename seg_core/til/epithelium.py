"""The outlines of the epithelium as polygons: exact, where a grid is true to half a pixel."""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.til.score_settings import TilSettings

_Polygons = npt.NDArray[np.object_]

# A circle of 64 corners; its area is that of the circle within 0.2 %, and what growth adds too
# little shrinking takes back.
_QUARTER_CORNERS = 16


def epithelium_outlines(
    epithelial: gpd.GeoDataFrame, mpp: float, settings: TilSettings
) -> _Polygons:
    """Grow the epithelial nuclei, unite them, shrink the union, and drop small islands.

    Parameters
    ----------
    epithelial : NucleusTable
    mpp : float
        µm per level-0 pixel.
    settings : TilSettings

    Returns
    -------
    outlines : (N,) shapely.Polygon
        Of islands that hold at least `TilSettings.min_island_nuclei` centroids, level-0 pixels.
    """
    grown = shapely.union_all(
        shapely.buffer(
            epithelial.geometry.to_numpy(),
            settings.dilation_um / mpp,
            quad_segs=_QUARTER_CORNERS,
        )
    )
    islands = shapely.get_parts(
        shapely.buffer(grown, -settings.erosion_um / mpp, quad_segs=_QUARTER_CORNERS)
    )
    islands = islands[~shapely.is_empty(islands)]
    island_of, _ = _held(islands, epithelial["x"], epithelial["y"])
    held = np.bincount(island_of, minlength=len(islands))
    return islands[held >= settings.min_island_nuclei]


def in_outlines(outlines: _Polygons, x: npt.ArrayLike, y: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Tell which points, level-0 pixels, lie in any of the outlines.

    Examples
    --------
    >>> in_outlines(np.array([shapely.box(0, 0, 2, 2)]), [1.0, 3.0], [1.0, 1.0])
    array([ True, False])
    """
    inside = np.zeros(len(np.asarray(x)), dtype=np.bool_)
    inside[_held(outlines, x, y)[1]] = True
    return inside


def _held(
    outlines: _Polygons, x: npt.ArrayLike, y: npt.ArrayLike
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the outline and the point of each pair of which the one holds the other."""
    outline, point = shapely.STRtree(shapely.points(x, y)).query(outlines, predicate="contains")
    return outline, point
