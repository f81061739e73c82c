"""How far a cohort came."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seg_core.cohort.journal import (
    OUTCOMES_FILE,
    PLAN_FILE,
    Journal,
    Outcome,
    cohort_names,
    name_of,
)
from seg_core.cohort.plan import CohortQuestion, Item
from seg_core.cohort.summary import keep_summary
from seg_core.errors import CohortError
from seg_core.files.sealed import SEAL
from seg_core.scoring.assessment import assess, keep_scores
from seg_core.store import Run, open_run


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path, "trial-7")
    items = [Item(Path("/slides/a.svs"), 0.25, None, "P1", "A", {"Stage": "II"})]
    journal.write_plan(items, CohortQuestion("nuclei", "0" * 64))
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


def test_a_run_that_was_corrected_since_is_asked_again_for_its_figures(
    painted_run: Run, tmp_path: Path
) -> None:
    """Its score left the table, and the same command skipped it, so that it never came back."""
    folder = f"{painted_run.path.parent.name}/{painted_run.run_id}"
    run = open_run(Path(shutil.copytree(painted_run.path, tmp_path / folder)))
    keep_summary(run)
    keep_scores(run, assess(run))
    journal, there = Journal(tmp_path, "trial"), Outcome("a", "finished", folder)
    assert journal.is_finished(there, til=True)
    first = run.nuclei().iloc[0]
    run.journal().correct([first["nucleus_id"]], [first["class_name"]], None, by="Ada")
    assert not journal.is_finished(there, til=True)
    keep_summary(run)
    assert journal.is_finished(there)
    assert not journal.is_finished(there, til=True)
    keep_scores(run, assess(run))
    assert journal.is_finished(there, til=True)


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


@pytest.mark.parametrize(
    "change_plan",
    [
        lambda plan: plan.update(items=5),
        lambda plan: plan.update(items=[5]),
        lambda plan: plan["items"][0].pop("key"),
        lambda plan: plan["items"][0].update(slide=5),
        lambda plan: plan["items"][0].update(mpp="a quarter"),
        lambda plan: plan["items"][0].update(columns={"Stage": 2}),
        lambda plan: plan.update(model=None),
        lambda plan: plan.update(settings=[]),
    ],
)
def test_a_plan_of_other_types_is_damaged(
    journal: Journal, change_plan: Callable[[dict[str, Any]], object]
) -> None:
    path = journal.folder / PLAN_FILE
    plan = json.loads(path.read_text("utf-8"))
    plan.pop(SEAL)
    change_plan(plan)
    path.write_text(json.dumps(plan), "utf-8")
    with pytest.raises(CohortError, match=r"cohort\.json is damaged; start the cohort again"):
        journal.read_plan()


def test_a_plan_of_an_earlier_version_is_read(journal: Journal) -> None:
    path = journal.folder / PLAN_FILE
    plan = json.loads(path.read_text("utf-8"))
    plan.pop(SEAL)
    path.write_text(json.dumps(plan), "utf-8")
    assert journal.read_plan() == plan


@pytest.mark.parametrize(
    "line",
    [
        *('{"key": [], "state": "failed"}', '{"key": "b", "state": "gone"}', "5", "[" * 100_000),
        *('{"key": "b", "state": "finished", "run": 5}', '{"key": "b"}', "\ud800"),
        '{"key": "b", "state": "failed", "nuclei": "many"}',
    ],
)
def test_a_damaged_line_costs_itself_alone(journal: Journal, line: str) -> None:
    journal.record(Outcome("a", "finished", "a/1"))
    with (journal.folder / OUTCOMES_FILE).open("ab") as file:
        file.write(line.encode("utf-8", "surrogatepass") + b"\n")
    journal.record(Outcome("c", "failed", error="no µ."))
    assert set(journal.outcomes()) == {"a", "c"}
