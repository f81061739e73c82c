"""Tables of nuclei drawn at random, to be counted in two ways."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from seg_core.classes import MONUSAC
from seg_core.nuclei import column_types
from seg_core.nuclei.nucleus_table import make_table
from seg_core.store import NucleusQueries, write_nuclei


def random_nuclei(
    count: int, *, width: float = 1000.0, height: float = 800.0, seed: int = 0, first: int = 1
) -> gpd.GeoDataFrame:
    """Discs of 5 to 10 pixels anywhere on a slide, of any class, with measures of 0.2 to 1."""
    rng = np.random.default_rng(seed)
    columns = {name: rng.uniform(0.2, 1, count) for name in column_types(MONUSAC)}
    columns |= {
        "nucleus_id": np.arange(first, first + count),
        "class_name": rng.choice(MONUSAC.names_with_other, count),
        "x": rng.uniform(0, width, count),
        "y": rng.uniform(0, height, count),
        "area_um2": rng.gamma(9, 5, count),
    }
    centres = shapely.points(columns["x"], columns["y"])
    return make_table(
        columns, shapely.buffer(centres, rng.uniform(5, 10, count), quad_segs=4), MONUSAC
    )


def queries_of(table: gpd.GeoDataFrame, folder: Path) -> NucleusQueries:
    write_nuclei([table], folder / "nuclei.parquet", MONUSAC)
    return NucleusQueries(folder / "nuclei.parquet", MONUSAC)
