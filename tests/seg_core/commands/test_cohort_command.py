"""The command that works off a cohort, with the shipped model."""

import json
from pathlib import Path

import pytest
from PIL import Image

from seg_core import commands as cli
from seg_core.analysis import analyse
from seg_core.cohort.journal import Journal
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.store import open_run

# The graph in int8 ships as it is; others are converted first, which takes a while.
OPTIONS = ["--engine", "openvino", "--precision", "int8", "--memory", "4"]


@pytest.mark.weights
def test_real_slides_end_as_analyse_ends_them_and_a_bad_one_makes_the_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, store = tmp_path / "slides", tmp_path / "store"
    folder.mkdir()
    with Image.open(sample_path("hgsc_nest")) as picture:
        for number in range(2):
            left = 300 * number
            picture.crop((left, 100, left + 120, 220)).save(folder / f"crop{number}.png")
    (folder / "table.csv").write_text(
        "slide,mpp,patient\ncrop0.png,0.5,P1\ncrop1.png,0.5,P2\nmissing.svs,0.5,P3\n"
    )
    command = ["cohort", str(folder / "table.csv"), "--out", str(store), "--name", "trial"]
    assert cli.main([*command, *OPTIONS, "--json"]) == 1
    out, err = capsys.readouterr()
    events = [json.loads(line) for line in out.splitlines()]
    assert events[0] == {"event": "started", "cohort": "trial", "slides": 3}
    summary = events[-1]
    assert (summary["event"], summary["finished"], summary["failed"]) == ("summary", 2, 1)
    assert "missing.svs" in err
    finished = [each for each in events if each.get("state") == "finished"]
    assert {each["slide"] for each in finished} == {"crop0.png", "crop1.png"}
    settings = AnalysisSettings(engine="openvino", precision="int8")
    for each in finished:
        run = open_run(store / each["run"])
        alone = analyse(run.slide_path, tmp_path / "alone", mpp=0.5, settings=settings)
        assert alone.facts.counts == run.facts.counts
        assert sum(alone.facts.counts.values()) > 3
        assert run.nuclei().equals(alone.nuclei())
        assert [run.path.name, each["nuclei"] > 0] == [alone.path.name, True]

    events_file = tmp_path / "events.jsonl"
    assert cli.main([*command, *OPTIONS, "--json", str(events_file)]) == 1
    assert "2 finished, 1 failed, 3 of them before" in capsys.readouterr().out
    kinds = [json.loads(line)["event"] for line in events_file.read_text().splitlines()]
    assert kinds == ["started", "skipped", "skipped", "skipped", "summary"]
    assert len(Journal(store, "trial").outcomes()) == 3


def test_a_scheduler_that_is_not_there_is_told_in_one_sentence(
    painted_slide: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from seg_core.cohort import cluster

    monkeypatch.setattr(cluster, "_CONNECT_S", 0.3)
    command = ["cohort", str(painted_slide), "--out", str(tmp_path)]
    assert cli.main([*command, "--scheduler", "tcp://127.0.0.1:9"]) == 1
    assert "no scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "--workers", "0"], "'0' is no number of workers"),
        (["nowhere", "--workers", "2", "--scheduler", "tcp://a:1"], "not allowed with"),
        (["nowhere", "--views", "3"], "views is 3; give 1, 2, 4 or 8"),
    ],
)
def test_wrong_use_ends_with_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["cohort", *arguments])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
