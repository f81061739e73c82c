"""The table of half a million nuclei: time to the first rows, filters and numbers, and memory.

    python -m tests.bench.table_500k [--nuclei 500000]

Writes a run's table of random nuclei into a temporary folder, then asks what the Nuclei page asks.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from seg_core.classes import MONUSAC
from seg_core.nuclei import MEASURES, column_types
from seg_core.nuclei.nucleus_table import make_table
from seg_core.store import NucleusQueries, Selection, write_nuclei

_SIDE_PX = 80_000.0
_PART = 20_000


def main() -> None:
    """Write, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nuclei", type=int, default=500_000)
    options = parser.parse_args()
    names = MONUSAC.counted_names(other=False, uncertain=True)
    everything = Selection(names, 0.5)
    roi = shapely.Point(_SIDE_PX / 2, _SIDE_PX / 2).buffer(_SIDE_PX / 3)
    picky = Selection(("lymphocyte",), 0.5, roi, scores=(0.6, 0.9), areas_um2=(20.0, 60.0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nuclei.parquet"
        write_nuclei(_parts(options.nuclei), path, MONUSAC)
        print(f"{options.nuclei:,} nuclei, {path.stat().st_size / 1e6:.0f} MB of Parquet")
        before = _peak_mb()
        queries = NucleusQueries(path, MONUSAC)
        sort = {"sort_by": "area_um2", "descending": True}
        questions: dict[str, Callable[[], object]] = {
            "first 100 rows": lambda: queries.page(everything, limit=100),
            "sorted by area": lambda: queries.page(everything, limit=100, **sort),
            "page in the middle": lambda: queries.page(
                everything, limit=100, offset=options.nuclei // 3
            ),
            "counts by class": lambda: queries.counts(everything),
            "class, score, area, ROI: first time": lambda: queries.page(picky, limit=100),
            "class, score, area, ROI: again": lambda: queries.page(picky, limit=100),
            "all measures described": lambda: queries.describe(everything, list(MEASURES)),
            "histogram": lambda: queries.histogram(everything, "area_um2"),
            "sample of 20,000": lambda: queries.sample(
                everything, ["area_um2", "eosin_od"], most=20_000, seed=1
            ),
            "lasso": lambda: queries.within(
                everything, shapely.box(20, 0.3, 60, 0.8), "area_um2", "eosin_od"
            ),
        }
        for name, ask in questions.items():
            started = time.perf_counter()
            ask()
            print(f"{name:38} {time.perf_counter() - started:6.2f} s")
            sys.stdout.flush()
        print(f"peak of memory: {_peak_mb():.0f} MB, {_peak_mb() - before:.0f} MB more than before")


def _parts(count: int) -> Iterator[gpd.GeoDataFrame]:
    rng = np.random.default_rng(0)
    for first in range(0, count, _PART):
        size = min(_PART, count - first)
        columns = {name: rng.uniform(0.3, 1, size) for name in column_types(MONUSAC)}
        columns |= {
            "nucleus_id": np.arange(first + 1, first + size + 1),
            "class_name": rng.choice(MONUSAC.names_with_other, size),
            "x": rng.uniform(0, _SIDE_PX, size),
            "y": rng.uniform(0, _SIDE_PX, size),
            "area_um2": rng.gamma(9, 5, size),
        }
        centres = shapely.points(columns["x"], columns["y"])
        yield make_table(columns, shapely.buffer(centres, 14, quad_segs=4), MONUSAC)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
