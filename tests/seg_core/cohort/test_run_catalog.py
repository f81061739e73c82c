"""All runs of a store as tables."""

import errno
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from seg_core.cohort import summary
from seg_core.cohort.catalog import RunCatalog, writable_paths
from seg_core.cohort.columns import title_of
from seg_core.cohort.journal import COHORTS_FOLDER, PLAN_FILE, Journal, Outcome
from seg_core.cohort.plan import CohortQuestion, Item
from seg_core.cohort.run_rows import OUTDATED_SCORE
from seg_core.cohort.summary import SUMMARY_FILE, is_kept_for, keep_summary, read_kept
from seg_core.cohort.til_maps import MAP_FILE, is_of_scores, keep_map, map_of
from seg_core.errors import CohortError, SlideError
from seg_core.files.sealed import SEAL, write_sealed
from seg_core.roi import Roi
from seg_core.scoring import Counted, counted_of
from seg_core.scoring.assessment import TIL_FILE, assess, keep_scores
from seg_core.scoring.summary import Statistics, describe_run
from seg_core.store import Run, Store, forget_answer, open_run
from seg_core.store.answer import Answer, write_answer
from seg_core.store.rois import keep_rois
from seg_core.til import TilSettings
from seg_core.til.interval import Estimate

SCORE = Estimate(12.5, 9.0, 17.0)  # a painting is too small to have one


def copied(run: Run, store: Path) -> Path:
    """Copy a run into a store of its own, and return its folder there."""
    return Path(shutil.copytree(run.path, store / run.path.parent.name / run.run_id))


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
        Item(
            painted_run.slide_path,
            0.25,
            None,
            "P1",
            "A",
            {"Stage": "II", "state": "Bavaria", "Nuclei": "many"},
        ),
        Item(Path("/gone.svs"), None, None, "P2", "B", {"Stage": "III", "state": ""}),
        Item(Path("/later.svs"), None, None, "P3", "B", {"Stage": "I", "state": ""}),
    ]
    keys = journal.write_plan(items, CohortQuestion("painted", "0" * 64))
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


def test_a_score_by_another_definition_does_not_stand_beside_those_of_now(
    painted_run: Run, tmp_path: Path
) -> None:
    """A version that took an epithelial nucleus for sure from 0.7 on had left its scores in the table."""
    run = open_run(copied(painted_run, tmp_path))
    keep_scores(run, assess(run, settings=TilSettings(sure_score=0.7)))
    assert not is_kept_for(run, TIL_FILE)
    [row] = RunCatalog(Store(tmp_path)).runs().to_dict("records")
    assert pd.isna(row["til_evaluable"])
    assert row["til_reason"] == OUTDATED_SCORE
    keep_scores(run, assess(run))
    [row] = RunCatalog(Store(tmp_path)).runs().to_dict("records")
    assert row["til_reason"] == assess(run).reason


def test_intervals_of_another_method_do_not_stand_beside_those_of_now(
    painted_run: Run, tmp_path: Path
) -> None:
    run = open_run(copied(painted_run, tmp_path))
    kept = read_kept(keep_summary(run))
    assert is_kept_for(run, SUMMARY_FILE)
    kept["interval"]["method"] = "bootstrap"
    write_sealed(run.path / SUMMARY_FILE, kept)
    assert not is_kept_for(run, SUMMARY_FILE)


def test_what_a_region_leaves_out_counts_in_no_figure_of_a_cohort(
    painted_run: Run, tmp_path: Path
) -> None:
    """The pages left it out, and the cohort's table and `assess` counted it."""
    folder = copied(painted_run, tmp_path)
    run = open_run(folder)
    keep_summary(run)
    [before] = RunCatalog(Store(tmp_path)).runs().to_dict("records")
    x, y, width, height = run.region.to_json()
    fold = Roi("fold", shapely.box(x, y, x + width / 2, y + height), "exclude")
    keep_rois(tmp_path, folder.parent.name, [fold])
    page = describe_run(run, counted_of(run, [fold]))
    [after] = RunCatalog(Store(tmp_path)).runs().to_dict("records")
    assert 0 < after["nuclei"] == page.count < before["nuclei"]
    assert after["tissue_mm2"] == pytest.approx((page.tissue_um2 or 0) / 1e6)
    for row in page.classes.to_dict("records"):
        assert after[f"count_{row['class_name']}"] == row["count"]
        assert after[f"{row['class_name']}_per_mm2"] == pytest.approx(row["density_per_mm2"])
    assert read_kept(folder / SUMMARY_FILE)["counted"]["left_out"] == "fold"
    scored = assess(run)
    assert scored.areas_mm2["tissue"] == pytest.approx(after["tissue_mm2"], rel=0.05)
    keep_scores(run, scored)
    assert is_kept_for(run, TIL_FILE)
    keep_rois(tmp_path, folder.parent.name, [])
    assert not is_kept_for(run, TIL_FILE)  # of other nuclei than count now
    assert not is_kept_for(run, SUMMARY_FILE)


def test_figures_of_a_run_that_is_made_anew_are_not_those_of_its_nuclei(
    painted_run: Run, tmp_path: Path
) -> None:
    """Nobody had said anything, so they passed as those of whatever table was there."""
    run = open_run(copied(painted_run, tmp_path))
    keep_summary(run)
    keep_scores(run, assess(run))
    anew = replace(run, facts=replace(run.facts, seal={**run.facts.seal, "nuclei": "0" * 64}))
    for file in (SUMMARY_FILE, TIL_FILE):
        assert is_kept_for(run, file)
        assert not is_kept_for(anew, file)
        content = read_kept(run.path / file)
        assert content.pop("nuclei_checksum")
        write_sealed(run.path / file, content)
        assert is_kept_for(run, file), "figures of an earlier version go on"


def test_figures_of_corrected_nuclei_stay_where_a_run_is_moved_or_called_by_a_relative_path(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cohort kept them by the absolute path, and its table did not find them by another."""
    folder = copied(painted_run, tmp_path / "store")
    run = open_run(folder)
    run.journal().correct([1], ["other"], "lymphocyte", by="a")
    keep_summary(run)
    keep_scores(run, assess(run))
    (kept,) = RunCatalog(Store(tmp_path / "store")).runs()["stroma_mm2"]
    assert kept >= 0
    monkeypatch.chdir(tmp_path)
    here = Store(Path("store"))
    assert RunCatalog(here).runs()["stroma_mm2"].tolist() == [kept]
    here.move(open_run(folder.relative_to(tmp_path)), Store(Path("archive")))
    assert RunCatalog(Store(tmp_path / "archive")).runs()["stroma_mm2"].tolist() == [kept]
    moved = open_run(tmp_path / "archive" / folder.relative_to(tmp_path / "store"))
    moved.journal().correct([2], ["other"], "lymphocyte", by="a")
    assert RunCatalog(Store(tmp_path / "archive")).runs()["stroma_mm2"].isna().all()


def test_tissue_that_nobody_could_measure_is_not_that_of_the_whole(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where regions bound what counts it stood beside the nuclei of what they leave."""
    folder = copied(painted_run, tmp_path)
    x, y, width, height = painted_run.region.to_json()
    for left, gone in ((width / 2, True), (0, False)):
        fold = Roi("fold", shapely.box(x + left, y, x + width, y + height), "exclude")
        keep_rois(tmp_path, folder.parent.name, [fold])
        with monkeypatch.context() as patch:
            if gone:
                patch.setattr(Run, "tissue", _no_slide)
            (row,) = RunCatalog(Store(tmp_path)).runs().to_dict("records")
        assert pd.isna(row["tissue_mm2"]) if gone else row["tissue_mm2"] == 0
        assert pd.isna(row["lymphocyte_per_mm2"])


def _no_slide(_: Run) -> None:
    raise SlideError("it is gone.")


def test_a_store_that_nothing_can_be_written_to_is_listed_all_the_same(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where regions bound what counts its runs were told to be deleted."""
    folder = copied(painted_run, tmp_path)
    x, y, width, height = painted_run.region.to_json()
    fold = Roi("fold", shapely.box(x, y, x + width / 2, y + height), "exclude")
    keep_rois(tmp_path, folder.parent.name, [fold])
    monkeypatch.setattr(summary, "write_sealed", _read_only)
    (row,) = RunCatalog(Store(tmp_path)).runs().to_dict("records")
    page = describe_run(open_run(folder))
    assert row["nuclei"] == page.count
    assert row["tissue_mm2"] == pytest.approx((page.tissue_um2 or 0) / 1e6)


def _read_only(*_: object) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


def test_a_summary_is_of_the_names_that_were_read_for_it(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was corrected while it was computed stood as if it were in it."""
    run = open_run(copied(painted_run, tmp_path))

    def late(run: Run, counted: Counted) -> Statistics:
        found = describe_run(run, counted)
        lymphocytes = run.nuclei().query("class_name == 'lymphocyte'")["nucleus_id"].tolist()
        run.journal().correct(lymphocytes, ["lymphocyte"] * len(lymphocytes), "other", by="Ada")
        return found

    monkeypatch.setattr(summary, "describe_run", late)
    keep_summary(run)
    assert read_kept(run.path / SUMMARY_FILE)["classes"]["lymphocyte"]["count"] > 0
    assert not is_kept_for(run, SUMMARY_FILE)
    (row,) = RunCatalog(Store(tmp_path)).runs().to_dict("records")
    assert row["count_lymphocyte"] == row["lymphocyte_per_mm2"] == 0


def test_a_map_holds_only_beside_scores_of_the_same_names(
    painted_run: Run, tmp_path: Path, painted_slide: Path
) -> None:
    """One that was drawn of earlier names stood under a later score as if it were of it."""
    run = open_run(copied(painted_run, tmp_path))
    before = assess(run)
    run.journal().correct([1], ["other"], "lymphocyte", by="Ada")
    now = assess(run)
    keep_scores(run, now)
    with closing(run.open_slide()) as slide:
        for result in (before, now):
            keep_map(run, slide, result)
            holds = result is now
            assert (map_of(run.path, scored=True) is not None) == holds
            assert is_of_scores(run.path) == holds
    assert map_of(run.path, scored=False) is None
    (run.path / MAP_FILE).write_bytes(b"no picture")
    assert map_of(run.path, scored=True) is None


def test_the_area_of_epithelium_is_not_called_that_of_the_tumour_that_was_drawn(
    painted_run: Run, tmp_path: Path
) -> None:
    """It stood as tumour_mm2 beside the names of the ROIs of tumour, and is E alone."""
    folder = copied(painted_run, tmp_path)
    run = open_run(folder)
    x, y, width, height = run.region.to_json()
    drawn = Roi("T", shapely.box(x, y, x + width, y + height), "tumour")
    keep_rois(tmp_path, folder.parent.name, [drawn])
    scored = assess(run)
    keep_scores(run, scored)
    catalog = RunCatalog(Store(tmp_path))
    (row,) = catalog.ask("select epithelium_mm2, tumour_rois from runs").to_dict("records")
    assert row == {"epithelium_mm2": scored.areas_mm2["epithelium"], "tumour_rois": "T"}
    assert title_of("epithelium_mm2") == "epithelium, mm²"
    assert [each for each in catalog.runs() if "tumour" in each] == ["tumour_rois"]


def test_a_score_is_called_as_where_it_is_computed(painted_run: Run) -> None:
    """eTILs was called lymphocytes in epithelium, and counts those of all tissue."""
    assert title_of("etils_pct") == f"{assess(painted_run).score('etils_pct').label}, %"


def test_no_column_of_a_table_takes_the_place_of_another(tmp_path: Path) -> None:
    """One that was renamed beside ours, and one that was called so already, were one."""
    columns = {"nuclei": "few", "Nuclei (table)": "many", "NUCLEI (table) (table)": "none"}
    journal = Journal(tmp_path, "trial")
    journal.write_plan([Item(Path("/a.svs"), columns=columns)], CohortQuestion("m", "0" * 64))
    [row] = RunCatalog(Store(tmp_path)).items().to_dict("records")
    assert {row[name] for name in row if name.casefold().startswith("nuclei")} == {
        *columns.values()
    }
    names = [name.casefold() for name in row]
    assert len(set(names)) == len(names)


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


def test_names_in_sql_are_those_of_corrections_and_of_a_taught_classifier(
    painted_run: Run, tmp_path: Path
) -> None:
    """They used to be the model's, while the counts of the same catalogue were not."""
    store, slide = Store(tmp_path), painted_run.path.parent.name
    for name in ("plain", "corrected", "taught"):
        shutil.copytree(painted_run.path, tmp_path / f"{slide}-{name}" / painted_run.run_id)
    plain, corrected, taught = (
        open_run(tmp_path / f"{slide}-{name}" / painted_run.run_id)
        for name in ("plain", "corrected", "taught")
    )
    found = plain.nuclei().set_index("nucleus_id")["class_name"]
    renamed, gone = found.index[:3].tolist(), found.index[3:5].tolist()
    for run in (corrected, taught):
        run.journal().correct(renamed, found[renamed].tolist(), "macrophage", by="Ada")
        run.journal().correct(gone, found[gone].tolist(), None, by="Ada")
    answer = pd.DataFrame(
        {"nucleus_id": found.index, "class_name": "other", "class_score": np.float32(0.5)}
    )
    write_answer(taught.path, Answer("mine", taught.scheme, taught.scheme.names, answer))

    catalog = RunCatalog(store)
    nuclei = catalog.ask("select * from nuclei")
    assert len(nuclei) == 3 * len(found) - 2 * len(gone)
    for run in (plain, corrected, taught):
        folder = run.path.relative_to(tmp_path).as_posix()
        own = nuclei[nuclei["folder"] == folder].set_index("nucleus_id").sort_index()
        expected = run.nuclei().set_index("nucleus_id")
        assert own["class_name"].tolist() == expected["class_name"].tolist()
        np.testing.assert_array_equal(own["class_score"], expected["class_score"])
        assert own["found_class_name"].tolist() == found[expected.index].tolist()
        (row,) = catalog.ask(f"select * from runs where folder = '{folder}'").to_dict("records")
        for name in run.scheme.names:
            assert row[f"count_{name}"] == (own["class_name"] == name).sum()


def copied_twice(run: Run, store: Path) -> list[Run]:
    """Return the same run of two slides."""
    folders = [store / f"{run.slide_id}-{number}" / run.run_id for number in range(2)]
    return [open_run(shutil.copytree(run.path, folder)) for folder in folders]


def answer(run: Run, **more: Any) -> None:
    """Have a classifier call every nucleus *other*."""
    table = run.found_columns(["nucleus_id"]).assign(class_name="other", class_score=0.5)
    write_answer(run.path, Answer("mine", run.scheme, run.scheme.names, table, **more))


COUNTED = "select folder, class_name, count(*) as n from nuclei group by all order by all"


def test_nuclei_of_a_store_whose_name_reads_as_a_pattern_are_its_own(
    painted_run: Run, tmp_path: Path
) -> None:
    """Nuclei of the store beside it were counted, too."""
    for name in ("store?", "stores"):
        copied(painted_run, tmp_path / name)
    catalog = RunCatalog(Store(tmp_path / "store?"))
    assert len(catalog.ask("select * from nuclei")) == len(painted_run.nuclei())


@pytest.mark.parametrize("file", ["answer.parquet", "nuclei.parquet"])
def test_a_run_whose_nuclei_or_answer_are_damaged_costs_no_question_about_the_others(
    painted_run: Run, tmp_path: Path, file: str
) -> None:
    """Each question failed, that about runs alone too."""
    whole, damaged = copied_twice(painted_run, tmp_path)
    answer(damaged)
    (damaged.path / file).write_bytes(b"PAR1")
    catalog = RunCatalog(Store(tmp_path))
    assert len(catalog.ask("select folder from runs")) >= 1
    counts = catalog.ask(COUNTED).set_index("class_name")["n"]
    assert counts.to_dict() == {name: n for name, n in whole.counts().items() if n}


def test_an_answer_about_the_nuclei_of_an_earlier_analysis_names_none_in_sql(
    painted_run: Run, tmp_path: Path
) -> None:
    run, outdated = copied_twice(painted_run, tmp_path)
    answer(outdated, nuclei="0" * 64)
    table = RunCatalog(Store(tmp_path)).ask(COUNTED)
    first, second = (each["n"].tolist() for _, each in table.groupby("folder"))
    assert first == second
    assert sum(first) == len(run.nuclei())


def test_what_is_answered_anew_between_two_questions_changes_no_second_answer(
    painted_run: Run, tmp_path: Path
) -> None:
    """The classifier's file was read once more, and the question failed where it was gone."""
    plain, taught = copied_twice(painted_run, tmp_path)
    answer(taught)
    catalog = RunCatalog(Store(tmp_path))
    before = catalog.ask(COUNTED)
    forget_answer(taught.path)
    pd.testing.assert_frame_equal(catalog.ask(COUNTED), before)
    assert set(before["class_name"]) > {"other"}
    assert plain.classifier is None


@pytest.mark.parametrize(
    ("sql", "is_looked_through"),
    [
        ("select nuclei from runs", False),
        ("with r as (from RUNS) select * from r", False),
        ("select count(*) from Nuclei", True),
        ("select (select count(*) from nuclei), folder from runs", True),
        ("pivot runs on model using sum(nuclei)", True),
        ("show tables", True),
    ],
)
def test_files_of_nuclei_are_looked_through_only_where_they_are_asked_about(
    painted_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sql: str,
    is_looked_through: bool,
) -> None:
    copied_twice(painted_run, tmp_path)
    looked: list[Run] = []
    nuclei_file = Run.nuclei_file
    monkeypatch.setattr(Run, "nuclei_file", lambda run: looked.append(run) or nuclei_file(run))
    catalog = RunCatalog(Store(tmp_path))
    catalog.runs()
    looked.clear()
    assert len(catalog.ask(sql)) > 0
    assert (len(looked) == 2) == is_looked_through


def test_a_cohort_has_a_row_for_each_slide_also_for_those_without_a_run(store: Store) -> None:
    table = RunCatalog(store).cohort("trial")
    assert list(table["state"]) == ["finished", "failed", "waiting"]
    assert list(table["patient"]) == ["P1", "P2", "P3"]
    assert list(table["Stage"]) == ["II", "III", "I"]
    assert table["state (table)"].iloc[0] == "Bavaria"
    assert table["Nuclei (table)"].iloc[0] == "many"
    assert table["error"].iloc[1] == "there is no such slide."
    assert table["nuclei"].iloc[0] > 10
    assert table["nuclei"].iloc[1:].isna().all()


def test_a_cohort_whose_file_is_damaged_costs_the_others_nothing(
    store: Store, tmp_path: Path
) -> None:
    copy = Store(shutil.copytree(store.path, tmp_path / "copy"))
    damaged = Journal(copy.path, "bad")
    damaged.folder.mkdir()
    (damaged.folder / "cohort.json").write_text("{")
    catalog = RunCatalog(copy)
    assert len(catalog.cohort("trial")) == 3
    assert set(catalog.ask("select cohort from items")["cohort"]) == {"trial"}
    with pytest.raises(CohortError, match=r"cohort\.json is damaged"):
        catalog.cohort("bad")


def test_an_analysis_that_somebody_has_deleted_is_told_in_its_row(
    store: Store, tmp_path: Path
) -> None:
    copy = Store(shutil.copytree(store.path, tmp_path / "copy"))
    folder = RunCatalog(copy).cohort("trial")["folder"].iloc[0]
    copy.delete(open_run(copy.path / folder))
    row = RunCatalog(copy).cohort("trial").iloc[0]
    assert row["state"] == "removed"
    assert pd.isna(row["folder"])
    assert "was deleted, moved or damaged since; start the cohort again" in row["error"]
    assert pd.isna(row["nuclei"])


def test_a_run_that_is_deleted_while_others_are_read_is_left_out(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Store(shutil.copytree(store.path, tmp_path / "copy"))
    catalog = RunCatalog(copy)
    first, second = copy.runs()
    read = Run.corrections

    def read_late(run: Run) -> object:
        if run.path == first.path:
            shutil.rmtree(run.path)
            raise FileNotFoundError(run.path)
        return read(run)

    monkeypatch.setattr(Run, "corrections", read_late)
    assert list(catalog.runs()["folder"]) == [second.path.relative_to(copy.path).as_posix()]


def test_a_store_whose_name_is_a_pattern_to_duckdb_is_read_all_the_same(
    store: Store, tmp_path: Path
) -> None:
    copy = Store(shutil.copytree(store.path, tmp_path / "dad's [trial] * ?"))
    found = RunCatalog(copy).ask("select folder, count(*) as n from nuclei group by all")
    expected = RunCatalog(store).ask("select folder, count(*) as n from nuclei group by all")
    assert found.set_index("folder")["n"].to_dict() == expected.set_index("folder")["n"].to_dict()
    run = copy.runs()[0]
    assert run.counts() == run.facts.counts


def test_a_slide_whose_name_is_no_text_stands_in_table_sql_and_files(
    store: Store, tmp_path: Path
) -> None:
    copy = Store(shutil.copytree(store.path, tmp_path / "copy"))
    journal = Journal(copy.path, "odd")
    (key,) = journal.write_plan([Item(Path("/lat\udce9.svs"))], CohortQuestion("m", "0" * 64))
    journal.record(Outcome(key, "failed", error="lat\udce9.svs is no slide."))
    catalog = RunCatalog(copy)
    table = catalog.cohort("odd")
    assert table["slide"].item() == "lat\\udce9.svs"
    assert Path(table["slide_path"].item()) == Path("/lat\udce9.svs")
    assert catalog.ask("select error from items where cohort = 'odd'")["error"].item() == (
        "lat\\udce9.svs is no slide."
    )
    writable_paths(table).to_parquet(tmp_path / "odd.parquet")


def test_an_empty_store_has_the_same_tables_without_rows(tmp_path: Path, store: Store) -> None:
    catalog, full = RunCatalog(Store(tmp_path)), RunCatalog(store)
    assert set(catalog.runs().columns) <= set(full.runs().columns)
    assert catalog.ask("select count(*) as n from nuclei")["n"].item() == 0
    assert len(catalog.classes()) == len(catalog.items()) == 0


@pytest.mark.parametrize("sql", ["select * from cells", "selct 1", "select colour from runs"])
def test_a_question_that_makes_no_sense_is_told(store: Store, sql: str) -> None:
    with pytest.raises(CohortError, match=r"cannot be answered .*; the tables are runs, classes"):
        RunCatalog(store).ask(sql)


@pytest.fixture
def own_store(store: Store, tmp_path: Path) -> Store:
    return Store(Path(shutil.copytree(store.path, tmp_path / "store")))


def change(path: Path, change_entries: Callable[[dict[str, Any]], object]) -> None:
    """Change a JSON file as somebody does who knows its checksum, or another version."""
    entries = json.loads(path.read_text("utf-8"))
    entries.pop(SEAL, None)
    change_entries(entries)
    path.write_text(json.dumps(entries), "utf-8")


@pytest.mark.parametrize("file", [SUMMARY_FILE, TIL_FILE])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b"[" * 100_000, b"\xff", b"{}"])
def test_damaged_figures_of_a_run_are_as_if_they_were_not_there(
    own_store: Store, file: str, content: bytes
) -> None:
    (path,) = own_store.path.glob(f"*/*/{file}")
    path.write_bytes(content)
    table = RunCatalog(own_store).runs()
    assert len(table) == 2
    column = "til_pct" if file == TIL_FILE else "lymphocyte_per_mm2_low"
    assert table[column].isna().all()


@pytest.mark.parametrize("file", [SUMMARY_FILE, TIL_FILE])
def test_a_changed_digit_of_figures_is_noticed(own_store: Store, file: str) -> None:
    """They have a checksum, so that no other number is shown without a word."""
    (path,) = own_store.path.glob(f"*/*/{file}")
    kept = read_kept(path)
    assert kept
    changed = path.read_text("utf-8").replace(".", ".9", 1)
    path.write_text(changed, "utf-8")
    assert json.loads(changed).keys() - {SEAL} == kept.keys()
    assert read_kept(path) == {}


@pytest.mark.parametrize(
    ("file", "change_entries"),
    [
        (TIL_FILE, lambda entries: entries.pop("stil_area_pct")),
        (TIL_FILE, lambda entries: entries.update(stil_area_pct=5)),
        (TIL_FILE, lambda entries: entries.update(areas_mm2=None)),
        (TIL_FILE, lambda entries: entries.update(density_per_mm2_interval95=[])),
        (SUMMARY_FILE, lambda entries: entries.update(classes=5)),
        (SUMMARY_FILE, lambda entries: entries.update(classes={"lymphocyte": 5})),
        (SUMMARY_FILE, lambda entries: entries.update(classes={"lymphocyte": {"count": "x"}})),
    ],
)
def test_figures_of_another_version_end_no_table(
    own_store: Store, file: str, change_entries: Callable[[dict[str, Any]], object]
) -> None:
    (path,) = own_store.path.glob(f"*/*/{file}")
    change(path, change_entries)
    assert len(RunCatalog(own_store).runs()) == 2
    assert len(RunCatalog(own_store).cohort("trial")) == 3


def test_a_damaged_cohort_costs_itself_alone(own_store: Store) -> None:
    other = Journal(own_store.path, "other")
    other.write_plan([Item(Path("/a.svs"))], CohortQuestion("painted", "0" * 64))
    path = own_store.path / COHORTS_FOLDER / "trial" / PLAN_FILE
    path.write_text(path.read_text("utf-8").replace("P1", "P9"), "utf-8")
    with pytest.raises(CohortError, match=r"cohort\.json is damaged; start the cohort again"):
        RunCatalog(own_store).cohort("trial")
    assert len(RunCatalog(own_store).cohort("other")) == 1
    assert set(RunCatalog(own_store).items()["cohort"]) == {"other"}
