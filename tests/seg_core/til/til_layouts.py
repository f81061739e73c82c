"""Nuclei and tissue laid out in µm: areas and counts are known by construction."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.geometry import Raster, Region
from seg_core.slide.tissue import TissueMask
from seg_core.til import TilSettings

MPP = 0.5  # of a level-0 pixel, µm
LYMPHOCYTE_UM2 = 40.0

FAST = TilSettings(labellings=19)
SCATTERED = replace(FAST, min_sure_share=0.0)  # epithelium that lies in no nests is scored, too


def tissue(width_um: float, height_um: float, mpp: float = 10.0) -> TissueMask:
    """All tissue, the slide's corner at level-0 pixel (0, 0)."""
    region = Region(0, 0, round(width_um / MPP), round(height_um / MPP))
    raster = Raster(region, mpp, mpp / MPP)
    return TissueMask(raster, np.ones((raster.height, raster.width), dtype=np.bool_))


def nuclei(**points_um: npt.ArrayLike) -> gpd.GeoDataFrame:
    """Boxes around points: epithelial ones of 10 µm, others of 40 µm²."""
    names, points = [], [np.zeros((0, 2))]
    for name, own in points_um.items():
        points.append(np.asarray(own, float).reshape(-1, 2))
        names += [name] * len(points[-1])
    x, y = np.concatenate(points).T / MPP
    areas = np.where(np.array(names) == "epithelial", 100.0, LYMPHOCYTE_UM2)
    half = np.sqrt(areas) / 2 / MPP
    boxes = shapely.box(x - half, y - half, x + half, y + half)
    columns = {
        "class_name": np.array(names, object),
        "x": x,
        "y": y,
        "area_um2": areas,
        "class_score": 0.9,
    }
    return gpd.GeoDataFrame(columns, geometry=boxes)


def block(x0: float, y0: float, x1: float, y1: float) -> npt.NDArray[np.float64]:
    """Centres of epithelial nuclei that pave a rectangle."""
    x, y = np.meshgrid(np.arange(x0 + 5, x1, 10), np.arange(y0 + 5, y1, 10))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def scatter(
    count: int, x0: float, y0: float, x1: float, y1: float, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Points anywhere in a rectangle."""
    return np.random.default_rng(seed).uniform((x0, y0), (x1, y1), (count, 2))
