"""Which slides belong to a cohort."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from painted_slides import paint

from seg_core.classes import VoteWeight
from seg_core.cohort.catalog import RunCatalog
from seg_core.cohort.journal import Journal, Outcome, name_of
from seg_core.cohort.plan import CohortQuestion, Item, read_plan
from seg_core.errors import CohortError
from seg_core.geometry import Region
from seg_core.settings import AnalysisSettings
from seg_core.store import Store


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
    for name in ("z.svs", "b/a.TIFF", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    for number, series in enumerate((b"1.2", b"1.2", b"3.4")):
        head = bytes(128) + b"DICM" + b"\x20\x00\x0e\x00UI\x04\x00" + series.ljust(4, b"\0")
        (tmp_path / "b" / f"part{number}.dcm").write_bytes(head)
    items = read_plan([tmp_path])
    assert [str(item.slide.relative_to(tmp_path)) for item in items] == [
        *("b/a.TIFF", "b/part0.dcm", "b/part2.dcm", "z.svs")
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
        ("slide,stage,Stage\na.svs,1,2\n", "has several columns called stage"),
        ("Slide,slide\na.svs,b.svs\n", "has several columns called slide"),
        ('slide,group\na.svs,"A\nb.svs,B\n', "cannot be read as a CSV .unexpected end of data"),
        ("slide\na\0.svs\n", "it holds bytes that are no text"),
        ("slide\n", "^there is no slide in trial.csv;"),
        ("", "trial.csv cannot be read as a CSV .it is empty"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    table = tmp_path / "trial.csv"
    table.write_text(text)
    with pytest.raises(CohortError, match=sentence):
        read_plan([table])


def test_a_table_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match=r"there is no .*nowhere.csv; check the name"):
        read_plan([tmp_path / "nowhere.csv"])
    with pytest.raises(CohortError, match=r"there is no .*slides; check the name"):
        read_plan([tmp_path / "slides"])
    (tmp_path / "latin.csv").write_bytes("slide\nJosé.svs\n".encode("latin-1"))
    with pytest.raises(
        CohortError, match=r"latin.csv cannot be read .*; save the table as CSV in UTF-8"
    ):
        read_plan([tmp_path / "latin.csv"])


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("b.svs,a quarter", "row 3 of trial.csv has the mpp 'a quarter'; give .* 0.05 to 4"),
        ("b.svs,-1", "row 3 of trial.csv has the mpp '-1'"),
        ("b.svs,250", "row 3 of trial.csv has the mpp '250'"),
        ("b.svs,inf", "row 3 of trial.csv has the mpp 'inf'"),
        ("b.svs,0,25,P2", "row 3 of trial.csv has 4 cells where the first row has 3; .* a comma"),
        (",0.25,P2", "row 3 of trial.csv names no slide"),
        ("a.svs", "a.svs is named 2 times"),
    ],
)
def test_a_row_that_makes_no_sense_is_its_own_problem_and_the_others_go_on(
    tmp_path: Path, row: str, sentence: str
) -> None:
    table = tmp_path / "trial.csv"
    table.write_text(f"slide,mpp,patient\na.svs,0.25,P1\n{row}\nc.svs\n")
    before, bad, after = read_plan([table])
    assert re.search(sentence, str(bad.problem))
    assert (before.slide.name, before.patient, before.problem) == ("a.svs", "P1", None)
    assert (after.slide.name, after.patient, after.problem) == ("c.svs", None, None)


def test_tables_as_spreadsheets_write_them(tmp_path: Path) -> None:
    """Decimal commas, capitals, empty rows and columns at the end, two letters a character."""
    table = tmp_path / "trial.csv"
    text = "Slide;MPP;Patient;Group;Größe;\r\na b.svs;0,25;NA;A;groß;\r\n;;;;;\r\n\r\n"
    table.write_bytes(text.encode("utf-16"))
    (item,) = read_plan([table])
    assert item == Item(tmp_path / "a b.svs", 0.25, None, None, "A", {"Größe": "groß"})


def test_a_slide_by_another_name_of_its_file_is_the_same_slide(tmp_path: Path) -> None:
    (tmp_path / "a.svs").touch()
    (tmp_path / "link.svs").symlink_to("a.svs")
    table = tmp_path / "trial.csv"
    names = ["a.svs", f"../{tmp_path.name}/a.svs", "link.svs", f"{tmp_path}/a.svs", "b.svs"]
    table.write_text("\n".join(["slide", *names]))
    told = [item.problem and item.problem.partition(";")[0] for item in read_plan([table])]
    assert told == [
        None,
        "a.svs is named 2 times",
        "link.svs is named 3 times",
        "a.svs is named 4 times",
        None,
    ]


def test_the_same_mistakes_of_two_rows_are_two_items(tmp_path: Path) -> None:
    table = tmp_path / "trial.csv"
    table.write_text("slide,roi\na.svs,gone.json\na.svs,gone.json\nb.svs,\nb.svs,\nb.svs,\n")
    question = CohortQuestion("m", "0" * 64)
    assert len({item.key(question) for item in read_plan([table])}) == 5


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
    assert str(bad.problem).startswith("row 2 of trial.csv: ")
    assert good.problem is None


def test_another_file_model_or_setting_is_another_question(tmp_path: Path) -> None:
    path = paint(60, 60).save(tmp_path / "a.png")
    item, question = Item(path, 0.25), CohortQuestion("painted", "model")
    key = item.key(question)
    assert key == Item(path, 0.25, patient="P1", group="A").key(
        replace(question, model="other name")
    )
    others = {
        item.key(replace(question, model_sha256="another")),
        item.key(replace(question, settings=AnalysisSettings(views=2))),
        item.key(replace(question, region=Region(0, 0, 9, 9))),
        item.key(replace(question, region=Region(0, 0, 9, 8))),
        item.key(replace(question, til=False)),
        item.key(replace(question, votes=(VoteWeight(), VoteWeight(bias=0.5)))),
        item.key(replace(question, votes=(VoteWeight(), VoteWeight(bias=0.6)))),
        item.key(replace(question, context_head="a" * 64)),
        item.key(replace(question, context_head="b" * 64)),
        Item(path, 0.5).key(question),
        Item(path, unstated_mpp=0.25).key(question),
        Item(path).key(question),
    }
    paint(80, 60).save(path)
    others.add(item.key(question))
    path.unlink()
    others.add(item.key(question))
    assert len(others | {key}) == 15


def test_a_size_for_all_slides_leaves_alone_what_a_row_says(tmp_path: Path) -> None:
    bare, told = Item(tmp_path / "a.png"), Item(tmp_path / "a.png", 0.25)
    for overrides in (False, True):
        assert told.sized(0.5, overrides=overrides) == told
        assert bare.sized(None, overrides=overrides) == bare
    assert bare.sized(0.5, overrides=False) == replace(bare, unstated_mpp=0.5)
    assert bare.sized(0.5, overrides=True) == replace(bare, mpp=0.5)


def test_what_of_a_file_of_rois_cannot_be_used_is_a_warning_of_its_slide(tmp_path: Path) -> None:
    """One such entry failed the slide."""
    rois = write_rois(tmp_path / "rois.json", "left")
    document = json.loads(rois.read_text())
    document["features"].append(3)
    rois.write_text(json.dumps(document))
    table = tmp_path / "trial.csv"
    table.write_text("slide,roi,left_out_of_rois\none.svs,rois.json,own\ntwo.svs,,\n")
    items = read_plan([table])
    sentence = (
        "1 entry of rois.json was left out, since entry 2 of rois.json is no GeoJSON feature."
    )
    assert [item.note for item in items] == [sentence, None]
    journal = Journal(tmp_path / "store", "trial")
    journal.write_plan(items, CohortQuestion("painted", "0" * 64))
    rows = RunCatalog(Store(tmp_path / "store")).cohort("trial")
    assert rows["warnings"].fillna("").tolist() == [sentence, ""]
    assert rows["left_out_of_rois (table)"].fillna("").tolist() == ["own", ""]
    assert "left_out_of_rois" not in rows


def test_names_of_any_bytes_stand_in_plans_outcomes_and_tables(tmp_path: Path) -> None:
    """One slide whose name is not UTF-8 ended the cohort, and the tables of the whole store."""
    odd = Path(os.fsdecode(b"lat\xe9\n.png"))
    item = Item((tmp_path / odd).absolute(), 0.25)
    assert name_of([tmp_path / odd])
    journal = Journal(tmp_path / "store", "trial")
    journal.write_plan([item], CohortQuestion("painted", "0" * 64))
    key = item.key(CohortQuestion("painted", "0" * 64))
    journal.record(Outcome(key, "failed", error=f"{item.name} cannot be read."))
    catalog = RunCatalog(Store(tmp_path / "store"))
    (row,) = catalog.cohort("trial").to_dict("records")
    assert Path(row["slide_path"]) == item.slide
    assert row["slide"] == "lat\\udce9\\n.png"
    assert row["error"] == "lat\\udce9\\n.png cannot be read."
    pa.Table.from_pandas(catalog.cohort("trial").drop(columns=["slide_path"]))
    assert catalog.ask("select slide from items")["slide"].item() == "lat\\udce9\\n.png"


def test_columns_are_quoted_printable_and_not_all_of_them(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text(f"sl\x07ide,{'x' * 999}\na.png,1\n", "utf-8")
    with pytest.raises(CohortError, match="none called slide") as caught:
        read_plan([table])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
