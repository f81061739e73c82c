"""One definition of what is counted: the page's number is that of every file and of the report."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import anndata
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
import tifffile
from PIL import Image

from seg_core.export.formats import FORMATS, Format
from seg_core.export.options import ExportOptions
from seg_core.roi import Roi
from seg_core.scoring import Counted, describe_run, joined, parts_of
from seg_core.store import Run

ENDS = {
    "csv": ".csv",
    "summary-csv": ".csv",
    "geojson": ".geojson",
    "geoparquet": ".parquet",
    "anndata": ".h5ad",
    "spatialdata": ".zarr",
    "ome-tiff": ".ome.tif",
    "overlay": ".png",
    "report": ".html",
}


def description_of(path: Path) -> str:
    with Image.open(path) as image:
        return str(image.info["Description"])


def ome_of(path: Path) -> str:
    with tifffile.TiffFile(path) as file:
        return str(file.ome_metadata)


def _of_report(path: Path) -> int:
    """The column of counts of the table by class."""
    text = path.read_text("utf-8")
    [table] = [
        each for each in re.findall(r"<table.*?</table>", text, re.DOTALL) if "share" in each
    ]
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    numbers = [re.sub(r"<[^>]+>", "", each[1] if len(each) > 1 else "0") for each in cells]
    return sum(int(number.strip().replace(",", "")) for number in numbers)


def _of_spatialdata(path: Path) -> int:
    spatialdata = pytest.importorskip("spatialdata")
    return int(spatialdata.read_zarr(path).tables["measures"].n_obs)


COUNT: dict[str, Callable[[Path], int]] = {
    "csv": lambda path: len(pd.read_csv(path)),
    "summary-csv": lambda path: int(pd.read_csv(path)["count"].sum()),
    "geojson": lambda path: len(json.loads(path.read_text("utf-8"))["features"]),
    "geoparquet": lambda path: len(gpd.read_parquet(path)),
    "anndata": lambda path: anndata.read_h5ad(path).n_obs,
    "spatialdata": _of_spatialdata,
    "ome-tiff": lambda path: len(np.unique(tifffile.imread(path, series=2))) - 1,
    "report": _of_report,
}
"""How many nuclei a file holds, read by what others read it with."""

# Squares have no nuclei; tests of the TIL scores compare their parts.
OF_NUCLEI = [each for each in FORMATS if each.name != "til-csv"]


def rois_of(run: Run) -> tuple[Roi, Roi]:
    """A quarter to leave out, and a half to count."""
    x, y, width, height = run.region.to_json()
    return (
        Roi("fold, 2", shapely.box(x, y, x + width / 2, y + height / 2), "exclude"),
        Roi("left", shapely.box(x, y, x + width * 0.6, y + height)),
    )


def asked(run: Run, *, exclude: bool, part: bool, other: bool, min_score: float) -> ExportOptions:
    rois = rois_of(run) if exclude else rois_of(run)[1:]
    chosen = joined([parts_of(run, rois)[1]]) if part else None
    return ExportOptions(
        rois=rois, part=chosen, other=other, min_score=min_score, assessed=[], force=True
    )


WAYS = [
    {"exclude": False, "part": False, "other": False, "min_score": 0.0},
    {"exclude": True, "part": False, "other": False, "min_score": 0.0},
    {"exclude": True, "part": True, "other": True, "min_score": 0.0},
    {"exclude": True, "part": True, "other": False, "min_score": 0.7},
]


def test_every_format_of_nuclei_is_compared() -> None:
    assert {each.name for each in OF_NUCLEI} == {*COUNT, "overlay"} == set(ENDS)


def test_the_ways_to_count_differ(doubtful_run: Run) -> None:
    counts = {
        describe_run(doubtful_run, asked(doubtful_run, **way).counted(doubtful_run)).count
        for way in WAYS
    }
    assert len(counts) == len(WAYS)


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("form", OF_NUCLEI, ids=lambda form: form.name)
def test_a_file_holds_as_many_nuclei_as_the_page_counts(
    form: Format, way: dict[str, bool | float], doubtful_run: Run, tmp_path: Path
) -> None:
    if form.missing:
        pytest.skip(form.missing)
    options = asked(doubtful_run, **way)  # type: ignore[arg-type]
    counted = options.counted(doubtful_run)
    page = describe_run(doubtful_run, counted)
    path = tmp_path / f"file{ENDS[form.name]}"
    form.write(doubtful_run, path, options)
    # the picture is of outlines: what it draws is compared by its words
    found = COUNT[form.name](path) if form.name in COUNT else page.count
    assert found == page.count
    assert told_by(form.name, path, counted, doubtful_run)


def told_by(name: str, path: Path, counted: Counted, run: Run) -> bool:
    """Does the file itself say what was counted?"""
    match name:
        case "csv":
            return set(pd.read_csv(path)["part"]) == {counted.title}
        case "summary-csv":
            [row] = pd.read_csv(path)[["part", "min_score", "run"]].drop_duplicates().to_numpy()
            return list(row) == [counted.part.name, counted.min_score, run.run_id]
        case "geojson":
            told = json.loads(path.read_text("utf-8"))["counted"]
            return told == {"slide": run.slide_path.name, "run": run.run_id, **counted.facts()}
        case "geoparquet":
            told = json.loads(pq.read_schema(path).metadata[b"counted"])
            return told["left_out"] == counted.facts()["left_out"]
        case "anndata":
            return dict(anndata.read_h5ad(path).uns["counted"]) == counted.facts()
        case "overlay":
            return description_of(path) == counted.in_words(run)
        case "ome-tiff":
            return counted.title in ome_of(path)
        case "report":
            return counted.title in path.read_text("utf-8")
    return True  # SpatialData's table is that of AnnData


def test_columns_of_one_meaning_have_one_name(doubtful_run: Run, tmp_path: Path) -> None:
    by_name = {each.name: each for each in FORMATS}
    by_name["csv"].write(doubtful_run, tmp_path / "file.csv")
    by_name["geoparquet"].write(doubtful_run, tmp_path / "file.parquet")
    csv = pd.read_csv(tmp_path / "file.csv")
    parquet = gpd.read_parquet(tmp_path / "file.parquet")
    assert set(parquet.columns) - {"geometry"} == set(csv.columns) - {"slide", "run", "part"}
    assert csv["x_px"].to_numpy() == pytest.approx(parquet["x_px"].to_numpy())
