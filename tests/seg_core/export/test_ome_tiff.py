"""The OME-TIFF, read back by tifffile and OpenSlide."""

from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import openslide
import pytest
import shapely
import tifffile
from painted_slides import MPP, PaintedEngine, paint
from PIL import Image

from seg_core.analysis import analyse
from seg_core.classes import OTHER
from seg_core.export.ome_tiff import write_ome_tiff
from seg_core.export.options import ExportOptions
from seg_core.geometry import Region, Window
from seg_core.settings import AnalysisSettings
from seg_core.slide import open_slide
from seg_core.store import Run

OME = {"": "http://www.openmicroscopy.org/Schemas/OME/2016-06"}


def written(run: Run, path: Path, **options: bool) -> list[list[np.ndarray]]:
    write_ome_tiff(run, path, ExportOptions(**options))
    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        assert file.is_bigtiff
        assert all(page.is_tiled for series in file.series for page in series.pages)
        return [[level.asarray() for level in series.levels] for series in file.series]


@pytest.fixture
def part_of_a_large_slide(tmp_path: Path, painted_engines: list[PaintedEngine]) -> Run:
    """Enlarged to 0.25 µm, four levels, and a corner that is whole in none of the coarser ones."""
    paint(1400, 1300, seed=3).save(tmp_path / "large.png")
    settings = AnalysisSettings(tile_px=64, overlap_px=32, tissue_only=False)
    region = Region(101, 203, 1231, 1011)
    return analyse(tmp_path / "large.png", tmp_path, mpp=0.5, region=region, settings=settings)


def test_the_three_images_are_the_maps_and_the_nuclei(painted_run: Run, tmp_path: Path) -> None:
    class_map, ternary_map, nuclei = written(painted_run, tmp_path / "maps.ome.tif")
    maps = painted_run.maps()
    assert [level.shape for level in class_map] == [(700, 500), (350, 250)]
    for level, found in enumerate(class_map):
        kept = maps.read(Window(0, 0, found.shape[1], found.shape[0]), level)
        np.testing.assert_array_equal(found, kept.class_map)
        np.testing.assert_array_equal(ternary_map[level], kept.ternary_map)
    assert nuclei[0].dtype == np.uint32

    table = painted_run.nuclei()
    table = table[table["class_name"] != OTHER]
    ids, areas_px = np.unique(nuclei[0], return_counts=True)
    assert ids.tolist() == [0, *table["nucleus_id"]]
    np.testing.assert_allclose(areas_px[1:] * MPP**2, table["area_um2"])
    for nucleus_id, x, y in table[["nucleus_id", "x", "y"]].itertuples(index=False):
        rows, columns = np.nonzero(nuclei[0] == nucleus_id)
        assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((x, y))
    np.testing.assert_array_equal(nuclei[1], nuclei[0][::2, ::2])


def test_other_is_drawn_on_demand(painted_run: Run, tmp_path: Path) -> None:
    *_, nuclei = written(painted_run, tmp_path / "maps.ome.tif", other=True)
    ids = np.unique(nuclei[0])[1:]
    assert ids.tolist() == sorted(painted_run.nuclei()["nucleus_id"])


def test_a_part_has_the_maps_of_its_place(part_of_a_large_slide: Run, tmp_path: Path) -> None:
    run = part_of_a_large_slide
    images = written(run, tmp_path / "part.ome.tif", other=True)
    class_map, _, nuclei = images
    window = run.window
    assert window.x % 8 != 0
    x, y = window.x // 8 * 8, window.y // 8 * 8
    assert len(class_map) == 4
    for level, found in enumerate(class_map):
        there = Window(x >> level, y >> level, found.shape[1], found.shape[0])
        np.testing.assert_array_equal(found, run.maps().read(there, level).class_map)

    table = run.nuclei()
    ids, areas_px = np.unique(nuclei[0], return_counts=True)
    assert ids.tolist() == [0, *sorted(table["nucleus_id"])]
    areas = table.set_index("nucleus_id")["area_um2"].loc[ids[1:]]
    np.testing.assert_allclose(areas_px[1:] * run.raster.mpp**2, areas)
    columns, rows = (run.raster.from_level0(table[["x", "y"]]) - (x, y)).astype(int).T
    outlines = shapely.contains_xy(table.geometry, table["x"], table["y"])
    assert outlines.all()
    np.testing.assert_array_equal(nuclei[0][rows, columns], table["nucleus_id"])


def test_size_and_place_are_in_um(part_of_a_large_slide: Run, tmp_path: Path) -> None:
    path = tmp_path / "part.ome.tif"
    write_ome_tiff(part_of_a_large_slide, path)
    with tifffile.TiffFile(path) as file:
        root = ET.fromstring(file.ome_metadata)
    images = root.findall("Image", OME)
    assert [image.get("Name") for image in images] == ["class map", "ternary map", "nuclei"]
    # the corner (101, 203) is (202, 406) of the raster, widened to (200, 400): (100, 200)
    for image in images:
        pixels = image.find("Pixels", OME)
        assert (pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit")) == ("0.25", "µm")
        plane = pixels.find("Plane", OME)
        assert float(plane.get("PositionX")) == pytest.approx(100 * 0.5)
        assert float(plane.get("PositionY")) == pytest.approx(200 * 0.5)
    assert "2 lymphocyte" in images[0].find("Description", OME).text
    assert "level-0 pixel (100, 200)" in images[0].find("Description", OME).text


def test_openslide_shows_the_class_map_in_its_colours(painted_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "maps.ome.tif"
    write_ome_tiff(painted_run, path)
    with openslide.OpenSlide(path) as slide:
        assert slide.dimensions == (500, 700)
        assert float(slide.properties[openslide.PROPERTY_NAME_MPP_X]) == pytest.approx(MPP)
        shown = np.asarray(slide.read_region((0, 0), 0, (500, 700)).convert("RGB"))
    class_map = painted_run.maps().read(Window(0, 0, 500, 700)).class_map
    for each in painted_run.scheme.classes:
        assert (shown[class_map == each.id] == each.rgb).all()
    assert (shown[class_map == 0] == 0).all()
    with closing(open_slide(path)) as slide:
        assert slide.info.mpp == pytest.approx(MPP)


def test_a_run_without_nuclei_is_an_empty_picture(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "blank.png")
    run = analyse(tmp_path / "blank.png", tmp_path, mpp=MPP)
    for levels in written(run, tmp_path / "maps.ome.tif"):
        assert [level.shape for level in levels] == [(30, 40)]
        assert not levels[0].any()


def test_nuclei_are_drawn_whole_across_blocks_and_parts(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = written(painted_run, tmp_path / "whole.ome.tif")[2][0]
    table = painted_run.nuclei()
    monkeypatch.setattr("seg_core.export.ome_tiff._BLOCK_PX", 64)
    monkeypatch.setattr(
        Run, "nuclei_in_parts", lambda _: (table[i : i + 7] for i in range(0, len(table), 7))
    )
    in_pieces = written(painted_run, tmp_path / "pieces.ome.tif")[2][0]
    np.testing.assert_array_equal(in_pieces, whole)
