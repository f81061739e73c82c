"""CSV, GeoJSON and GeoParquet, read back by other libraries."""

import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anndata
import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from painted_slides import PaintedEngine
from PIL import Image

from seg_core.analysis import analyse
from seg_core.classes import OTHER, UNCERTAIN, NucleusClass, rgb_of
from seg_core.errors import ExportError, SettingsError, StoreError
from seg_core.export.anndata import write_anndata
from seg_core.export.csv import write_nuclei_csv, write_summary_csv
from seg_core.export.formats import FORMATS
from seg_core.export.geojson import measurement_name, write_geojson
from seg_core.export.geoparquet import write_nuclei_geoparquet
from seg_core.export.options import ExportOptions
from seg_core.export.places import with_places
from seg_core.geometry import Raster, Region
from seg_core.nuclei import VOTED_CLASS
from seg_core.roi import Roi
from seg_core.scoring import counted
from seg_core.store import Run, open_run
from seg_core.store.chosen import chosen_nuclei
from seg_core.store.own_classes import write_own_classes

WRITERS = [pytest.param(each.write, id=each.name) for each in FORMATS]
FILE_WRITERS = [
    pytest.param(each.write, id=each.name) for each in FORMATS if each.metavar == "FILE"
]
PART_WRITERS = [
    pytest.param(each.write, id=each.name)
    for each in FORMATS
    if each.name in ("csv", "geojson", "geoparquet", "anndata", "ome-tiff")
]
"""Of formats that are written part by part as the nuclei are read."""
THRESHOLD_WRITERS = [
    pytest.param(each.write, id=each.name) for each in FORMATS if each.name != "ome-tiff"
]


def named(run: Run) -> gpd.GeoDataFrame:
    table = run.nuclei()
    return table[table["class_name"] != OTHER].reset_index(drop=True)


def test_csv_has_a_row_for_each_nucleus_that_a_class_names(
    painted_run: Run, tmp_path: Path
) -> None:
    table = named(painted_run)
    assert 0 < len(table) < len(painted_run.nuclei())
    assert write_nuclei_csv(painted_run, tmp_path / "nuclei.csv") == len(table)
    found = pd.read_csv(tmp_path / "nuclei.csv")
    assert len(found) == len(table)
    assert found["class_name"].tolist() == table["class_name"].tolist()
    np.testing.assert_allclose(found["x_px"], table["x"])
    np.testing.assert_allclose(found["y_um"], table["y"] * 0.25)
    np.testing.assert_allclose(found["area_um2"], table["area_um2"], rtol=1e-6)
    assert "geometry" not in found.columns


def test_csv_is_ascii_with_no_byte_order_mark(painted_run: Run, tmp_path: Path) -> None:
    """Excel reads UTF-8 without a mark as another encoding, which agrees on ASCII only."""
    write_nuclei_csv(painted_run, tmp_path / "nuclei.csv", ExportOptions(other=True))
    write_summary_csv(painted_run, tmp_path / "summary.csv", ExportOptions(other=True))
    assert (tmp_path / "nuclei.csv").read_bytes().startswith(b"slide,run,part,roi,nucleus_id,")
    assert (tmp_path / "nuclei.csv").read_bytes().isascii()
    assert (tmp_path / "summary.csv").read_bytes().isascii()


def test_a_region_beyond_ascii_has_a_mark_wherever_its_first_nucleus_stands(
    painted_run: Run, tmp_path: Path
) -> None:
    corner = Roi("Läsion", shapely.box(0, 0, 0.5, 0.5))
    write_nuclei_csv(painted_run, tmp_path / "nuclei.csv", ExportOptions(rois=[corner]))
    assert (tmp_path / "nuclei.csv").read_bytes().startswith(b"\xef\xbb\xbfslide,run,part,roi,")


def test_a_class_beyond_ascii_has_a_mark_wherever_its_first_nucleus_stands(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it stood in a later part of a large table, Excel read other letters."""
    folder = tmp_path / painted_run.path.parent.name / painted_run.path.name
    run = open_run(Path(shutil.copytree(painted_run.path, folder)))
    write_own_classes(folder, (NucleusClass(1, "Läsionszelle", "#102030"),))
    last = run.nuclei().iloc[-1]
    run.journal().correct([last["nucleus_id"]], [last["class_name"]], "Läsionszelle", by="ada")

    def one_by_one(*asked: Any, **more: Any) -> Iterator[gpd.GeoDataFrame]:
        whole = pd.concat(chosen_nuclei(*asked, **more))
        yield from (whole.iloc[[row]] for row in range(len(whole)))

    monkeypatch.setattr(counted, "chosen_nuclei", one_by_one)
    run = open_run(folder)
    rows = write_nuclei_csv(run, tmp_path / "nuclei.csv", ExportOptions(other=True))
    content = (tmp_path / "nuclei.csv").read_bytes()
    assert rows > 1
    assert content.count(b"\xef\xbb\xbf") == 1
    assert content.startswith(b"\xef\xbb\xbfslide,run,part,roi,")
    assert content.decode("utf-8-sig").count("Läsionszelle") == 1


def test_units_stand_at_the_end_of_a_measurement_and_names_of_classes_are_left() -> None:
    """A class called cd3_um became one that is measured in µm."""
    names = {
        "area_um2": "Area µm^2",
        "perimeter_um": "Perimeter µm",
        "haematoxylin_od": "Haematoxylin OD",
        "solidity": "Solidity",
        "class_score": "Class score",
        "share_background": "Share background",
        "share_cd3_um": "Share cd3_um",
        "share_my_odd_um2_cell": "Share my_odd_um2_cell",
        "near_um_count": "Near um count",
    }
    assert {column: measurement_name(column) for column in names} == names


def test_geoparquet_is_the_table_that_geopandas_reads(painted_run: Run, tmp_path: Path) -> None:
    table = named(painted_run)
    assert write_nuclei_geoparquet(painted_run, tmp_path / "nuclei.parquet") == len(table)
    found = gpd.read_parquet(tmp_path / "nuclei.parquet")
    assert found.crs is None
    pd.testing.assert_frame_equal(found, with_places(table, painted_run.slide_mpp, ()))
    everything = write_nuclei_geoparquet(
        painted_run, tmp_path / "all.parquet", ExportOptions(other=True)
    )
    assert everything == len(painted_run.nuclei())


def test_geoparquet_answers_duckdb(painted_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "nuclei.parquet"
    write_nuclei_geoparquet(painted_run, path)
    with duckdb.connect() as connection:
        found = connection.execute(
            "select class_name, count(*), sum(area_um2), avg(x_px) from read_parquet(?) group by 1",
            [str(path)],
        ).fetchall()
    groups = named(painted_run).groupby("class_name")
    assert {row[0] for row in found} == set(groups.groups)
    for name, count, area, x in found:
        group = groups.get_group(name)
        assert count == len(group)
        assert area == pytest.approx(group["area_um2"].sum())
        assert x == pytest.approx(group["x"].mean())


def test_csv_and_geojson_hold_other_on_demand(painted_run: Run, tmp_path: Path) -> None:
    everything = len(painted_run.nuclei())
    assert (
        write_nuclei_csv(painted_run, tmp_path / "all.csv", ExportOptions(other=True)) == everything
    )
    assert (
        write_geojson(painted_run, tmp_path / "all.geojson", ExportOptions(other=True))
        == everything
    )
    assert len(pd.read_csv(tmp_path / "all.csv")) == everything
    assert len(gpd.read_file(tmp_path / "all.geojson")) == everything
    write_summary_csv(painted_run, tmp_path / "summary.csv", ExportOptions(other=True))
    assert OTHER in set(pd.read_csv(tmp_path / "summary.csv")["class_name"])


def test_summary_counts_what_the_run_counts(painted_run: Run, tmp_path: Path) -> None:
    write_summary_csv(painted_run, tmp_path / "summary.csv")
    found = pd.read_csv(tmp_path / "summary.csv").set_index("class_name")
    assert list(found.index) == list(painted_run.scheme.names)
    for name in painted_run.scheme.names:
        assert found.loc[name, "count"] == painted_run.facts.counts[name]


def test_geojson_is_what_qupath_reads(painted_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "nuclei.geojson"
    table = named(painted_run)
    assert write_geojson(painted_run, path) == len(table)
    document = json.loads(path.read_text("utf-8"))
    assert document["type"] == "FeatureCollection"
    first = document["features"][0]
    assert first["type"] == "Feature"
    assert first["properties"]["objectType"] == "detection"
    assert first["properties"]["classification"] == {
        "name": table["class_name"][0],
        "color": list(rgb_of(painted_run.scheme.colours[table["class_name"][0]])),
    }
    assert first["properties"]["measurements"]["Area µm^2"] == pytest.approx(
        table["area_um2"][0], abs=1e-3
    )
    ring = first["geometry"]["coordinates"][0]
    assert first["geometry"]["type"] == "Polygon"
    assert ring[0] == ring[-1]
    assert len({feature["id"] for feature in document["features"]}) == len(table)


def test_geojson_read_back_has_the_same_outlines(painted_run: Run, tmp_path: Path) -> None:
    write_geojson(painted_run, tmp_path / "nuclei.geojson")
    found = gpd.read_file(tmp_path / "nuclei.geojson")
    assert found.geometry.is_valid.all()
    assert (found.geometry.geom_type == "Polygon").all()
    different = shapely.symmetric_difference(
        found.geometry.to_numpy(), named(painted_run).geometry.to_numpy()
    )
    assert shapely.area(different).max() < 0.5


@pytest.mark.parametrize("suffix", ["geojson", "geojson.gz"])
def test_geojson_is_the_same_each_time(painted_run: Run, tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{name}.{suffix}" for name in ("a", "b")]
    for path in paths:
        write_geojson(painted_run, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_packed_geojson_is_the_same_text(painted_run: Run, tmp_path: Path) -> None:
    write_geojson(painted_run, tmp_path / "a.geojson")
    write_geojson(painted_run, tmp_path / "a.geojson.gz")
    packed = (tmp_path / "a.geojson.gz").read_bytes()
    assert len(packed) < (tmp_path / "a.geojson").stat().st_size / 4
    assert gzip.decompress(packed) == (tmp_path / "a.geojson").read_bytes()


def test_simplified_outlines_are_fewer_corners_of_the_same_nuclei(
    painted_run: Run, tmp_path: Path
) -> None:
    table = named(painted_run)
    assert write_geojson(
        painted_run, tmp_path / "a.geojson", ExportOptions(simplify_um=0.5)
    ) == len(table)
    found = gpd.read_file(tmp_path / "a.geojson")
    assert found.geometry.is_valid.all()
    before, after = table.geometry.to_numpy(), found.geometry.to_numpy()
    assert shapely.get_num_coordinates(after).sum() < shapely.get_num_coordinates(before).sum() / 2
    # 0.5 µm are 2 px here; half a hundredth comes from rounding
    assert shapely.hausdorff_distance(before, after).max() <= 2.01
    documents = json.loads((tmp_path / "a.geojson").read_text("utf-8"))["features"]
    areas = [each["properties"]["measurements"]["Area µm^2"] for each in documents]
    np.testing.assert_allclose(areas, table["area_um2"], atol=1e-3)


def test_an_outline_that_simplifying_would_break_stays(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bowtie = shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])
    write_geojson(painted_run, tmp_path / "a.geojson")
    monkeypatch.setattr(shapely, "simplify", lambda found, _: np.full(len(found), bowtie))
    write_geojson(painted_run, tmp_path / "b.geojson", ExportOptions(simplify_um=0.5))
    assert (tmp_path / "b.geojson").read_bytes() == (tmp_path / "a.geojson").read_bytes()


@pytest.mark.parametrize("distance", [-1.0, float("nan"), float("inf")])
def test_a_tolerance_below_0_is_refused(painted_run: Run, tmp_path: Path, distance: float) -> None:
    with pytest.raises(ExportError, match=r"simplified by .* µm; give 0 or more"):
        write_geojson(painted_run, tmp_path / "a.geojson", ExportOptions(simplify_um=distance))
    assert list(tmp_path.iterdir()) == []


def test_geojson_counts_from_the_corner_of_the_bounds(painted_run: Run, tmp_path: Path) -> None:
    """QuPath shows a MIRAX slide cut to its bounds."""
    raster = Raster(Region(100, 40, 500, 700), mpp=0.25, downsample=1.0)
    question = replace(painted_run.facts.question, raster=raster)
    moved = Run(painted_run.path, replace(painted_run.facts, question=question))
    write_geojson(painted_run, tmp_path / "a.geojson")
    write_geojson(moved, tmp_path / "b.geojson")
    here = gpd.read_file(tmp_path / "a.geojson").geometry
    there = gpd.read_file(tmp_path / "b.geojson").geometry
    assert there.translate(100, 40).geom_equals_exact(here, 1e-6).all()


def test_all_files_call_the_same_nuclei_uncertain(doubtful_run: Run, tmp_path: Path) -> None:
    least = 0.6
    table = named(doubtful_run)
    expected = table["class_name"].mask(table["class_score"] < least, UNCERTAIN).tolist()
    assert 10 < expected.count(UNCERTAIN) < len(expected) - 10
    voted = table["class_name"].tolist()

    write_nuclei_csv(doubtful_run, tmp_path / "n.csv", ExportOptions(min_score=least))
    write_nuclei_geoparquet(doubtful_run, tmp_path / "n.parquet", ExportOptions(min_score=least))
    for found in (pd.read_csv(tmp_path / "n.csv"), gpd.read_parquet(tmp_path / "n.parquet")):
        assert found["class_name"].tolist() == expected
        assert found[VOTED_CLASS].tolist() == voted

    write_anndata(doubtful_run, tmp_path / "n.h5ad", ExportOptions(min_score=least))
    obs = anndata.read_h5ad(tmp_path / "n.h5ad").obs
    assert obs["class_name"].tolist() == expected
    assert obs[VOTED_CLASS].tolist() == voted

    write_geojson(doubtful_run, tmp_path / "n.geojson", ExportOptions(min_score=least))
    features = json.loads((tmp_path / "n.geojson").read_text("utf-8"))["features"]
    properties = [each["properties"] for each in features]
    assert [each["classification"]["name"] for each in properties] == expected
    told = [each.get("metadata", {}).get(VOTED_CLASS) for each in properties]
    pairs = zip(expected, voted, strict=True)
    assert told == [was if now == UNCERTAIN else None for now, was in pairs]

    write_summary_csv(doubtful_run, tmp_path / "s.csv", ExportOptions(min_score=least))
    summary = pd.read_csv(tmp_path / "s.csv").set_index("class_name")
    assert summary["count"].to_dict() == {
        name: expected.count(name) for name in (*doubtful_run.scheme.names, UNCERTAIN)
    }


@pytest.mark.parametrize("write", THRESHOLD_WRITERS)
def test_a_threshold_that_is_no_share_is_refused(painted_run: Run, tmp_path: Path, write) -> None:
    with pytest.raises(SettingsError, match="least class score is 7; give a share"):
        write(painted_run, tmp_path / "file", ExportOptions(min_score=7))
    assert list(tmp_path.iterdir()) == []


def test_the_summary_tells_what_densities_divide_by(painted_run: Run, tmp_path: Path) -> None:
    write_summary_csv(painted_run, tmp_path / "summary.csv")
    found = pd.read_csv(tmp_path / "summary.csv")
    assert found["tissue_um2"].unique() == pytest.approx([painted_run.facts.tissue_um2], abs=0.1)
    assert found["no_interval"].str.contains("at least 20 squares").all()
    assert {"density_low", "mean_perimeter_um", "q3_eosin_od"} <= set(found.columns)


@pytest.mark.parametrize("write", FILE_WRITERS)
def test_a_file_is_replaced_only_when_forced(painted_run: Run, tmp_path: Path, write) -> None:
    path = tmp_path / "file"
    write(painted_run, path)
    first = path.stat()
    with pytest.raises(ExportError, match=r"file exists already; .* --force"):
        write(painted_run, path)
    assert path.stat().st_mtime_ns == first.st_mtime_ns
    write(painted_run, path, ExportOptions(force=True))
    assert path.stat().st_mtime_ns > first.st_mtime_ns


@pytest.mark.parametrize("write", FILE_WRITERS)
def test_a_file_of_another_kind_is_never_replaced(painted_run: Run, tmp_path: Path, write) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"%PDF-1.7 mine")
    with pytest.raises(ExportError, match=r"is a PDF, .* and is not replaced; give another name"):
        write(painted_run, path, ExportOptions(force=True))
    assert path.read_bytes() == b"%PDF-1.7 mine"


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_in_no_folder_is_one_sentence(painted_run: Run, tmp_path: Path, write) -> None:
    with pytest.raises(ExportError, match=r"cannot be written \(No such file.*another place"):
        write(painted_run, tmp_path / "nowhere/file")


@pytest.mark.parametrize("write", WRITERS)
def test_an_unfinished_run_has_nothing_to_export(painted_run: Run, tmp_path: Path, write) -> None:
    stopped = Run(painted_run.path, replace(painted_run.facts, status="stopped"))
    with pytest.raises(StoreError, match="is stopped and has no nuclei yet"):
        write(stopped, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", PART_WRITERS)
def test_a_failed_export_leaves_nothing_behind(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write
) -> None:
    def one_part(run: Run) -> object:
        yield run.nuclei()
        raise StoreError("nuclei.parquet is damaged")

    monkeypatch.setattr(Run, "nuclei_in_parts", one_part)
    with pytest.raises(StoreError, match="is damaged"):
        write(painted_run, tmp_path / "file.tif")
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_nuclei_is_exported_as_empty_files(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "blank.png")
    run = analyse(tmp_path / "blank.png", tmp_path, mpp=0.25)
    assert write_nuclei_csv(run, tmp_path / "nuclei.csv") == 0
    assert len(pd.read_csv(tmp_path / "nuclei.csv").columns) > 5
    assert write_geojson(run, tmp_path / "nuclei.geojson") == 0
    assert json.loads((tmp_path / "nuclei.geojson").read_text())["features"] == []
    write_summary_csv(run, tmp_path / "summary.csv")
    assert pd.read_csv(tmp_path / "summary.csv")["count"].sum() == 0
    assert write_nuclei_geoparquet(run, tmp_path / "nuclei.parquet") == 0
    empty = gpd.read_parquet(tmp_path / "nuclei.parquet")
    assert (len(empty), list(empty.columns)) == (
        0,
        list(with_places(run.nuclei(), 0.25, ()).columns),
    )
