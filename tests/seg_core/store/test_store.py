import errno
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from seg_core.classes import MONUSAC, NucleusClass
from seg_core.errors import BusyError, SettingsError, StoreError
from seg_core.files.atomic import temporary_beside
from seg_core.files.locks import locked
from seg_core.geometry import Raster, Region
from seg_core.question import Question
from seg_core.settings import AnalysisSettings
from seg_core.slide import SlideInfo
from seg_core.store import RowRange, RowRanges, RunFacts, RunWriter, Store, open_run
from seg_core.store import store as store_module
from seg_core.store.answer import Answer, forget_answer, write_answer
from seg_core.store.journal import Journal
from seg_core.store.label import name_run, read_label
from seg_core.store.limit import store_limit
from seg_core.store.own_classes import write_own_classes
from seg_core.store.rois import ROI_FILE
from seg_core.store.said import nobody_corrects, said_by_reader
from tests.waiting import ROOT, start_waiting

WHOLE = Region(0, 0, 4000, 2000)
SLIDE = SlideInfo(Path("/slides/a.svs"), 4000, 2000, 0.25, (1.0,), None, None, WHOLE)
FACTS = RunFacts(
    question=Question(
        "a-01", Raster(WHOLE, mpp=0.25, downsample=1.0), WHOLE, None, "m", "0", AnalysisSettings()
    ),
    slide=SLIDE,
    scheme=MONUSAC,
    status="finished",
    engine="torch",
    precision="fp32",
    versions={},
    started="2026-01-01T00:00:00+00:00",
)
MAPS = 100_000
SPARE = 20_000  # for the small files of some runs


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Four runs of two slides, the oldest first; the last one has been stopped long ago.

    The third is of a part of its slide.
    """
    made = []
    for number, (slide, day) in enumerate([("a-01", 3), ("b-02", 4), ("a-01", 5), ("b-02", 1)]):
        folder = tmp_path / slide / f"run-{number}"
        folder.mkdir(parents=True)
        (folder / "maps").write_bytes(b"m" * MAPS)
        time = f"2026-02-0{day}T00:00:00+00:00"
        status = "stopped" if number == 3 else "finished"
        region = Region(0, 0, 100, 100) if number == 2 else WHOLE
        question = replace(FACTS.question, region=region)
        facts = replace(FACTS, question=question, status=status, finished=time, started=time)
        RunWriter(folder).write_facts(facts)
        made.append(folder)
    return made


def left(runs: list[Path]) -> list[int]:
    return [number for number, run in enumerate(runs) if run.exists()]


@pytest.mark.parametrize(
    ("wanted", "stay"), [(0, [0, 1, 2, 3]), (MAPS, [1, 2, 3]), (3 * MAPS, [3]), (4 * MAPS, [])]
)
def test_finished_runs_go_first_the_oldest_first(
    tmp_path: Path, runs: list[Path], wanted: int, stay: list[int]
) -> None:
    assert Store(tmp_path).shrink(4 * MAPS + SPARE, wanted=wanted)
    assert left(runs) == stay


def test_whole_runs_of_the_samples_and_runs_that_are_looked_at_stay(
    tmp_path: Path, runs: list[Path]
) -> None:
    assert not Store(tmp_path).shrink(SPARE, keep_slides=["a-01"], keep_runs=[runs[1]])
    assert left(runs) == [0, 1]


def test_a_run_that_a_process_works_on_stays(tmp_path: Path, runs: list[Path]) -> None:
    with locked(runs[0]):
        assert Store(tmp_path).shrink(3 * MAPS + SPARE)
        assert left(runs) == [0, 2, 3]
        assert open_run(runs[0]).status == "finished"


def test_a_run_that_somebody_corrected_stays(tmp_path: Path, runs: list[Path]) -> None:
    """What was found is found again; what somebody said is not."""
    for run in runs:
        Journal(run).correct([1], ["other"], "lymphocyte", by="ada")
    assert not Store(tmp_path).shrink(SPARE)
    assert all(run.is_dir() for run in runs)


def say(store: Path, run: Path, how: str) -> None:
    mine = store / "readers" / "abc" / "corrections" / run.parent.name / run.name
    mine.mkdir(parents=True)
    if how == "journal":
        Journal(run).correct([1], ["other"], "lymphocyte", by="ada")
    elif how == "reader's journal":
        Journal(mine).correct([1], ["other"], "lymphocyte", by="reader abc")
    elif how == "classes":
        write_own_classes(run, [NucleusClass(1, "plasma cell", "#123456")])
    elif how == "reader's classes":
        write_own_classes(mine, [NucleusClass(1, "plasma cell", "#123456")])
    elif how == "damaged classes":
        (run / "classes.json").write_text("damaged")
    elif how == "answer":
        table = pd.DataFrame({"nucleus_id": [1], "class_name": ["other"], "class_score": [1.0]})
        write_answer(run, Answer("mine", MONUSAC, MONUSAC.names, table))
    elif how == "no classes":
        write_own_classes(run, [])
    elif how == "empty journal":
        (mine / "corrections.jsonl").touch()
    else:
        name_run(run, "second look")


SAID = ["journal", "reader's journal", "classes", "reader's classes", "damaged classes", "answer"]


@pytest.mark.parametrize(
    ("how", "stays"),
    [
        *((how, True) for how in SAID),
        ("name", False),
        ("no classes", False),
        ("empty journal", False),
    ],
)
def test_a_run_of_which_somebody_said_something_stays(
    tmp_path: Path, runs: list[Path], how: str, stays: bool
) -> None:
    say(tmp_path, runs[0], how)
    Store(tmp_path).shrink(SPARE)
    assert left(runs) == ([0] if stays else [])


def test_a_run_that_is_corrected_just_before_it_goes_stays(
    tmp_path: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def correct(run: Path) -> bool:
        """The last thing that is looked at before a run is held."""
        if run == runs[0]:
            Journal(run).correct([1], ["other"], "lymphocyte", by="ada")
        return False

    monkeypatch.setattr(store_module, "is_in_use", correct)
    Store(tmp_path).shrink(SPARE)
    assert left(runs) == [0]
    assert Journal(runs[0]).said()[1].by == "ada"


def test_a_run_that_stays_after_all_has_no_journal_of_nothing(
    tmp_path: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def name_class(run: Path) -> bool:
        write_own_classes(run, [NucleusClass(1, "plasma cell", "#123456")])
        return False

    monkeypatch.setattr(store_module, "is_in_use", name_class)
    assert not Store(tmp_path).shrink(SPARE)
    assert not list(tmp_path.glob("*/*/corrections.jsonl"))


def test_a_run_that_somebody_begins_to_work_on_just_before_it_goes_stays(
    tmp_path: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "is_in_use", lambda _run: False)
    with locked(runs[0]):
        assert not Store(tmp_path).shrink(SPARE)
    assert left(runs) == [0]


CORRECTING = """
from seg_core.errors import StoreError
from seg_core.store.journal import Journal

try:
    Journal(Path(sys.argv[1])).correct([1], ["other"], "lymphocyte", by="ada")
    print("is kept")
except StoreError as error:
    print(error)
"""


def test_who_corrects_a_run_while_it_goes_is_told_so(tmp_path: Path, runs: list[Path]) -> None:
    """The correction was confirmed, and written into a file that had no name any more."""
    with nobody_corrects(runs[0]):
        process = start_waiting(CORRECTING, runs[0])
        shutil.rmtree(runs[0])
    told, _ = process.communicate()
    assert told.strip().endswith("it was deleted or moved meanwhile.")
    assert not runs[0].exists()


def test_what_a_killed_process_was_removing_is_no_run_and_goes_with_the_next(
    tmp_path: Path, runs: list[Path]
) -> None:
    going = runs[0].with_name(".run-0.01234567.going")
    runs[0].rename(going)
    store = Store(tmp_path)
    assert [run.path for run in store.runs()] == [runs[number] for number in (2, 1, 3)]
    assert [run.path for run in store.runs("a-01")] == [runs[2]]
    assert list(store.damage()) == []
    store.delete(open_run(runs[2]))
    assert not (tmp_path / "a-01").exists()


MOVED_HALFWAY = """
import os, shutil, signal, sys
from pathlib import Path

from seg_core.store import Store, open_run

def copy_some(source, goal, **_):
    goal.mkdir(parents=True)
    (goal / "run.json").write_text("{}")
    os.kill(os.getpid(), signal.SIGKILL)

shutil.copytree = copy_some
run = open_run(Path(sys.argv[1]))
Store(run.path.parents[1]).move(run, Store(Path(sys.argv[2])))
"""


@pytest.mark.parametrize("what_next", ["move", "delete", "work", "shrink"])
def test_what_a_killed_process_had_moved_goes_with_whatever_comes_next(
    tmp_path: Path, runs: list[Path], what_next: str
) -> None:
    """It stayed for good, and counted for the size of the store."""
    store, other = Store(tmp_path), Store(tmp_path / "other")
    here = open_run(runs[0])
    beside = other.path / runs[0].parent.name / "run-9"
    shutil.copytree(runs[0], beside)
    program = [sys.executable, "-c", MOVED_HALFWAY, str(runs[0]), str(other.path)]
    search = os.pathsep.join([str(ROOT), *sys.path])
    ended = subprocess.run(program, env={**os.environ, "PYTHONPATH": search}, check=False)
    assert ended.returncode == -signal.SIGKILL
    (left_over,) = beside.parent.glob(".*.tmp")
    at_work = temporary_beside(beside.parent / "run-7")
    at_work.mkdir()
    match what_next:
        case "move":
            assert store.move(here, other).path.is_dir()
        case "delete":
            other.delete(open_run(beside))
        case "work":
            with other.writing(open_run(beside).facts.question):
                pass
        case "shrink":
            other.shrink(10**9)
    assert not left_over.exists()
    assert at_work.is_dir(), "somebody is at it"


def test_what_else_lies_in_the_store_counts_and_stays(tmp_path: Path, runs: list[Path]) -> None:
    rois = tmp_path / "a-01" / "rois.geojson"
    upload = tmp_path / "uploads" / "token" / "slide.svs"
    damaged = tmp_path / "c-03" / "run-9" / "run.json"
    for path, content in ((rois, "{}"), (upload, "u" * MAPS), (damaged, "no JSON")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert Store(tmp_path).shrink(4 * MAPS + SPARE)
    assert left(runs) == [1, 2, 3]
    assert not Store(tmp_path).shrink(MAPS // 2)
    assert left(runs) == []
    assert not (tmp_path / "b-02").exists()
    assert rois.exists()
    assert upload.exists()
    assert damaged.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x80", b'{"format": 5}'])
def test_a_damaged_run_keeps_no_room_from_others(
    tmp_path: Path, runs: list[Path], content: bytes
) -> None:
    """One byte in a run's facts had every analysis refused where the store has a limit."""
    (runs[0] / "run.json").write_bytes(content)
    assert Store(tmp_path).shrink(4 * MAPS + SPARE, wanted=2 * MAPS)
    assert len(left(runs)) <= 2


def test_a_store_that_is_not_there_has_room(tmp_path: Path) -> None:
    assert Store(tmp_path / "none").shrink(1)


@pytest.mark.parametrize(("said", "bytes_"), [(None, None), ("", None), ("2.5", 2_500_000_000)])
def test_the_limit_is_said_in_gigabytes(
    monkeypatch: pytest.MonkeyPatch, said: str | None, bytes_: int | None
) -> None:
    if said is None:
        monkeypatch.delenv("SEG_STORE_LIMIT", raising=False)
    else:
        monkeypatch.setenv("SEG_STORE_LIMIT", said)
    assert store_limit() == bytes_


@pytest.mark.parametrize("said", ["plenty", "0", "-1", "inf"])
def test_a_limit_that_is_none_is_a_sentence(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("SEG_STORE_LIMIT", said)
    with pytest.raises(SettingsError, match="give a number of gigabytes above 0"):
        store_limit()


def test_all_runs_are_listed_the_latest_first(tmp_path: Path, runs: list[Path]) -> None:
    store = Store(tmp_path)
    assert [run.path for run in store.runs()] == [runs[number] for number in (2, 1, 0, 3)]
    assert [run.path for run in store.runs("b-02")] == [runs[1], runs[3]]
    assert store.runs("c-03") == []
    assert Store(tmp_path / "none").runs() == []


def test_a_run_is_found_by_its_question_and_by_no_other(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.find(FACTS.question) is None
    with store.writing(FACTS.question) as writer:
        written = writer.write_facts(FACTS)
    assert written.path == store.folder(FACTS.question)
    assert store.find(FACTS.question) == written
    assert store.find(replace(FACTS.question, region=Region(0, 0, 100, 100))) is None
    assert store.runs() == [written]


def test_two_cannot_write_the_run_of_a_question(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with (
        store.writing(FACTS.question),
        pytest.raises(StoreError, match="another process is already at this analysis"),
        store.writing(FACTS.question),
    ):
        pass


def test_the_size_is_that_of_all_files(tmp_path: Path, runs: list[Path]) -> None:
    store = Store(tmp_path)
    each = [store.size(run) for run in store.runs()]
    assert all(MAPS < size < MAPS + SPARE for size in each)
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "slide.svs").write_bytes(b"u" * 1000)
    assert store.size() == sum(each) + 1000


def test_a_run_that_is_deleted_is_gone_and_says_what_it_freed(
    tmp_path: Path, runs: list[Path]
) -> None:
    store = Store(tmp_path)
    latest, *others = store.runs()
    size = store.size(latest)
    assert store.delete(latest) == size
    assert store.runs() == others
    assert not latest.path.exists()
    assert latest.path.parent.exists()  # with another run of the slide


def test_a_run_that_a_process_works_on_is_not_deleted(tmp_path: Path, runs: list[Path]) -> None:
    store = Store(tmp_path)
    with locked(runs[0]), pytest.raises(StoreError, match="wait until it is done"):
        store.delete(open_run(runs[0]))
    assert left(runs) == [0, 1, 2, 3]


def test_a_run_that_is_moved_is_there_whole_with_its_name_and_no_longer_here(
    tmp_path: Path, runs: list[Path]
) -> None:
    name_run(runs[0], "second look")
    Journal(runs[0]).correct([1], ["lymphocyte"], None, by="A")
    with Store(tmp_path).writing(FACTS.question):
        pass  # leaves a lease somewhere else in the store
    other = Store(tmp_path / "archive" / "2026")
    moved = Store(tmp_path).move(open_run(runs[0]), other)
    assert moved.path == other.path / "a-01" / "run-0"
    assert read_label(moved.path).name == "second look"
    assert moved.journal().said()[1].by == "A"
    assert (moved.path / "maps").stat().st_size == MAPS
    assert not runs[0].exists()
    assert [path.name for path in moved.path.parent.iterdir()] == ["run-0"]
    assert not list(moved.path.glob("lease-*"))


def test_the_regions_of_a_slide_go_along_with_its_run(tmp_path: Path, runs: list[Path]) -> None:
    """What was left out counted again where a run was moved to."""
    regions = runs[0].parent / ROI_FILE
    regions.write_text("here")
    moved = Store(tmp_path).move(open_run(runs[0]), Store(tmp_path / "archive"))
    assert (moved.path.parent / ROI_FILE).read_text() == regions.read_text() == "here"
    (tmp_path / "other" / "a-01").mkdir(parents=True)
    (tmp_path / "other" / "a-01" / ROI_FILE).write_text("there")
    again = Store(tmp_path / "archive").move(moved, Store(tmp_path / "other"))
    assert (again.path.parent / ROI_FILE).read_text() == "there"


def test_what_is_said_while_a_run_is_moved_goes_along(
    tmp_path: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was confirmed, and deleted with the run that had been copied before."""
    Journal(runs[0]).correct([1], ["other"], "epithelial", by="ada")
    say(tmp_path, runs[0], "answer")

    def copied(_folder: Path) -> None:
        Journal(runs[0]).correct([2], ["other"], "lymphocyte", by="ada")
        name_run(runs[0], "second look")
        forget_answer(runs[0])

    monkeypatch.setattr(store_module, "sync_disk_of", copied)
    moved = Store(tmp_path).move(open_run(runs[0]), Store(tmp_path / "archive"))
    assert set(moved.journal().said()) == {1, 2}
    assert read_label(moved.path).name == "second look"
    assert moved.classifier is None
    assert not runs[0].exists()


def test_what_a_single_reader_said_of_a_run_goes_where_the_run_goes(
    tmp_path: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stayed behind, where no run is any more."""

    def place_in(store: Path, reader: str) -> Path:
        return said_by_reader(store, reader) / runs[0].parent.name / runs[0].name

    for reader in ("ada", "ben"):
        place_in(tmp_path, reader).mkdir(parents=True)
    Journal(place_in(tmp_path, "ada")).correct([1], ["other"], "epithelial", by="ada")
    other = Store(tmp_path / "archive")

    def refuse(_run: Path) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "_remove", refuse)
        with pytest.raises(StoreError, match="no permission"):
            Store(tmp_path).move(open_run(runs[0]), other)
    assert set(Journal(place_in(tmp_path, "ada")).said()) == {1}
    assert not place_in(other.path, "ada").exists()
    moved = Store(tmp_path).move(open_run(runs[0]), other)
    assert set(moved.corrected_in(place_in(other.path, "ada")).journal().said()) == {1}
    assert list(place_in(other.path, "ben").iterdir()) == []
    assert not place_in(tmp_path, "ada").parent.exists()


def test_a_run_of_which_nothing_was_said_is_moved_without_a_journal(
    tmp_path: Path, runs: list[Path]
) -> None:
    moved = Store(tmp_path).move(open_run(runs[0]), Store(tmp_path / "archive"))
    assert {path.name for path in moved.path.iterdir()} == {"maps", "run.json"}


def test_a_run_of_which_a_range_is_at_work_is_not_moved(tmp_path: Path, runs: list[Path]) -> None:
    """It was copied first and not removed then, so that it was in both stores."""
    other = Store(tmp_path / "archive")
    ranges, rows = RowRanges(runs[3]), RowRange(0, 512, 10)
    ranges.write_plan(FACTS, [rows])
    with ranges.writing(rows), pytest.raises(BusyError):
        Store(tmp_path).move(open_run(runs[3]), other)
    assert not other.path.exists()
    assert Store(tmp_path).move(open_run(runs[3]), other).status == "stopped"


def test_a_run_that_cannot_be_removed_is_not_moved(
    tmp_path: Path, runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_run: Path) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(store_module, "_remove", refuse)
    other = Store(tmp_path / "archive")
    with pytest.raises(StoreError, match="no permission"):
        Store(tmp_path).move(open_run(runs[0]), other)
    assert left(runs) == [0, 1, 2, 3]
    assert other.runs() == []


def test_what_is_worked_on_or_there_already_is_not_moved(tmp_path: Path, runs: list[Path]) -> None:
    other = Store(tmp_path / "archive")
    with locked(runs[0]), pytest.raises(StoreError, match="another process"):
        Store(tmp_path).move(open_run(runs[0]), other)
    assert not list(other.path.glob("*/*"))
    (other.path / "a-01" / "run-0").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"has a run .* already"):
        Store(tmp_path).move(open_run(runs[0]), other)
    assert (runs[0] / "run.json").is_file()
