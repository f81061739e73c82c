import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from seg_core.annotations import MANY, read_annotations, read_rois
from seg_core.errors import RegionError
from seg_core.geometry import Region
from seg_core.roi import Roi, roi_of_region

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [10, 0], [10, 10.5], [0, 10.5], [0, 0]]]}


def written(tmp_path: Path, document: Any) -> Path:
    path = tmp_path / "rois.geojson"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def feature(geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def test_region_is_the_bounding_box_in_whole_pixels() -> None:
    assert Roi("a", shapely.Polygon([(0.5, 1), (9.2, 1), (5, 7)])).region == Region(0, 1, 10, 6)
    assert roi_of_region(Region(3, 4, 5, 6)).region == Region(3, 4, 5, 6)


@pytest.mark.parametrize(
    "document",
    [
        {"type": "FeatureCollection", "features": [feature(SQUARE, name="tumour", kind="exclude")]},
        [feature(SQUARE, name="tumour", kind="exclude")],
        feature(SQUARE, name="tumour", kind="exclude"),
    ],
)
def test_every_form_qupath_writes_is_read(tmp_path: Path, document: Any) -> None:
    [roi] = read_rois(written(tmp_path, document))
    assert (roi.name, roi.kind, roi.polygon.area) == ("tumour", "exclude", 105.0)


def test_bare_geometry_gets_a_number_for_a_name(tmp_path: Path) -> None:
    [roi] = read_rois(written(tmp_path, SQUARE))
    assert (roi.name, roi.kind) == ("ROI 1", "include")


@pytest.mark.parametrize(
    ("qupath_class", "kind"), [("Ignore*", "exclude"), ("Tumor", "tumour"), ("Stroma", "include")]
)
def test_qupaths_class_says_what_the_roi_is(tmp_path: Path, qupath_class: str, kind: str) -> None:
    [roi] = read_rois(written(tmp_path, feature(SQUARE, classification={"name": qupath_class})))
    assert (roi.name, roi.kind) == (qupath_class, kind)
    assert roi.class_name == ("" if kind == "exclude" else qupath_class)


def test_a_cell_of_qupaths_class_tumor_is_no_tumour_roi(tmp_path: Path) -> None:
    cell = feature(SQUARE, classification={"name": "Tumor"}, objectType="cell")
    [roi] = read_annotations(written(tmp_path, cell)).detections
    assert (roi.kind, roi.class_name) == ("include", "Tumor")


def test_parts_of_a_multipolygon_become_rois_of_their_own(tmp_path: Path) -> None:
    away = [[[20, 0], [30, 0], [30, 10], [20, 0]]]
    several = {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"], away]}
    rois = read_rois(written(tmp_path, feature(several, name="nest")))
    assert [roi.name for roi in rois] == ["nest (1)", "nest (2)"]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("no json", "cannot be read as GeoJSON"),
        ({"type": "FeatureCollection", "features": []}, "holds no polygon"),
        (feature({"type": "Point", "coordinates": [1, 2]}), "holds no polygon"),
        ([3], "entry 1 of rois.geojson is no GeoJSON feature"),
        ("7", "entry 1 of rois.geojson is no GeoJSON feature"),
        (feature({"type": "Polygon", "coordinates": "x"}), "is no GeoJSON geometry"),
        (
            feature(SQUARE, kind="maybe"),
            "is of kind 'maybe'; choose one of include, tumour, exclude",
        ),
        (
            feature({"type": "Polygon", "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]]]}),
            "encloses no area|crosses itself",
        ),
    ],
)
def test_files_that_are_no_rois_are_refused(tmp_path: Path, document: Any, sentence: str) -> None:
    with pytest.raises(RegionError, match=sentence):
        read_rois(written(tmp_path, document))


BOW = {"type": "Polygon", "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 8], [0, 0]]]}
BROKEN = [
    3,
    feature({"type": "Polygon", "coordinates": "x"}),
    feature(BOW, name="bow"),
    feature(SQUARE, kind="maybe"),
    feature({"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"], BOW["coordinates"]]}),
]


@pytest.mark.parametrize("broken", BROKEN)
def test_an_entry_that_cannot_be_used_takes_the_others_with_it_no_more(
    tmp_path: Path, broken: Any
) -> None:
    """One annotation that crosses itself refused a file of hundreds."""
    good = [feature(SQUARE, name="nest"), feature(SQUARE, name="rim")]
    path = written(tmp_path, [good[0], broken, good[1]])
    notes: list[str] = []
    assert [roi.name for roi in read_rois(path, notes.append)] == ["nest", "rim"]
    (note,) = notes
    assert note.startswith("1 entry of rois.geojson was left out, since ")
    assert note.endswith(".")
    assert "; " not in note
    found = read_annotations(path)
    assert (len(found.rois), found.unusable.count) == (2, 1)


def test_the_first_reason_is_told_of_several(tmp_path: Path) -> None:
    path = written(tmp_path, [feature(SQUARE, name="nest"), *BROKEN])
    notes: list[str] = []
    assert len(read_rois(path, notes.append)) == 1
    (note,) = notes
    assert note == (
        "5 entries of rois.geojson were left out; the first, since entry 2 of rois.geojson is no "
        "GeoJSON feature."
    )


def test_an_entry_that_cannot_be_used_is_refused_where_nobody_can_be_told(tmp_path: Path) -> None:
    with pytest.raises(RegionError, match=r"ROI 'bow' crosses itself; draw it again\.$"):
        read_rois(written(tmp_path, [feature(SQUARE), feature(BOW, name="bow")]))


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegionError, match="cannot be read"):
        read_rois(tmp_path / "nowhere.geojson")


def test_outline_that_crosses_itself_is_refused() -> None:
    with pytest.raises(RegionError, match="crosses itself"):
        Roi("bow", shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 8)]))
    with pytest.raises(RegionError, match="encloses no area"):
        Roi("flat", shapely.Polygon([(0, 0), (10, 0), (5, 0)]))


def test_class_and_colour_and_id_of_an_annotation_are_kept(tmp_path: Path) -> None:
    entry = {
        "id": "7f2e",
        **feature(SQUARE, name="nest", classification={"name": "Tumor", "color": [200, 0, 16]}),
    }
    [roi] = read_annotations(written(tmp_path, entry)).rois
    assert (roi.roi_id, roi.name, roi.class_name, roi.colour) == (
        "7f2e",
        "nest",
        "Tumor",
        "#c80010",
    )


@pytest.mark.parametrize(
    ("classification", "colour"),
    [
        ({"name": "Tumor", "colorRGB": -3670016}, "#c80000"),
        ({"name": "Tumor", "color": [1, 2]}, ""),
        ({"name": "Tumor", "color": [1, 2, 256]}, ""),
        ({"name": "Tumor", "color": "red"}, ""),
        ("Tumor", ""),
    ],
)
def test_a_colour_of_another_form_is_read_or_left_out(
    tmp_path: Path, classification: Any, colour: str
) -> None:
    [roi] = read_rois(written(tmp_path, feature(SQUARE, classification=classification)))
    assert (roi.class_name, roi.colour) == ("Tumor", colour)


def test_what_a_program_found_is_no_annotation_and_what_has_no_area_is_counted(
    tmp_path: Path,
) -> None:
    line = {"type": "LineString", "coordinates": [[0, 0], [5, 5]]}
    found = read_annotations(
        written(
            tmp_path,
            [
                feature(SQUARE, objectType="detection", name="a"),
                feature(SQUARE, objectType="cell"),
                feature(SQUARE, objectType="annotation", name="drawn"),
                feature(line, objectType="annotation"),
                feature({"type": "MultiPoint", "coordinates": [[1, 1], [2, 2]]}),
            ],
        )
    )
    assert [roi.name for roi in found.rois] == ["drawn"]
    assert len(found.detections) == 2
    assert found.left_out == {"LineString": 1, "Point": 2}


def test_more_polygons_than_anybody_draws_are_what_a_program_found(tmp_path: Path) -> None:
    few, many = ([feature(SQUARE) for _ in range(MANY + more)] for more in (0, 1))
    assert len(read_annotations(written(tmp_path, few)).rois) == MANY
    found = read_annotations(written(tmp_path, many))
    assert (len(found.rois), len(found.detections)) == (0, MANY + 1)
