"""The table of nuclei: its columns, their types and units, in one place."""

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.classes import MONUSAC, ClassScheme

_BEFORE_SHARES: dict[str, npt.DTypeLike] = {
    "nucleus_id": np.int64,  # 1 to N, in a run unique
    "class_name": np.object_,  # str: a name of the scheme, or "other"
    "class_score": np.float32,  # how sure the class is, 0 to 1
}
_AFTER_SHARES: dict[str, npt.DTypeLike] = {
    "x": np.float64,  # centroid, level-0 pixels
    "y": np.float64,
    "area_um2": np.float64,  # of its pixels
    "perimeter_um": np.float64,  # by Crofton's formula
    "major_um": np.float64,  # axes of the ellipse with the same second moments
    "minor_um": np.float64,
    "eccentricity": np.float64,  # of that ellipse: 0 round, towards 1 thin
    "solidity": np.float64,  # area of the outline by that of its convex hull
    "circularity": np.float64,  # 4 π area / perimeter², at most 1
    "haematoxylin_od": np.float64,  # mean optical density
    "eosin_od": np.float64,
}
GEOMETRY = "geometry"  # outline, polygon in level-0 pixels

FEATURES = "features"
"""Column of what the network knows of each nucleus, (F,) float16; only the file of a run has it,
and only `seg_core.store.Run.features` reads it."""


def share_columns(scheme: ClassScheme) -> list[str]:
    """Return the names of the columns with the share of each class in the vote.

    Examples
    --------
    >>> share_columns(MONUSAC)[:2]
    ['share_background', 'share_epithelial']
    """
    return [f"share_{name}" for name in ("background", *scheme.names)]


def column_types(scheme: ClassScheme) -> dict[str, npt.DTypeLike]:
    """Return the type of each column of a table of nuclei, in order, without the geometry."""
    shares: dict[str, npt.DTypeLike] = dict.fromkeys(share_columns(scheme), np.float32)
    return {**_BEFORE_SHARES, **shares, **_AFTER_SHARES}


def empty_table(scheme: ClassScheme = MONUSAC) -> gpd.GeoDataFrame:
    """Return a table of no nuclei that has all columns.

    Examples
    --------
    >>> table = empty_table()
    >>> len(table), table["area_um2"].dtype, table.crs is None
    (0, dtype('float64'), True)
    """
    return make_table(dict.fromkeys(column_types(scheme), ()), np.empty(0, np.object_), scheme)


def make_table(
    columns: dict[str, npt.ArrayLike], polygons: npt.NDArray[np.object_], scheme: ClassScheme
) -> gpd.GeoDataFrame:
    """Put columns in their order and give them their types.

    Parameters
    ----------
    columns : dict of (N,) array
        Every column but the geometry.
    polygons : (N,) shapely.Polygon
        Outlines, level-0 pixels.
    scheme : ClassScheme

    Raises
    ------
    ValueError
        If a column is missing or is none of a table of nuclei.
    """
    types = column_types(scheme)
    if columns.keys() != types.keys():
        raise ValueError(
            f"a table of nuclei has other columns than {sorted(columns.keys() ^ types.keys())}."
        )
    data = {name: np.asarray(columns[name], dtype=dtype) for name, dtype in types.items()}
    # Level-0 pixels are no place on Earth: no coordinate reference system.
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries(polygons, crs=None))


def join_tables(
    tables: Iterable[gpd.GeoDataFrame], scheme: ClassScheme = MONUSAC
) -> gpd.GeoDataFrame:
    """Put parts of a table one after another; no parts are an empty table."""
    parts = [table for table in tables if len(table)]
    return pd.concat(parts, ignore_index=True) if parts else empty_table(scheme)
