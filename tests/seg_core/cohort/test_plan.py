"""Which slides belong to a cohort."""

import json
from pathlib import Path

import pytest
from painted_slides import paint

from seg_core.cohort.plan import Item, read_plan
from seg_core.errors import CohortError
from seg_core.settings import AnalysisSettings


def square(side: int) -> dict[str, object]:
    ring = [[0, 0], [side, 0], [side, side], [0, side], [0, 0]]
    return {"type": "Polygon", "coordinates": [ring]}


def write_rois(path: Path, *names: str, kind: str = "include") -> Path:
    features = [
        {
            "type": "Feature",
            "geometry": square(90 + number),
            "properties": {"name": name, "kind": kind},
        }
        for number, name in enumerate(names)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_a_folder_stands_for_the_slides_in_it_and_its_folders(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.svs", "b/a.TIFF", "notes.txt", ".hidden.png", "b/series1.dcm", "b/series2.dcm"):
        (tmp_path / name).touch()
    items = read_plan([tmp_path])
    assert [str(item.slide.relative_to(tmp_path)) for item in items] == [
        *("b/a.TIFF", "b/series1.dcm", "z.svs")
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_gives_what_is_known_of_each_slide(tmp_path: Path, separator: str) -> None:
    write_rois(tmp_path / "rois.json", "left", "right")
    rows = [
        ["slide", "mpp", "roi", "patient", "group", "HER2 status"],
        ["one.svs", "0.25", "", "P1", "A", "3+"],
        ["two.svs", "", "rois.json", "P2", "", " 0 "],
    ]
    table = tmp_path / "trial.csv"
    text = "\n".join(separator.join(row) for row in rows)
    table.write_text(text, encoding="utf-8-sig")
    one, left, right = read_plan([table])
    assert one == Item(tmp_path / "one.svs", 0.25, None, "P1", "A", {"HER2 status": "3+"})
    assert (left.slide, left.patient, left.group) == (tmp_path / "two.svs", "P2", None)
    assert left.columns == {"HER2 status": "0"}
    assert [left.name, right.name] == ["two.svs, left", "two.svs, right"]
    assert left.to_json()["roi"] == "left"


def test_rois_for_all_slides_leave_those_alone_that_have_their_own(tmp_path: Path) -> None:
    write_rois(tmp_path / "own.json", "own")
    table = tmp_path / "trial.csv"
    table.write_text("slide,roi\none.svs,own.json\ntwo.svs,\n")
    items = read_plan([table], rois=write_rois(tmp_path / "all.json", "x", "y"))
    assert [item.name for item in items] == ["one.svs, own", "two.svs, x", "two.svs, y"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,group\na.svs,1\n", "has the columns file, group and none called slide"),
        ("slide,mpp\na.svs,0.25\nb.svs,a quarter\n", "row 3 of trial.csv has the mpp 'a quarter'"),
        ("slide,mpp\na.svs,-1\n", "row 2 of trial.csv has the mpp '-1'"),
        ("slide,group\n,A\n", "row 2 of trial.csv names no slide"),
        ("slide,group\na.svs,A\na.svs,B\n", "a.svs is named twice"),
        ("slide\n", "there is no slide in .*trial.csv"),
        ("", "trial.csv cannot be read as a CSV"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_its_row(
    tmp_path: Path, text: str, sentence: str
) -> None:
    table = tmp_path / "trial.csv"
    table.write_text(text)
    with pytest.raises(CohortError, match=sentence):
        read_plan([table])


@pytest.mark.parametrize(
    ("rois", "sentence"),
    [
        (lambda path: path / "missing.json", "missing.json cannot be read as GeoJSON"),
        (
            lambda path: write_rois(path / "out.json", "x", kind="exclude"),
            "out.json holds no ROI to include",
        ),
    ],
)
def test_a_roi_file_that_cannot_be_used_is_the_problem_of_its_row_alone(
    tmp_path: Path, rois: object, sentence: str
) -> None:
    file = rois(tmp_path)  # type: ignore[operator]
    (tmp_path / "trial.csv").write_text(f"slide,roi\na.svs,{file.name}\nb.svs,\n")
    bad, good = read_plan([tmp_path / "trial.csv"])
    assert sentence in str(bad.problem)
    assert good.problem is None


def test_another_file_model_or_setting_is_another_question(tmp_path: Path) -> None:
    path = paint(60, 60).save(tmp_path / "a.png")
    item, settings = Item(path, 0.25), AnalysisSettings()
    key = item.key("model", settings)
    assert key == Item(path, 0.25, patient="P1", group="A").key("model", settings)
    others = {
        item.key("another", settings),
        item.key("model", AnalysisSettings(views=2)),
        Item(path, 0.5).key("model", settings),
    }
    paint(80, 60).save(path)
    others.add(item.key("model", settings))
    path.unlink()
    others.add(item.key("model", settings))
    assert len(others | {key}) == 6
