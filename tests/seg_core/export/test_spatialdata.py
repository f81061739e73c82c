"""The SpatialData store, read back by spatialdata itself."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely
import spatialdata
from painted_slides import MPP, PaintedEngine, paint
from PIL import Image
from spatialdata.transformations import get_transformation

from seg_core.analysis import analyse
from seg_core.classes import OTHER, UNCERTAIN
from seg_core.errors import ExportError, SlideError, StoreError
from seg_core.export.options import ExportOptions
from seg_core.export.spatialdata import write_spatialdata
from seg_core.geometry import Region, Window
from seg_core.settings import AnalysisSettings
from seg_core.store import Run


@pytest.fixture(scope="module")
def written(painted_run: Run, tmp_path_factory: pytest.TempPathFactory) -> spatialdata.SpatialData:
    path = tmp_path_factory.mktemp("store") / "nuclei.zarr"
    assert write_spatialdata(painted_run, path) == len(named(painted_run))
    return spatialdata.read_zarr(path)


def named(run: Run):
    table = run.nuclei()
    return table[table["class_name"] != OTHER].set_index("nucleus_id", drop=False)


def in_um(store: spatialdata.SpatialData, name: str):
    return spatialdata.transform(store[name], to_coordinate_system="um")


def place(store: spatialdata.SpatialData, name: str, system: str) -> np.ndarray:
    axes = ("x", "y")
    moved = get_transformation(store[name], system)
    return moved.to_affine_matrix(input_axes=axes, output_axes=axes)


def test_outlines_are_shapes_in_level_0_pixels_and_um(
    written: spatialdata.SpatialData, painted_run: Run
) -> None:
    table = named(painted_run)
    nuclei = written.shapes["nuclei"]
    assert nuclei.index.tolist() == table["nucleus_id"].tolist()
    assert shapely.equals(nuclei.geometry.to_numpy(), table.geometry.to_numpy()).all()
    assert sorted(written.coordinate_systems) == ["global", "um"]
    np.testing.assert_allclose(in_um(written, "nuclei").area, table.geometry.area * MPP**2)
    np.testing.assert_allclose(in_um(written, "nuclei").area, table["area_um2"], rtol=0.01)


def test_measures_annotate_the_outlines(written: spatialdata.SpatialData, painted_run: Run) -> None:
    table = named(painted_run)
    measures = written.tables["measures"]
    assert measures.uns["spatialdata_attrs"]["region"] == "nuclei"
    shapes, rows = spatialdata.join_spatialelement_table(
        sdata=written, spatial_element_names="nuclei", table_name="measures", how="inner"
    )
    assert len(rows) == len(shapes["nuclei"]) == len(table)
    assert rows.obs["nucleus_id"].tolist() == shapes["nuclei"].index.tolist()
    areas = spatialdata.get_values(
        "area_um2", sdata=written, element_name="nuclei", table_name="measures"
    )
    np.testing.assert_allclose(areas["area_um2"], table["area_um2"], rtol=1e-6)
    assert rows.obs["class_name"].tolist() == table["class_name"].tolist()
    np.testing.assert_allclose(rows.obsm["spatial"], table[["x", "y"]] * MPP)
    names = rows.obs["class_name"].cat.categories
    assert rows.uns["class_name_colors"].tolist() == [painted_run.scheme.colours[n] for n in names]
    assert rows.uns["run"]["slide"] == "painted.png"


def test_the_picture_is_the_slide_and_the_class_map_that_of_the_run(
    written: spatialdata.SpatialData, painted_run: Run
) -> None:
    shown = np.moveaxis(written.images["slide"].values, 0, 2)
    with Image.open(painted_run.slide_path) as image:
        np.testing.assert_array_equal(shown, np.asarray(image))
    class_map = written.labels["class_map"].values
    np.testing.assert_array_equal(
        class_map, painted_run.maps().read(Window(0, 0, 500, 700)).class_map
    )
    classes = written.tables["classes"]
    assert classes.uns["spatialdata_attrs"]["region"] == "class_map"
    assert dict(zip(classes.obs["class_id"], classes.obs["class_name"], strict=True)) == {
        each.id: each.name for each in painted_run.scheme.classes
    }
    for name in ("slide", "class_map", "nuclei"):
        np.testing.assert_allclose(place(written, name, "global"), np.eye(3))
        np.testing.assert_allclose(place(written, name, "um"), np.diag([MPP, MPP, 1]))


def test_a_part_of_a_large_slide_lies_at_its_place(
    tmp_path: Path, painted_engines: list[PaintedEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enlarged to 0.25 µm, larger than the largest picture, and an odd corner."""
    monkeypatch.setattr("seg_core.export.spatialdata._LARGEST_PX", 800)
    paint(900, 800, seed=3).save(tmp_path / "large.png")
    settings = AnalysisSettings(tile_px=64, overlap_px=32, tissue_only=False)
    region = Region(101, 203, 700, 503)
    run = analyse(tmp_path / "large.png", tmp_path, mpp=0.5, region=region, settings=settings)
    write_spatialdata(run, tmp_path / "part.zarr")
    store = spatialdata.read_zarr(tmp_path / "part.zarr")
    assert store.images["slide"].shape == (3, 575, 800)
    step = 700 / 800
    np.testing.assert_allclose(
        place(store, "slide", "global"), [[step, 0, 101], [0, step, 203], [0, 0, 1]]
    )
    np.testing.assert_allclose(place(store, "slide", "um")[:2, 2], [50.5, 101.5])
    class_map = store.labels["class_map"].values
    assert class_map.shape == (503, 700)
    table = named(run)
    to_pixels = np.linalg.inv(place(store, "class_map", "global"))
    points = np.column_stack([table[["x", "y"]], np.ones(len(table))]) @ to_pixels.T
    columns, rows = np.floor(points[:, :2]).astype(int).T
    found = class_map[rows, columns]
    ids = [run.scheme.ids_of([name])[0] for name in table["class_name"]]
    assert np.mean(found == ids) == 1


def test_options_are_those_of_the_other_exports(doubtful_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "nuclei.zarr"
    count = write_spatialdata(
        doubtful_run, path, ExportOptions(other=True, min_score=0.7, anonymous=True)
    )
    assert count == len(doubtful_run.nuclei())
    measures = spatialdata.read_zarr(path).tables["measures"]
    uncertain = measures.obs["class_name"] == UNCERTAIN
    doubtful = (measures.obs["class_score"] < 0.7) & (measures.obs["class_name"] != OTHER)
    assert (uncertain == doubtful).all()
    assert uncertain.any()
    assert UNCERTAIN not in set(measures.obs["voted_class"])
    written = [each for each in path.rglob("*") if each.is_file()]
    assert not any(b"painted.png" in each.read_bytes() for each in written)
    assert "slide" not in measures.uns["run"]


def test_a_zip_holds_the_folder(painted_run: Run, tmp_path: Path) -> None:
    count = write_spatialdata(painted_run, tmp_path / "nuclei.zarr.zip")
    assert [each.name for each in tmp_path.iterdir()] == ["nuclei.zarr.zip"]
    with zipfile.ZipFile(tmp_path / "nuclei.zarr.zip") as file:
        file.extractall(tmp_path / "unpacked")
    store = spatialdata.read_zarr(tmp_path / "unpacked" / "nuclei.zarr")
    assert len(store.shapes["nuclei"]) == count


def test_a_run_without_nuclei_has_picture_map_and_empty_table(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "blank.png")
    run = analyse(tmp_path / "blank.png", tmp_path, mpp=MPP)
    assert write_spatialdata(run, tmp_path / "nuclei.zarr", ExportOptions(min_score=0.5)) == 0
    store = spatialdata.read_zarr(tmp_path / "nuclei.zarr")
    assert store.images["slide"].shape == (3, 30, 40)
    assert not store.labels["class_map"].values.any()
    measures = store.tables["measures"]
    assert measures.n_obs == 0
    assert "area_um2" in measures.var_names
    assert {"class_name", "voted_class", "nucleus_id"} <= set(measures.obs)


def test_a_store_is_replaced_on_demand_and_nothing_else_is(
    painted_run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "nuclei.zarr"
    write_spatialdata(painted_run, path)
    with pytest.raises(ExportError, match="exists already; give another name, or --force"):
        write_spatialdata(painted_run, path, ExportOptions(other=True))
    write_spatialdata(painted_run, path, ExportOptions(other=True, force=True))
    found = spatialdata.read_zarr(path)
    assert len(found.shapes["nuclei"]) == len(painted_run.nuclei())
    assert [each.name for each in tmp_path.iterdir()] == ["nuclei.zarr"]

    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "dear.txt").write_text("dear")
    # a store of Zarr, but of something else
    shutil.copytree(painted_run.path / "maps.zarr", tmp_path / "maps.zarr")
    (letters / "zarr.json").write_text("no JSON")
    for other in (letters, letters / "dear.txt", tmp_path / "maps.zarr"):
        with pytest.raises(ExportError, match="is something else than such a folder"):
            write_spatialdata(painted_run, other, ExportOptions(force=True))
    assert (letters / "dear.txt").read_text() == "dear"


@pytest.mark.parametrize("name", ["nuclei.zarr", "nuclei.zarr.zip"])
def test_what_fails_on_the_way_leaves_the_older_one(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_spatialdata(painted_run, tmp_path / name)

    def fail(self: spatialdata.SpatialData, path: Path) -> None:
        path.mkdir()
        (path / "zarr.json").write_text("{")
        raise StoreError("the disk is full")

    monkeypatch.setattr(spatialdata.SpatialData, "write", fail)
    with pytest.raises(StoreError, match="the disk is full"):
        write_spatialdata(painted_run, tmp_path / name, ExportOptions(force=True))
    with pytest.raises(StoreError, match="the disk is full"):
        write_spatialdata(painted_run, tmp_path / f"new-{name}")
    assert [each.name for each in tmp_path.iterdir()] == [name]
    if name.endswith(".zarr"):
        assert len(spatialdata.read_zarr(tmp_path / name).shapes["nuclei"])


def test_places_that_cannot_be_written_and_slides_that_are_gone_are_told(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    path = paint(200, 200).save(tmp_path / "slide.png")
    run = analyse(path, tmp_path / "store", mpp=MPP)
    with pytest.raises(ExportError, match="cannot be written"):
        write_spatialdata(run, tmp_path / "nowhere" / "nuclei.zarr")
    path.unlink()
    with pytest.raises(SlideError, match="there is no file"):
        write_spatialdata(run, tmp_path / "nuclei.zarr")
    assert [each.name for each in tmp_path.iterdir()] == ["store"]
