"""Where nuclei are, under the same names in every format."""

import geopandas as gpd


def with_places(table: gpd.GeoDataFrame, slide_mpp: float) -> gpd.GeoDataFrame:
    """Return a table whose centroids are named by their units, in pixels of level 0 and in µm.

    Parameters
    ----------
    table : GeoDataFrame
        With ``x`` and ``y`` in level-0 pixels.
    slide_mpp : float
        Size of a level-0 pixel, µm.
    """
    places = {"x_um": table["x"] * slide_mpp, "y_um": table["y"] * slide_mpp}
    named = table.assign(**places).rename(columns={"x": "x_px", "y": "y_px"})
    return named[[*named.columns.drop("geometry"), "geometry"]]
