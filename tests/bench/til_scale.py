"""TIL scores of a whole slide: how long, how much memory, and how both grow.

    pip download --no-deps histolytics==0.3.0 && unzip histolytics-*.whl 'histolytics/data/*wsi*'
    python -m tests.bench.til_scale histolytics/data [--json FILE]

The table of nuclei is another program's (``hgsc_nuclei_wsi.parquet``: 592,349 nuclei of a high-grade
serous carcinoma), so this shows the scores at work and not this program's model. What is chosen for it:

- a pixel is 0.5 µm: neither file nor documentation says it, but then inflammatory nuclei have a
  median of 41 µm²;
- *neoplastic* counts as epithelial, *inflammatory* as lymphocyte, both kinds of macrophages as
  macrophage, *connective* and *dead* as other: the table has no finer class, so plasma cells are
  among the lymphocytes;
- tissue is what ``hgsc_tissue_wsi.parquet`` calls tumour, stroma or fat; its necrosis, haemorrhage
  and serum are left out, as a reader would with ROIs to exclude.

Each share of the slide, a band from its top with that share of the nuclei, is scored in a process of its
own.
"""

import argparse
import json
import math
import multiprocessing
import resource
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from seg_core.geometry import Raster, Region
from seg_core.slide import TissueMask
from seg_core.til import TilResult, score_tils
from seg_core.til.masks import fill_polygons

SLIDE_MPP, TISSUE_MPP = 0.5, 10.0
CLASSES = {
    "neoplastic": "epithelial",
    "inflammatory": "lymphocyte",
    "macrophage_cell": "macrophage",
    "macrophage_nucleus": "macrophage",
    "connective": "other",
    "dead": "other",
}
TISSUE = ("tumor", "stroma", "omental_fat")
SHARES = (0.125, 0.25, 0.5, 1.0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of the two tables")
    parser.add_argument("--json", type=Path, help="write the scores of the whole slide there")
    options = parser.parse_args()
    print("| nuclei | tissue, mm² | seconds | CPU µs per nucleus · ln n | peak memory, GB |")
    print("|---|---|---|---|---|")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as processes:
        for share in SHARES:
            measured = processes.apply(measure, (options.data, share))
            print(_row(measured), flush=True)
    if options.json:
        options.json.write_text(json.dumps(measured["scores"], indent=2), "utf-8")
    print(_told(measured["scores"]))


def measure(folder: Path, share: float) -> dict[str, Any]:
    """Score a share of the slide; reading the tables is not timed, but its memory counts."""
    nuclei = read_nuclei(folder / "hgsc_nuclei_wsi.parquet")
    tissue = read_tissue(folder / "hgsc_tissue_wsi.parquet", nuclei)
    bottom = float(np.quantile(nuclei["y"], share))
    nuclei = nuclei[nuclei["y"] <= bottom]
    tissue.mask[math.ceil(bottom / tissue.raster.downsample) :] = False
    started, cpu = time.perf_counter(), time.process_time()
    result: TilResult = score_tils(nuclei, tissue)
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "nuclei": len(nuclei),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "scores": result.to_json(),
    }


def read_nuclei(path: Path) -> gpd.GeoDataFrame:
    """Read the table with the columns that scores need; its pixels are moved to start at 0."""
    table = gpd.read_parquet(path)
    outlines = np.asarray(table.geometry.to_numpy())
    centres = shapely.centroid(outlines)
    columns = pd.DataFrame(
        {
            "class_name": table["class_name"].astype(str).map(CLASSES).to_numpy(),
            "x": shapely.get_x(centres),
            "y": shapely.get_y(centres),
            "area_um2": shapely.area(outlines) * SLIDE_MPP**2,
            "class_score": 1.0,  # the table has none
        }
    )
    return gpd.GeoDataFrame(columns, geometry=outlines)


def read_tissue(path: Path, nuclei: gpd.GeoDataFrame) -> TissueMask:
    """Draw the regions of tissue on a grid that also covers all nuclei."""
    table = gpd.read_parquet(path)
    own = table[table["class_name"].astype(str).isin(TISSUE)].geometry.to_numpy()
    _, _, right, bottom = nuclei.total_bounds
    downsample = TISSUE_MPP / SLIDE_MPP
    region = Region(0, 0, math.ceil(right), math.ceil(bottom))
    raster = Raster(region, TISSUE_MPP, downsample)
    return TissueMask(raster, fill_polygons(own, raster, raster.window))


def _row(measured: dict[str, Any]) -> str:
    n = measured["nuclei"]
    per_step = measured["cpu_seconds"] / (n * math.log(n)) * 1e6
    tissue = measured["scores"]["areas_mm2"]["tissue"]
    return (
        f"| {n:,} | {tissue:.0f} | {measured['seconds']:.1f} | {per_step:.1f} | "
        f"{measured['peak_gb']:.2f} |"
    )


def _told(scores: dict[str, Any]) -> str:
    stil, phenotype = scores["stil_area_pct"], scores["phenotype_detail"]
    return (
        f"sTIL area {stil['value']:.2f} % ({stil['low']:.2f} to {stil['high']:.2f}), TIGER-style "
        f"{scores['tiger_til']:.1f} %, phenotype {phenotype['name']} of "
        f"{phenotype['valid_squares']} squares ({phenotype['inflamed']} inflamed, "
        f"{phenotype['excluded']} excluded, {phenotype['desert']} desert), Morisita-Horn "
        f"{scores['morisita_horn']:.2f}."
    )


if __name__ == "__main__":
    main()
