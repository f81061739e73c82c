"""ROIs of files: every kind of JSON, QuPath's corner, and what is left out."""

import json
from pathlib import Path

import pytest
import shapely

from seg_core import commands as cli
from seg_core.annotations import read_rois
from seg_core.cohort.plan import read_plan
from seg_core.errors import RegionError
from seg_core.geometry import Region
from seg_core.roi import Roi, included
from tests.files_found import files_found

WHOLE = Region(0, 0, 100, 100)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bom.geojson", [("A", 3600)]),
        ("packed.geojson.gz", [("A", 3600)]),
        ("no-geometry.geojson", [("A", 3600)]),
        ("multipolygon-in-collection.geojson", [("G (1)", 3600), ("G (2)", 900)]),
        ("class-names.geojson", [("Tumor: Positive", 3600)]),
        ("class-number.geojson", [("7", 3600)]),
        ("name-number.geojson", [("7", 3600)]),
        ("class-text.geojson", [("Tumor", 3600)]),
        ("class-list.geojson", [("ROI 1", 3600)]),
        ("name-list.geojson", [("ROI 1", 3600)]),
        ("properties-list.geojson", [("ROI 1", 3600)]),
    ],
)
def test_every_square_is_read_whole(shared_cases: Path, name: str, expected) -> None:
    found = read_rois(shared_cases / "geojson-types" / name)
    assert [(roi.name, roi.polygon.area) for roi in found] == expected


def test_what_once_broke_a_page_is_read_or_one_sentence(shared_cases: Path) -> None:
    for path in files_found(shared_cases / "hostile" / "geojson-tracebacks", "*.geojson"):
        if path.name == "deep.geojson":
            with pytest.raises(RegionError) as caught:
                read_rois(path)
            assert str(caught.value) == (
                "deep.geojson cannot be read as GeoJSON (it is nested too deeply); "
                "export the ROI again."
            )
        else:
            for roi in read_rois(path):
                json.dumps(roi.to_json(), ensure_ascii=False).encode("utf-8")


def test_what_a_name_holds_can_be_written_and_read_again(tmp_path: Path) -> None:
    names = ["\ud800", "a\nb", "x" * 999, "", "   ", True, None, {"a": 1}, 1e400]
    features = [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(shapely.box(0, 0, 9, 9)),
            "properties": {"name": name},
        }
        for name in names
    ]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(features).replace("Infinity", "1e400"), "utf-8")
    for roi in read_rois(path):
        assert roi.name
        assert len(roi.name) <= 200
        assert "\n" not in roi.name


def test_what_is_to_be_left_out_is_left_out() -> None:
    drawn = [
        Roi("all", shapely.box(0, 0, 100, 100)),
        Roi("hole", shapely.box(40, 40, 60, 60), "exclude"),
    ]
    [roi] = included(drawn, WHOLE)
    assert roi.name == "all"
    assert roi.polygon.area == 100 * 100 - 20 * 20
    bar = Roi("bar", shapely.box(40, 0, 60, 100), "exclude")
    parts = included([drawn[0], bar], WHOLE)
    assert [(part.name, part.polygon.area) for part in parts] == [
        ("all (1)", 4000),
        ("all (2)", 4000),
    ]
    nest = Roi("nest", shapely.box(0, 0, 50, 50), "tumour", class_name="Tumor", colour="#c80000")
    [kept] = included([nest, drawn[1]], WHOLE)
    assert (kept.kind, kept.class_name, kept.colour) == ("tumour", "Tumor", "#c80000")
    assert included([bar], WHOLE)[0].name == "slide (1)"
    with pytest.raises(RegionError, match="all that was drawn is to be left out as well"):
        included([drawn[1], Roi("in", shapely.box(45, 45, 50, 50))], WHOLE)


@pytest.mark.parametrize(("name", "corner"), [("scan.scn", (400, 300)), ("near.scn", (60, 40))])
def test_a_roi_counts_from_the_corner_of_the_bounds(
    shared_cases: Path, tmp_path: Path, painted_engines, capsys, name: str, corner
) -> None:
    folder = shared_cases / "roi-of-a-slide-with-bounds"
    arguments = ["analyse", str(folder / name), "--roi", str(folder / "half.geojson")]
    arguments += ["--out", str(tmp_path), "--tile", "64", "--overlap", "32", "--json"]
    assert cli.main(arguments) == 0
    run = json.loads(capsys.readouterr().out.splitlines()[-1])["run"]
    facts = json.loads((Path(run) / "run.json").read_text("utf-8"))
    x, y, width, height = facts["region"]
    assert (x, y) == corner
    assert (width, height) == (128, 256)


@pytest.mark.parametrize(("name", "corner"), [("scan.scn", (400, 300)), ("near.scn", (60, 40))])
def test_a_roi_of_a_cohort_counts_from_the_corner_of_the_bounds(
    shared_cases: Path, name: str, corner: tuple[int, int]
) -> None:
    folder = shared_cases / "roi-of-a-slide-with-bounds"
    (item,) = read_plan([folder / name], rois=folder / "half.geojson")
    assert item.roi is not None
    assert item.roi.polygon.bounds[:2] == corner


def test_a_cohort_leaves_out_what_is_to_be_left_out(tmp_path: Path, painting) -> None:
    slide = painting.save(tmp_path / "painted.png")
    drawn = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[0, 0], [99, 0], [99, y], [0, y], [0, 0]]],
            },
            "properties": {"name": name, "classification": {"name": name}},
        }
        for name, y in (("Tumor", 80), ("Ignore*", 30))
    ]
    file = tmp_path / "rois.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": drawn}), "utf-8")
    (item,) = read_plan([slide], rois=file)
    assert item.roi is not None
    assert item.roi.polygon.area == 99 * 50
