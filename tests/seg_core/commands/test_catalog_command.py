"""The command that lists the runs of a store."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from seg_core import commands as cli
from seg_core.cohort.journal import Journal, Outcome
from seg_core.cohort.plan import CohortQuestion, Item
from seg_core.store import Run, open_run


def test_runs_are_listed_written_and_asked(
    painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(painted_run.path.parents[1])
    assert cli.main(["catalog", store]) == 0
    out = capsys.readouterr().out
    assert "painted.png" in out
    assert painted_run.run_id in out

    csv, parquet = tmp_path / "runs.csv", tmp_path / "runs.parquet"
    assert cli.main(["catalog", store, "--csv", str(csv), "--parquet", str(parquet)]) == 0
    for table in (pd.read_csv(csv), pd.read_parquet(parquet)):
        assert list(table["folder"]) == [painted_run.path.relative_to(Path(store)).as_posix()]
        assert table["count_lymphocyte"].item() == painted_run.facts.counts["lymphocyte"]
    assert cli.main(["catalog", store, "--csv", str(csv)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert cli.main(["catalog", store, "--csv", str(csv), "--force"]) == 0

    assert cli.main(["catalog", store, "--sql", "select count(*) as all_of_them from nuclei"]) == 0
    assert str(len(painted_run.nuclei())) in capsys.readouterr().out
    assert cli.main(["catalog", store, "--cohort", "trial"]) == 1
    assert "there is no cohort 'trial'" in capsys.readouterr().err


def test_groups_of_a_cohort_are_compared(
    painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = Journal(tmp_path, "trial")
    items = [
        Item(Path(f"/s{number}.svs"), patient=f"P{number}", group="AB"[number // 4])
        for number in range(8)
    ]
    keys = journal.write_plan(items, CohortQuestion("painted", "0" * 64))
    for number, key in enumerate(keys):
        folder = tmp_path / f"s{number}" / painted_run.run_id
        folder.mkdir(parents=True)
        facts = painted_run.facts
        facts = replace(facts, counts={**facts.counts, "lymphocyte": 10 * number})
        (folder / "run.json").write_text(json.dumps(facts.to_json()))
        run = folder.relative_to(tmp_path).as_posix()
        journal.record(Outcome(key, "finished", run))
    command = ["catalog", str(tmp_path), "--cohort", "trial", "--compare", "count_lymphocyte"]
    csv = tmp_path / "comparison.csv"
    assert cli.main([*command, "--csv", str(csv)]) == 0
    row = pd.read_csv(csv).iloc[0]
    assert (row["groups"], row["patients"], row["medians"]) == ("A – B", "4 / 4", "15 / 55")
    assert (row["shift"], row["delta"]) == (-40, -1)
    assert row["p"] == pytest.approx(2 / 70)  # of 70 ways to draw four of eight, two are as far off
    assert cli.main([*command, "--by", "Stage"]) == 1
    with pytest.raises(SystemExit):
        cli.main(["catalog", str(tmp_path), "--compare", "count_lymphocyte"])
    assert "--compare needs --cohort NAME" in capsys.readouterr().err


def test_what_is_not_known_is_a_dash_and_a_count_stays_whole(
    painted_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """*None* once stood beside the dashes, and 93.0 nuclei where another slide had none."""
    question = (
        "select * from (values ('a', 93, null, 2.5, 1234567.8, null), ('b', null, 'why', null, 1, null))"
        " as told(slide, nuclei, reason, share, area, nothing)"
    )
    assert cli.main(["catalog", str(painted_run.path.parents[1]), "--sql", question]) == 0
    names, one, other = (line.split() for line in capsys.readouterr().out.splitlines())
    assert names == ["slide", "nuclei", "reason", "share", "area", "nothing"]
    assert one == ["a", "93", "–", "2.5", "1234568", "–"]
    assert other == ["b", "–", "why", "–", "1", "–"]


@pytest.mark.parametrize(
    "question",
    [
        "",
        "-- nothing but a comment",
        "select 1; select 2",
        "copy runs to '{file}'",
        "explain analyze copy runs to '{file}'",
        "export database '{file}'",
        "attach '{file}' as mine",
        "delete from runs",
        "set threads = 1",
    ],
)
def test_sql_that_does_more_than_read_is_refused(
    question: str, painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy wrote over any file there is, a slide too."""
    slide = tmp_path / "slide.svs"
    slide.write_bytes(b"slide")
    store = str(painted_run.path.parents[1])
    assert cli.main(["catalog", store, "--sql", question.format(file=slide)]) == 1
    assert "is not one question in SQL that only reads" in capsys.readouterr().err
    assert slide.read_bytes() == b"slide"


def test_sql_that_only_reads_is_answered(
    painted_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(painted_run.path.parents[1])
    for question in (
        "from runs",
        "with few as (select * from runs) select * from few",
        "summarize runs",
        "pivot classes on class_name using sum(count) group by folder",
    ):
        assert cli.main(["catalog", store, "--sql", question]) == 0
        assert "nuclei" in capsys.readouterr().out or "pivot" in question
    assert cli.main(["catalog", store, "--sql", "select * from runs where nuclei < 0"]) == 0
    assert capsys.readouterr().out == "nothing is found.\n"


def test_columns_that_parquet_does_not_hold_are_told(
    painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "table.parquet"
    command = ["catalog", str(painted_run.path.parents[1]), "--sql", "select map([1], [2]) as both"]
    assert cli.main([*command, "--parquet", str(file)]) == 1
    assert "the table cannot be written as Parquet (" in capsys.readouterr().err
    assert not list(tmp_path.glob("*table*"))


def test_a_folder_without_analyses_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["catalog", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path} holds no analysis.\n"


def test_a_store_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["catalog", str(tmp_path / "nowhere")]) == 1
    assert "there is no store" in capsys.readouterr().err


def test_a_bad_slide_has_its_sentence_in_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = Journal(tmp_path, "trial")
    (key,) = journal.write_plan([Item(Path("/a.svs"))], CohortQuestion("painted", "0" * 64))
    journal.record(Outcome(key, "failed", error="a.svs is no slide; open another file."))
    assert cli.main(["catalog", str(tmp_path), "--cohort", "trial"]) == 0
    assert "a.svs is no slide; open another file." in capsys.readouterr().out


def test_runs_are_named_moved_and_deleted(
    painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, other = tmp_path / "store", tmp_path / "archive"
    folder = painted_run.path.relative_to(painted_run.path.parents[1]).as_posix()
    shutil.copytree(painted_run.path, store / folder)
    assert cli.main(["catalog", str(store), "--name-run", folder, "first look"]) == 0
    capsys.readouterr()
    assert cli.main(["catalog", str(store)]) == 0
    assert "first look" in capsys.readouterr().out
    assert cli.main(["catalog", str(store), "--move", folder, "--to", str(other)]) == 0
    assert not (store / folder).exists()
    assert open_run(other / folder).nuclei().equals(painted_run.nuclei())
    assert cli.main(["catalog", str(other), "--delete", folder]) == 0
    assert "MB are free" in capsys.readouterr().out
    assert not (other / folder).exists()

    assert cli.main(["catalog", str(other), "--delete", folder]) == 1
    assert "there is no run in" in capsys.readouterr().err
    assert cli.main(["catalog", str(store), "--delete", "../archive"]) == 1
    assert "does not lie in" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["catalog", str(store), "--move", folder])
    assert "belong together" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("--csv t.csv --anonymous", "--anonymous would do nothing: it numbers slides"),
        (
            "--cohort trial --report r.html --csv t.csv --anonymous",
            "--anonymous would do nothing: the tables of --csv and --parquet name slides",
        ),
        ("--cohort trial --by site", "--by would do nothing"),
        ("--delete run --csv t.csv", "--csv would do nothing: runs are changed"),
    ],
)
def test_what_would_do_nothing_is_wrong_use(
    asked: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table asked for with --anonymous named slides and patients, without a word."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(["catalog", str(tmp_path), *asked.split()])
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())
