"""The class map without the nuclei that do not count."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from seg_core.classes import MONUSAC, OTHER
from seg_core.geometry import Raster, Region
from seg_core.maps import MapBand
from seg_core.picture.map_painting import render_classes
from seg_core.picture.uncounted import Uncounted
from seg_core.picture.viewport import Viewport
from seg_core.store import MapsWriter, RunMaps

SIDE, CELL = 512, 32
RASTER = Raster(Region(40, 20, SIDE, SIDE), mpp=0.25, downsample=1.0)
ALL = {1, 2, 3, 4}
NUCLEI = [(column, row) for row in range(SIDE // CELL) for column in range(SIDE // CELL)]


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> RunMaps:
    """A lymphocyte of 16 × 16 pixels in the middle of each cell."""
    cell = np.zeros((CELL, CELL), dtype=np.uint8)
    cell[8:24, 8:24] = 2
    class_map = np.tile(cell, (SIDE // CELL, SIDE // CELL))
    folder = tmp_path_factory.mktemp("run") / "maps.zarr"
    with MapsWriter(folder, RASTER) as writer:
        writer.write(MapBand(RASTER.window, class_map, np.minimum(class_map, 1), class_map))
    return RunMaps(folder)


@pytest.fixture(scope="module")
def found() -> gpd.GeoDataFrame:
    """The same nuclei as polygons, level-0 pixels; every fourth is called *other*."""
    x, y = np.array([(40 + CELL * c + 16, 20 + CELL * r + 16) for c, r in NUCLEI]).T
    names = np.where(np.arange(len(NUCLEI)) % 4 == 3, OTHER, "lymphocyte")
    table = {"nucleus_id": np.arange(1, len(NUCLEI) + 1), "class_name": names, "x": x, "y": y}
    boxes = shapely.box(x - 8, y - 8, x + 8, y + 8)
    return gpd.GeoDataFrame(pd.DataFrame(table), geometry=boxes)


def picture(maps: RunMaps, step: float, uncounted: Uncounted | None = None) -> np.ndarray:
    viewport = Viewport(40, 20, step, int(SIDE / step), int(SIDE / step))
    return render_classes(maps, RASTER, viewport, MONUSAC, ALL, uncounted=uncounted)


def cells(rgba: np.ndarray, step: float) -> np.ndarray:
    """Whether anything is painted in each cell, by nucleus."""
    side = int(CELL / step)
    painted = rgba[..., 3].reshape(SIDE // CELL, side, SIDE // CELL, side) > 12
    return painted.any(axis=(1, 3)).ravel()


@pytest.mark.parametrize("step", [0.5, 1.0, 4.0, 8.0, 16.0, 32.0])
def test_only_what_counts_is_painted_at_any_enlargement(
    maps: RunMaps, found: gpd.GeoDataFrame, step: float
) -> None:
    counts = np.arange(len(found)) % 3 > 0
    ids = found["nucleus_id"].to_numpy()
    named = found.assign(class_name="lymphocyte")
    uncounted = Uncounted(named, ids[counts], MONUSAC)
    assert cells(picture(maps, step), step).all()
    seen = picture(maps, step, uncounted)
    np.testing.assert_array_equal(cells(seen, step), counts)
    before = picture(maps, step)
    kept = np.kron(counts.reshape(16, 16), np.ones((int(CELL / step),) * 2, dtype=bool))
    np.testing.assert_array_equal(seen[kept], before[kept])


def test_nuclei_of_no_class_are_not_painted_close_up(
    maps: RunMaps, found: gpd.GeoDataFrame
) -> None:
    counted = found[found["class_name"] != OTHER]["nucleus_id"].to_numpy()
    seen = picture(maps, 1.0, Uncounted(found, counted, MONUSAC))
    np.testing.assert_array_equal(cells(seen, 1.0), (found["class_name"] != OTHER).to_numpy())


@pytest.mark.parametrize("step", [1.0, 8.0])
def test_a_nucleus_on_the_border_of_what_is_left_out_is_where_its_centroid_is(
    maps: RunMaps, found: gpd.GeoDataFrame, step: float
) -> None:
    x_border = 40 + 4 * CELL + 12  # through the fifth column, left of the centroids
    left_out = shapely.box(0, 0, x_border, 1000)
    counts = (found["x"] > x_border).to_numpy()
    seen = picture(maps, step, Uncounted(found, found["nucleus_id"][counts], MONUSAC, left_out))
    np.testing.assert_array_equal(cells(seen, step), counts)
    column = int(4 * CELL / step)
    whole = picture(maps, step)[:, column:, 3].sum(dtype=float)
    assert seen[:, column:, 3].sum(dtype=float) > 0.98 * whole, "part of a nucleus was cut off"


def test_where_all_nuclei_count_nothing_changes(maps: RunMaps, found: gpd.GeoDataFrame) -> None:
    uncounted = Uncounted(found, found["nucleus_id"].to_numpy(), MONUSAC)
    for step in (0.5, 4.0, 32.0):
        np.testing.assert_array_equal(picture(maps, step, uncounted), picture(maps, step))
