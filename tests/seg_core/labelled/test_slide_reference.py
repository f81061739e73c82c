"""References of a slide, on the published files."""

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import shapely
from scipy import ndimage

from seg_core.classes import MONUSAC
from seg_core.errors import DataError
from seg_core.geometry import Region
from seg_core.labelled.class_mapping import guessed, mapping_of
from seg_core.labelled.labelled_image import consecutive
from seg_core.labelled.monusac_xml import draw_outlines, read_annotations
from seg_core.labelled.painting import painted
from seg_core.labelled.slide_reference import _pieces, map_classes, read_slide_reference
from seg_core.samples import sample_path
from seg_core.slide import SlideInfo, open_slide

MPP = 0.25


def test_a_published_xml_gives_the_nuclei_that_training_learns_from(shared_data: Path) -> None:
    slide_path = min((shared_data / "monusac_xml").glob("*/*.svs"))
    path = slide_path.with_suffix(".xml")
    with closing(open_slide(slide_path, mpp=MPP)) as slide:
        info = slide.info
    read = read_slide_reference(path, info, MPP)
    mapping = mapping_of(read.class_names, {}, MONUSAC)
    assert {name.lower() for name in mapping} <= {*MONUSAC.names, "ambiguous"}
    assert all(ours in (theirs.lower(), "ignore") for theirs, ours in mapping.items())
    reference = map_classes(read, mapping, MONUSAC)
    outlines = read_annotations(path, MONUSAC).outlines
    instances, class_ids, _ = draw_outlines(outlines, info.width, info.height, MONUSAC)
    mine = painted(list(reference.shapes), info.width, info.height)
    np.testing.assert_array_equal(mine, instances)
    np.testing.assert_array_equal(reference.classes, class_ids)
    assert any("says" in note for note in reference.notes), "its µm/px is another one"


def test_what_of_a_reference_cannot_be_used_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [5, 5]}
    broken = {"type": "Point", "coordinates": ["x"]}
    features = [{"type": "Feature", "geometry": each} for each in (point, broken, point)]
    path = tmp_path / "dots.geojson"
    path.write_text(json.dumps(features), "utf-8")
    info = SlideInfo(path, 20, 10, MPP, (1.0,), None, None, Region(0, 0, 20, 10))
    read = read_slide_reference(path, info, MPP)
    assert len(read.shapes) == 2
    (note,) = read.notes
    assert note.startswith("1 entry of dots.geojson was left out, since entry 2 of dots.geojson")


@pytest.mark.parametrize("seed", range(20))
def test_pieces_of_labels_are_those_of_each_label_by_itself(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 14, 2))
    labels = consecutive(rng.integers(0, rng.integers(1, 5), shape))
    pieces, owner = _pieces(labels)
    expected = []
    for number in range(1, labels.max(initial=0) + 1):
        numbered, count = ndimage.label(labels == number)
        expected += [(number, numbered == piece) for piece in range(1, count + 1)]
    assert owner.tolist() == [number for number, _ in expected]
    found = {(owner[k - 1], (pieces == k).tobytes()) for k in range(1, len(owner) + 1)}
    assert found == {(number, inside.tobytes()) for number, inside in expected}


def test_published_dots_are_read_with_their_classes(shared_data: Path, tmp_path: Path) -> None:
    rows = (shared_data / "brca_m2c" / "points.csv").read_text("utf-8").splitlines()
    image = rows[1].split(",")[0]
    own = [row for row in rows[1:] if row.startswith(f"{image},")]
    path = tmp_path / "dots.csv"
    path.write_text("\n".join([rows[0], *own]))
    with closing(
        open_slide(shared_data / "brca_m2c" / "images" / f"{image}.webp", mpp=0.5)
    ) as slide:
        read = read_slide_reference(path, slide.info, 0.5)
    reference = map_classes(read, mapping_of(read.class_names, {}, MONUSAC), MONUSAC)
    assert reference.has_dots
    told = np.array([row.split(",")[1:3] for row in own], float)
    np.testing.assert_allclose(shapely.get_coordinates(reference.shapes), told)
    names = [row.split(",")[3] for row in own]
    assert [MONUSAC.name_of(each) for each in reference.classes] == [
        guessed(name, MONUSAC) for name in names
    ]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("EPITHELIAL cells", "epithelial"),
        ("Tumour nuclei", "epithelial"),
        ("lymphocytes", "lymphocyte"),
        ("Plasma cells", "lymphocyte"),
        ("Stroma", "other"),
        ("Region*", "area"),
        ("Ignore*", "ignore"),
        ("Necrosis", "none"),
        ("", "none"),
    ],
)
def test_a_name_is_guessed_or_nothing_is_said(theirs: str, ours: str) -> None:
    assert guessed(theirs, MONUSAC) == ours


def test_a_line_without_a_place_is_named(tmp_path: Path, shared_data: Path) -> None:
    path = tmp_path / "dots.csv"
    path.write_text("x,y,class\n1,2,tumour\nfour,5,tumour\n")
    slide_path = min((shared_data / "monusac_xml").glob("*/*.svs"))
    with closing(open_slide(slide_path, mpp=MPP)) as slide:
        info = slide.info
    with pytest.raises(DataError, match=r"line 3 of dots\.csv has no place"):
        read_slide_reference(path, info, MPP)


def test_annotations_of_another_slide_are_refused_and_some_beyond_the_edge_are_told(
    tmp_path: Path,
) -> None:
    """They were kept, and every figure was 0 with an interval of 0 to 0."""
    with closing(open_slide(sample_path("hgsc_nest"), mpp=MPP)) as slide:
        info = slide.info
    path = tmp_path / "dots.csv"
    path.write_text("x,y,class\n9000,9000,tumour\n9100,9000,tumour\n")
    with pytest.raises(DataError, match=r"nothing that lies on this slide of 1,500 × 1,500 pixels"):
        read_slide_reference(path, info, MPP)
    assert read_slide_reference(path, info, MPP, MPP / 10).notes == ()
    path.write_text("x,y,class\n9000,9000,tumour\n100,100,tumour\n")
    (note,) = read_slide_reference(path, info, MPP).notes
    assert note == "1 of 2 outlines or points lies beyond the slide."
