"""Where nuclei are, under the same names in every format."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from seg_core.roi import Roi
from seg_core.scoring import named_apart


def with_places(table: gpd.GeoDataFrame, slide_mpp: float, rois: Sequence[Roi]) -> gpd.GeoDataFrame:
    """Return a table whose centroids are named by their units, in pixels of level 0 and in µm.

    Beside them stands ``roi``; see `rois_holding`.

    Parameters
    ----------
    table : GeoDataFrame
        With ``x`` and ``y`` in level-0 pixels.
    slide_mpp : float
        Size of a level-0 pixel, µm.
    rois : sequence of Roi
        Of the slide.
    """
    places = {"x_um": table["x"] * slide_mpp, "y_um": table["y"] * slide_mpp}
    named = table.assign(**places, roi=rois_holding(table, rois)).rename(
        columns={"x": "x_px", "y": "y_px"}
    )
    return named[[*named.columns.drop("geometry"), "geometry"]]


def rois_holding(table: pd.DataFrame, rois: Sequence[Roi]) -> "pd.Series[str]":
    """Return, for each nucleus, the names of the ROIs that count and hold its centroid.

    Several are separated by a comma, the smallest first, which is what QuPath calls the parent; none
    is an empty text. Of ROIs of one name each has a number, as in all files that tell of parts.

    Parameters
    ----------
    table : DataFrame
        With ``x`` and ``y`` in level-0 pixels.
    rois : sequence of Roi

    Examples
    --------
    >>> table = pd.DataFrame({"x": [1.0, 5.0, 99.0], "y": [1.0, 5.0, 99.0]})
    >>> nest, field = Roi("nest", shapely.box(0, 0, 2, 2)), Roi("field", shapely.box(0, 0, 9, 9))
    >>> list(rois_holding(table, [field, nest]))
    ['nest, field', 'field', '']
    """
    held: list[list[str]] = [[] for _ in range(len(table))]
    x, y = table["x"].to_numpy(), table["y"].to_numpy()
    for name, roi in sorted(named_apart(rois), key=lambda each: each[1].polygon.area):
        shapely.prepare(roi.polygon)
        for row in np.flatnonzero(shapely.contains_xy(roi.polygon, x, y)):
            held[row].append(name)
    return pd.Series([", ".join(names) for names in held], table.index, dtype=object)
