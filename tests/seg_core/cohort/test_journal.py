"""How far a cohort came."""

from pathlib import Path

import pytest

from seg_core.cohort.journal import (
    OUTCOMES_FILE,
    PLAN_FILE,
    Journal,
    Outcome,
    cohort_names,
    name_of,
)
from seg_core.cohort.plan import Item
from seg_core.errors import CohortError
from seg_core.settings import AnalysisSettings
from seg_core.store import Run


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path, "trial-7")
    items = [Item(Path("/slides/a.svs"), 0.25, None, "P1", "A", {"Stage": "II"})]
    journal.write_plan(items, "nuclei", "0" * 64, AnalysisSettings())
    return journal


def test_the_last_word_on_an_item_counts(journal: Journal) -> None:
    journal.record(Outcome("a", "failed", error="broken; mend it."))
    journal.record(Outcome("b", "finished", "b/1", nuclei=3))
    journal.record(Outcome("a", "finished", "a/1", nuclei=5))
    assert {key: each.nuclei for key, each in journal.outcomes().items()} == {"a": 5, "b": 3}


def test_a_line_that_was_cut_off_costs_itself_alone(journal: Journal) -> None:
    journal.record(Outcome("a", "finished", "a/1"))
    with (journal.folder / OUTCOMES_FILE).open("a") as file:
        file.write('{"key": "b", "state": "fini')
    journal.record(Outcome("c", "failed", error="no µ."))
    assert set(journal.outcomes()) == {"a", "c"}


def test_a_plan_is_read_back_with_all_columns(journal: Journal) -> None:
    (item,) = journal.read_plan()["items"]
    assert (item["slide"], item["patient"], item["group"]) == ("/slides/a.svs", "P1", "A")
    assert item["columns"] == {"Stage": "II"}
    assert cohort_names(journal.store) == ["trial-7"]


def test_a_run_that_was_removed_is_not_finished(journal: Journal, painted_run: Run) -> None:
    store = painted_run.path.parents[1]
    there = Outcome("a", "finished", painted_run.path.relative_to(store).as_posix())
    assert Journal(store, "trial").is_finished(there)
    assert not journal.is_finished(there)
    assert not journal.is_finished(Outcome("a", "failed"))
    assert not journal.is_finished(None)


def test_a_cohort_that_is_not_there_or_damaged_is_told(journal: Journal) -> None:
    with pytest.raises(CohortError, match=r"there is no cohort 'other' in .*; it has trial-7"):
        Journal(journal.store, "other").read_plan()
    (journal.folder / PLAN_FILE).write_text("{")
    with pytest.raises(CohortError, match=r"cohort\.json is damaged"):
        journal.read_plan()


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b"])
def test_a_name_that_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CohortError, match="a cohort cannot be called"):
        Journal(tmp_path, name)


def test_the_same_sources_have_the_same_name_and_others_another() -> None:
    names = [
        name_of([Path(path)]) for path in ("/a/trial 7.csv", "/a/trial 7.csv", "/b/trial 7.csv")
    ]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("trial-7-")
