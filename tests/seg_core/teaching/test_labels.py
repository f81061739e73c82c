"""Labels from files and corrections: which nuclei they name."""

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import shapely

from seg_core.errors import TeachingError
from seg_core.geometry import Region
from seg_core.store import Run
from seg_core.store.answer import Answer, write_answer
from seg_core.teaching.labels import Mark, corrected_labels, labels_of, read_marks
from seg_core.teaching.labels_file import write_labels


def geojson(path: Path, *features: tuple[shapely.Geometry, object]) -> Path:
    entries = [
        {"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": said}
        for shape, said in features
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"type": "FeatureCollection", "features": entries}), "utf-8")
    return path


def test_points_and_polygons_as_qupath_writes_them_name_nuclei(run: Run, tmp_path: Path) -> None:
    table = run.nuclei()
    first, second = table.iloc[0], table.iloc[7]
    around = shapely.Point(second["x"], second["y"]).buffer(12)
    path = geojson(
        tmp_path / "labels.geojson",
        (shapely.Point(first["x"], first["y"]), {"classification": {"name": "mitosis"}}),
        (around, {"class": "plasma cell"}),
    )
    (labels,) = labels_of(read_marks(path), [run])
    named = dict(zip(labels.nucleus_ids.tolist(), labels.names, strict=True))
    assert named == {first["nucleus_id"]: "mitosis", second["nucleus_id"]: "plasma cell"}


def test_of_two_labels_of_one_nucleus_the_later_counts(run: Run) -> None:
    nucleus = run.nuclei().iloc[3]
    place = shapely.Point(nucleus["x"], nucleus["y"])
    (labels,) = labels_of([Mark(place, "a"), Mark(place, "b")], [run])
    assert labels.names == ("b",)


def test_csv_names_slides_where_there_are_several(run: Run, tmp_path: Path) -> None:
    nucleus = run.nuclei().iloc[3]
    path = tmp_path / "labels.csv"
    row = f"{run.slide_path.name},{nucleus['x']},{nucleus['y']},melanocyte"
    path.write_text(f"slide,x,y,class\n{row}\n", "utf-8")
    assert labels_of(read_marks(path), [run])[0].names == ("melanocyte",)
    path.write_text(f"slide,x,y,class\nelse.svs{row[row.index(',') :]}\n", "utf-8")
    with pytest.raises(TeachingError, match=r"a label is of the slide else\.svs, which is none of"):
        labels_of(read_marks(path), [run])
    path.write_text(f"slide,x,y,class\n{row[row.index(',') :]}\n", "utf-8")
    assert labels_of(read_marks(path), [run])[0].names == ("melanocyte",)
    with pytest.raises(TeachingError, match="2 runs are given, and a label does not say"):
        labels_of([Mark(shapely.Point(1, 1), "a")], [run, run])


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.csv", "x,y\n1,2\n", "lacks the column class"),
        ("a.csv", "x,y,class\n1,here,a\n", "line 2 of a.csv has no x and y that are numbers"),
        ("a.csv", "x,y,class\n1,nan,a\n", "line 2 of a.csv has no x and y that are numbers"),
        ("a.csv", "x,y,class\n1,2,\n", "line 2 of a.csv names no class"),
        ("a.csv", "x,y,class\n", "holds no labels"),
        (
            "a.csv",
            "x,y,class\n1,2,uncertain\n",
            "line 2 of a.csv: a class cannot be called 'uncertain'; choose another name",
        ),
        (
            "a.csv",
            f"x,y,class\n1,2,{'a' * 61}\n",
            "line 2 of a.csv: a class has no name of 1 to 60 printable characters",
        ),
        ("a.geojson", "{", r"cannot be read as GeoJSON \(.*\); export the labels again"),
        ("a.geojson", '{"features": [3]}', "entry 1 of a.geojson is no GeoJSON feature"),
        (
            "a.geojson",
            '{"geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {}}',
            "entry 1 of a.geojson names no class",
        ),
    ],
)
def test_what_is_no_label_is_one_sentence(
    tmp_path: Path, name: str, text: str, sentence: str
) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(TeachingError, match=sentence):
        read_marks(tmp_path / name)


def test_an_entry_that_is_no_label_takes_the_others_with_it_no_more(tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", (shapely.Point(1, 2), {"classification": "mitosis"}))
    document = json.loads(path.read_text("utf-8"))
    document["features"].append(3)
    path.write_text(json.dumps(document), "utf-8")
    told: list[str] = []
    assert [mark.name for mark in read_marks(path, told.append)] == ["mitosis"]
    assert told[0].startswith("1 entry of a.geojson was left out, since entry 2 of a.geojson is no")
    with pytest.raises(TeachingError, match=r"is no GeoJSON feature; export the labels again\.$"):
        read_marks(path)


@pytest.mark.parametrize(
    ("shape", "said", "reason"),
    [
        (shapely.Point(5, 6), {}, r"entry 2 of a\.geojson names no class"),
        (
            shapely.Point(5, 6),
            {"classification": "uncertain"},
            r"entry 2 of a\.geojson: a class cannot be called 'uncertain'",
        ),
        (
            shapely.LineString([(1, 2), (5, 6)]),
            {"classification": "mitosis"},
            r"entry 2 of a\.geojson is a line, which holds no nucleus",
        ),
    ],
)
def test_an_annotation_that_names_no_nucleus_or_no_class_costs_itself_alone(
    tmp_path: Path, shape: shapely.Geometry, said: dict[str, object], reason: str
) -> None:
    """One outline without a class refused the file, and a line went unsaid."""
    path = geojson(
        tmp_path / "a.geojson",
        (shapely.Point(1, 2), {"classification": "mitosis"}),
        (shape, said),
        (shapely.Point(3, 4), {"classification": "plasma cell"}),
    )
    told: list[str] = []
    marks = read_marks(path, told.append)
    assert [mark.name for mark in marks] == ["mitosis", "plasma cell"]
    (sentence,) = told
    assert re.fullmatch(rf"1 entry of a\.geojson was left out, since {reason}\.", sentence)
    with pytest.raises(TeachingError, match=reason):
        read_marks(path)
    only = geojson(tmp_path / "only" / "a.geojson", (shape, said))
    with pytest.raises(TeachingError, match=reason.replace("entry 2", "entry 1")):
        read_marks(only, told.append)
    assert len(told) == 1


def test_labels_count_from_the_corner_of_the_bounds_both_ways(run: Run, tmp_path: Path) -> None:
    """Those of QuPath named other nuclei on slides that were scanned in part."""
    whole = run.facts.slide.bounds
    bounds = Region(30, 20, whole.width - 30, whole.height - 20)
    facts = replace(run.facts, slide=replace(run.facts.slide, bounds=bounds))
    scanned = replace(run, facts=facts)
    table = run.nuclei()
    chosen = table[(table["x"] > 60) & (table["y"] > 60)].iloc[0]
    place = shapely.Point(chosen["x"] - 30, chosen["y"] - 20)
    path = geojson(tmp_path / "labels.geojson", (place, {"classification": "mitosis"}))
    (labels,) = labels_of(read_marks(path), [scanned])
    assert labels.nucleus_ids.tolist() == [chosen["nucleus_id"]]
    again = tmp_path / "again.geojson"
    write_labels([labels], again)
    (same,) = labels_of(read_marks(again), [scanned])
    assert same.nucleus_ids.tolist() == [chosen["nucleus_id"]]
    (x, y) = json.loads(again.read_text("utf-8"))["features"][0]["geometry"]["coordinates"]
    assert shapely.Point(x, y).distance(place) < 10


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"classification": "Tumor"}, "Tumor"),
        ({"classification": {"names": ["Tumor", "Positive"]}}, "Tumor: Positive"),
        ({"classification": 7}, "7"),
        ({"class": "Tumor"}, "Tumor"),
    ],
)
def test_classes_of_labels_are_read_as_those_of_regions(
    tmp_path: Path, said: dict[str, object], name: str
) -> None:
    path = geojson(tmp_path / "a.geojson", (shapely.Point(1, 2), said))
    assert [mark.name for mark in read_marks(path)] == [name]


def test_labels_come_packed_with_a_mark_and_in_collections(tmp_path: Path) -> None:
    places = shapely.GeometryCollection(
        [shapely.MultiPoint([(1, 2), (3, 4)]), shapely.box(0, 0, 9, 9)]
    )
    path = geojson(tmp_path / "a.geojson", (places, {"class": "a"}))
    document = json.loads(path.read_text("utf-8"))
    document["features"].append({"type": "Feature", "geometry": None, "properties": {}})
    content = b"\xef\xbb\xbf" + json.dumps(document).encode()
    path.write_bytes(content)
    packed = tmp_path / "a.geojson.gz"
    packed.write_bytes(gzip.compress(content))
    for each in (path, packed):
        assert [mark.shape.geom_type for mark in read_marks(each)] == ["Point", "Point", "Polygon"]


def test_a_label_of_one_of_two_slides_of_one_name_is_refused(run: Run, tmp_path: Path) -> None:
    """It named whatever nucleus lies at its place on the first of them."""
    question = replace(run.facts.question, slide_id="another-slide")
    other = Run(run.path, replace(run.facts, question=question))
    nucleus = run.nuclei().iloc[0]
    point = shapely.Point(nucleus["x"], nucleus["y"])
    for name in (run.slide_path.name, run.slide_path.stem):
        mark = Mark(point, "melanocyte", name)
        with pytest.raises(TeachingError, match="several slides of the runs are called so"):
            labels_of([mark], [run, other])
        (found,) = labels_of([mark], [run, run])  # two analyses of one slide
        assert found.names == ("melanocyte",)
    same_stem = other.with_slide_at(run.slide_path.with_suffix(".svs"))
    (found,) = labels_of([Mark(point, "melanocyte", run.slide_path.name)], [same_stem, run])
    assert found.run is run


def test_labels_where_no_nucleus_is_are_refused(run: Run) -> None:
    with pytest.raises(TeachingError, match="no nucleus of the runs is where the labels are"):
        labels_of([Mark(shapely.Point(-500, -500), "a")], [run])


def test_corrections_are_labels_but_not_those_that_take_a_nucleus_away(run: Run) -> None:
    run.journal().correct([1, 2], ["other", "other"], "epithelial", by="a")
    run.journal().correct([2], ["epithelial"], None, by="a")
    labels = corrected_labels(run)
    assert labels.nucleus_ids.tolist() == [1]
    assert labels.names == ("epithelial",)


def test_what_was_right_already_is_a_label_and_stays_over_a_classifier(run: Run) -> None:
    called = run.nuclei().set_index("nucleus_id").loc[1, "class_name"]
    run.journal().correct([1], [called], called, by="a")
    assert corrected_labels(run).names == (called,)
    assert run.corrections() == {}
    ids = run.nuclei()["nucleus_id"]
    table = pd.DataFrame({"nucleus_id": ids, "class_name": "mitosis", "class_score": 0.5})
    write_answer(run.path, Answer("mine", run.scheme, run.scheme.names, table))
    assert run.nuclei().set_index("nucleus_id").loc[1, "class_name"] == called
    # and is told of, now that it is not what the classifier says
    assert list(run.corrections()) == [1]
    assert run.said_since()[-1] == "1 nucleus was corrected by hand."
