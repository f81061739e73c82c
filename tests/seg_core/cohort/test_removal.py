"""A cohort is removed from the command line; what was found stays."""

import shutil
from pathlib import Path

import pytest

from seg_core import commands as cli
from seg_core.cohort.journal import Journal, Outcome, cohort_names
from seg_core.cohort.plan import CohortQuestion, Item
from seg_core.cohort.removal import own_runs, remove_cohort
from seg_core.errors import BusyError
from seg_core.files.lease import held
from seg_core.store import Run


@pytest.fixture
def journal(painted_run: Run, tmp_path: Path) -> Journal:
    """A cohort of one slide, in a store of its own."""
    store = tmp_path / "store"
    shutil.copytree(painted_run.path.parent, store / painted_run.path.parent.name)
    journal = Journal(store, "trial")
    items = [Item(painted_run.slide_path, 0.25)]
    (key,) = journal.write_plan(items, CohortQuestion("painted", "0" * 64))
    folder = painted_run.path.relative_to(painted_run.path.parents[1]).as_posix()
    journal.record(Outcome(key, "finished", folder))
    return journal


def test_a_cohort_is_removed_and_its_run_stays(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(journal.store)
    (run,) = own_runs(journal)
    assert cli.main(["catalog", store, "--remove-cohort", "trial"]) == 0
    assert "trial is removed; the runs of its slides stay" in capsys.readouterr().out
    assert cohort_names(journal.store) == []
    assert (run.path / "run.json").is_file()
    assert cli.main(["catalog", store, "--remove-cohort", "trial"]) == 1
    assert "there is no cohort 'trial'" in capsys.readouterr().err


def test_one_that_is_at_work_stays(journal: Journal) -> None:
    with held(journal.folder), pytest.raises(BusyError, match="at work on the cohort trial; stop"):
        remove_cohort(journal)
    assert cohort_names(journal.store) == ["trial"]


def test_runs_outside_the_store_are_none_of_its_own(journal: Journal) -> None:
    (run,) = own_runs(journal)
    shutil.copytree(run.path, journal.store.parent / "elsewhere")
    (item,) = journal.read_plan()["items"]
    journal.record(Outcome(item["key"], "finished", "../elsewhere"))
    assert own_runs(journal) == []


def test_a_damaged_cohort_is_removed_too(journal: Journal) -> None:
    (journal.folder / "cohort.json").write_text("{")
    assert own_runs(journal) == []
    remove_cohort(journal)
    assert cohort_names(journal.store) == []
