"""One definition of what is counted: the page's number is that of every file and of the report."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
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
from seg_core.scoring import Counted, describe_run, joined, naming_facts, parts_of
from seg_core.store import Run, open_run
from seg_core.teaching.apply import classify
from seg_core.teaching.labels import Labels
from seg_core.teaching.teach import teach


def description_of(path: Path) -> str:
    with Image.open(path) as image:
        return str(image.info["Description"])


def ome_of(path: Path) -> str:
    with tifffile.TiffFile(path) as file:
        return str(file.ome_metadata)


def _of_report(path: Path) -> int:
    """The column of counts of the table by class, which stands before that of the ROIs."""
    text = path.read_text("utf-8")
    table = next(
        each for each in re.findall(r"<table.*?</table>", text, re.DOTALL) if "share" in each
    )
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    numbers = [re.sub(r"<[^>]+>", "", each[1] if len(each) > 1 else "0") for each in cells]
    return sum(int(number.strip().replace(",", "")) for number in numbers)


def table_of(path: Path) -> anndata.AnnData:
    spatialdata = pytest.importorskip("spatialdata")
    return spatialdata.read_zarr(path).tables["measures"]


def _has_rows_of(path: Path, counted: Counted, run: Run) -> bool:
    return set(pd.read_csv(path)["part"]) == {counted.title}


def _has_one_summary(path: Path, counted: Counted, run: Run) -> bool:
    [row] = pd.read_csv(path)[["part", "min_score", "run"]].drop_duplicates().to_numpy()
    return list(row) == [counted.part.name, counted.min_score, run.run_id]


def _has_a_member(path: Path, counted: Counted, run: Run) -> bool:
    told = json.loads(path.read_text("utf-8"))["counted"]
    named_by = told.pop("named_by")
    assert named_by == naming_facts(run)
    return told == {"slide": run.slide_path.name, "run": run.run_id, **counted.facts()}


def _has_metadata(path: Path, counted: Counted, run: Run) -> bool:
    told = json.loads(pq.read_schema(path).metadata[b"counted"])
    return told["left_out"] == counted.facts()["left_out"]


@dataclass(frozen=True)
class Reader:
    """How a file of a format is read, by what others read it with.

    ``count`` gives its number of nuclei, None where it has none to count; ``tells`` is whether the
    file itself says what was counted.
    """

    end: str
    count: Callable[[Path], int] | None
    tells: Callable[[Path, Counted, Run], bool]


READERS = {
    "csv": Reader(".csv", lambda path: len(pd.read_csv(path)), _has_rows_of),
    "summary-csv": Reader(
        ".csv", lambda path: int(pd.read_csv(path)["count"].sum()), _has_one_summary
    ),
    "geojson": Reader(
        ".geojson",
        lambda path: len(json.loads(path.read_text("utf-8"))["features"]),
        _has_a_member,
    ),
    "geoparquet": Reader(".parquet", lambda path: len(gpd.read_parquet(path)), _has_metadata),
    "anndata": Reader(
        ".h5ad",
        lambda path: anndata.read_h5ad(path).n_obs,
        lambda path, counted, run: dict(anndata.read_h5ad(path).uns["counted"]) == counted.facts(),
    ),
    "spatialdata": Reader(
        ".zarr",
        lambda path: table_of(path).n_obs,
        lambda path, counted, run: dict(table_of(path).uns["counted"]) == counted.facts(),
    ),
    "ome-tiff": Reader(
        ".ome.tif",
        lambda path: len(np.unique(tifffile.imread(path, series=2))) - 1,
        lambda path, counted, run: counted.title in ome_of(path),
    ),
    # the picture is of outlines: what it draws is compared by its words
    "overlay": Reader(
        ".png", None, lambda path, counted, run: description_of(path) == counted.in_words(run)
    ),
    "report": Reader(
        ".html",
        _of_report,
        lambda path, counted, run: counted.title in path.read_text("utf-8"),
    ),
}

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
    assert {each.name for each in OF_NUCLEI} == set(READERS)


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
    reader = READERS[form.name]
    path = tmp_path / f"file{reader.end}"
    form.write(doubtful_run, path, options)
    assert reader.count is None or reader.count(path) == page.count
    assert reader.tells(path, counted, doubtful_run)


NAMED_BY: dict[str, Callable[[Path], dict[str, str | int]]] = {
    "geojson": lambda path: json.loads(path.read_text("utf-8"))["counted"]["named_by"],
    "geoparquet": lambda path: json.loads(pq.read_schema(path).metadata[b"counted"])["named_by"],
    "anndata": lambda path: dict(anndata.read_h5ad(path).uns["named_by"]),
    "spatialdata": lambda path: dict(table_of(path).uns["named_by"]),
}


@pytest.mark.parametrize("name", NAMED_BY)
def test_a_file_of_nuclei_says_who_named_them(name: str, doubtful_run: Run, tmp_path: Path) -> None:
    form = next(each for each in FORMATS if each.name == name)
    if form.missing:
        pytest.skip(form.missing)
    shutil.copytree(doubtful_run.path, tmp_path / "run")
    run = open_run(tmp_path / "run")
    table = run.nuclei()
    first, second = table["nucleus_id"].iloc[:2].tolist()
    found, other = table["class_name"].iloc[:2].tolist()
    new = next(each for each in run.scheme.names if each not in (found, other))
    run.journal().correct([first, second], [found, other], new, by="Ada")
    half = len(table) // 2
    labels = Labels(run, table["nucleus_id"].to_numpy()[:half], tuple(table["class_name"][:half]))
    taught = teach([labels], groups=("measures",)).classifier
    classify(run, taught, name="mine")
    written = tmp_path / f"file{READERS[name].end}"
    form.write(run, written)
    told = NAMED_BY[name](written)
    assert (told["classifier"], told["classifier_sha256"]) == ("mine", taught.sha256)
    assert told["corrections"] == len(run.corrections()) > 0
    assert told["model_sha256"] == run.facts.question.model_sha256
    as_found = tmp_path / f"found{READERS[name].end}"
    form.write(run.as_found(), as_found)
    told = NAMED_BY[name](as_found)
    assert (told["classifier"], told["corrections"]) == ("", 0)


def test_columns_of_one_meaning_have_one_name(doubtful_run: Run, tmp_path: Path) -> None:
    by_name = {each.name: each for each in FORMATS}
    by_name["csv"].write(doubtful_run, tmp_path / "file.csv")
    by_name["geoparquet"].write(doubtful_run, tmp_path / "file.parquet")
    csv = pd.read_csv(tmp_path / "file.csv")
    parquet = gpd.read_parquet(tmp_path / "file.parquet")
    assert set(parquet.columns) - {"geometry"} == set(csv.columns) - {"slide", "run", "part"}
    assert csv["x_px"].to_numpy() == pytest.approx(parquet["x_px"].to_numpy())


def test_every_table_names_the_regions_of_a_nucleus(doubtful_run: Run, tmp_path: Path) -> None:
    by_name = {each.name: each for each in FORMATS}
    options = asked(doubtful_run, exclude=False, part=False, other=False, min_score=0.0)
    for name in ("csv", "geoparquet", "anndata"):
        by_name[name].write(doubtful_run, tmp_path / f"file{READERS[name].end}", options)
    csv = pd.read_csv(tmp_path / "file.csv", keep_default_na=False)
    half = doubtful_run.region.x + doubtful_run.region.width * 0.6
    assert list(csv["roi"]) == ["left" if x < half else "" for x in csv["x_px"]]
    assert set(csv["roi"]) == {"left", ""}
    assert list(gpd.read_parquet(tmp_path / "file.parquet")["roi"]) == list(csv["roi"])
    assert list(anndata.read_h5ad(tmp_path / "file.h5ad").obs["roi"]) == list(csv["roi"])
