"""All runs of a store as tables."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seg_core.cohort.catalog import RunCatalog
from seg_core.cohort.journal import Journal, Outcome
from seg_core.cohort.plan import Item
from seg_core.cohort.summary import keep_summary
from seg_core.errors import CohortError
from seg_core.scoring.assessment import assess, keep_scores
from seg_core.scoring.summary import describe_run
from seg_core.settings import AnalysisSettings
from seg_core.store import Run, Store, open_run
from seg_core.til.interval import Estimate

SCORE = Estimate(12.5, 9.0, 17.0)  # a painting is too small to have one


@pytest.fixture(scope="module")
def store(painted_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A run with summary and scores, the same again without, and a damaged one."""
    store = Store(tmp_path_factory.mktemp("catalog"))
    slide = painted_run.path.parent.name
    for name in ("one", "two", "bad"):
        shutil.copytree(painted_run.path, store.path / f"{slide}-{name}" / painted_run.run_id)
    run = open_run(store.path / f"{slide}-one" / painted_run.run_id)
    keep_summary(run)
    result = assess(run)
    primary, *others = result.scores
    keep_scores(run, replace(result, scores=(replace(primary, estimate=SCORE), *others)))
    (store.path / f"{slide}-bad" / painted_run.run_id / "run.json").write_text("{")

    journal = Journal(store.path, "trial")
    items = [
        Item(painted_run.slide_path, 0.25, None, "P1", "A", {"Stage": "II", "state": "Bavaria"}),
        Item(Path("/gone.svs"), None, None, "P2", "B", {"Stage": "III", "state": ""}),
        Item(Path("/later.svs"), None, None, "P3", "B", {"Stage": "I", "state": ""}),
    ]
    settings = AnalysisSettings()
    journal.write_plan(items, "painted", "0" * 64, settings)
    keys = [item.key("0" * 64, settings) for item in items]
    folder = run.path.relative_to(store.path).as_posix()
    journal.record(Outcome(keys[0], "finished", folder))
    journal.record(Outcome(keys[1], "failed", error="there is no such slide."))
    return store


def test_each_run_has_a_row_with_its_counts_densities_and_scores(store: Store) -> None:
    table = RunCatalog(store).runs().set_index("folder").sort_index()
    assert len(table) == 2
    with_summary, without = (table.iloc[place] for place in (0, 1))
    run = open_run(store.path / table.index[0])
    classes = describe_run(run).classes.set_index("class_name")
    for name in run.scheme.names:
        assert with_summary[f"count_{name}"] == run.facts.counts[name]
        low, value, high = (with_summary[f"{name}_per_mm2{end}"] for end in ("_low", "", "_high"))
        expected = classes.loc[name]
        assert value == pytest.approx(expected["density_per_mm2"])
        assert [low, high] == pytest.approx(
            [expected["density_low"], expected["density_high"]], nan_ok=True
        )
        assert without[f"count_{name}"] == run.facts.counts[name]
    scored = assess(run)
    assert with_summary["til_reason"] == scored.reason
    assert [with_summary[f"til_{end}"] for end in ("pct", "low", "high")] == [12.5, 9.0, 17.0]
    assert with_summary["stroma_mm2"] == pytest.approx(scored.areas_mm2["stroma"])
    assert with_summary["nuclei"] == sum(run.facts.counts[name] for name in run.scheme.names)
    assert pd.isna(without["til_pct"])


def test_nuclei_of_all_runs_are_asked_in_sql(store: Store, painted_run: Run) -> None:
    catalog = RunCatalog(store)
    found = catalog.ask(
        "select r.slide, n.class_name, count(*) as n, avg(area_um2) as area "
        "from nuclei n join runs r using (folder) group by all order by all"
    )
    nuclei = painted_run.nuclei()
    by_class = nuclei.groupby("class_name")["area_um2"]
    assert found["n"].sum() == 2 * len(nuclei)
    own = found.set_index("class_name")
    np.testing.assert_allclose(own["n"].sort_index(), 2 * by_class.size().sort_index())
    np.testing.assert_allclose(own["area"].sort_index(), by_class.mean().sort_index())


def test_a_cohort_has_a_row_for_each_slide_also_for_those_without_a_run(store: Store) -> None:
    table = RunCatalog(store).cohort("trial")
    assert list(table["state"]) == ["finished", "failed", "waiting"]
    assert list(table["patient"]) == ["P1", "P2", "P3"]
    assert list(table["Stage"]) == ["II", "III", "I"]
    assert table["state (table)"].iloc[0] == "Bavaria"
    assert table["error"].iloc[1] == "there is no such slide."
    assert table["nuclei"].iloc[0] > 10
    assert table["nuclei"].iloc[1:].isna().all()


def test_an_empty_store_has_the_same_tables_without_rows(tmp_path: Path, store: Store) -> None:
    catalog, full = RunCatalog(Store(tmp_path)), RunCatalog(store)
    assert set(catalog.runs().columns) <= set(full.runs().columns)
    assert catalog.ask("select count(*) as n from nuclei")["n"].item() == 0
    assert len(catalog.classes()) == len(catalog.items()) == 0


@pytest.mark.parametrize("sql", ["select * from cells", "selct 1", "select colour from runs"])
def test_a_question_that_makes_no_sense_is_told(store: Store, sql: str) -> None:
    with pytest.raises(CohortError, match=r"cannot be answered .*; the tables are runs, classes"):
        RunCatalog(store).ask(sql)
