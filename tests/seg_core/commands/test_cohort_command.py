"""The command that works off a cohort, with the shipped model."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
import shapely
from PIL import Image

from seg_core import commands as cli
from seg_core.analysis import analyse
from seg_core.cohort import cluster
from seg_core.cohort.journal import Journal
from seg_core.cohort.plan import Item
from seg_core.commands import cohort as command_module
from seg_core.roi import Roi
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
    started = {"event": "started", "cohort": "trial", "slides": 3}
    assert {name: events[0][name] for name in started} == started
    assert set(events[0]) - set(started) == {"dashboard"}
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
    monkeypatch.setattr(cluster, "_CONNECT_S", 0.3)
    command = ["cohort", str(painted_slide), "--out", str(tmp_path)]
    assert cli.main([*command, "--scheduler", "tcp://127.0.0.1:9"]) == 1
    assert "no scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_workers_that_would_not_fit_are_refused_before_any_is_started(
    painted_slide: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["cohort", str(painted_slide), "--out", str(tmp_path / "store")]
    assert cli.main([*command, "--workers", "4000"]) == 1
    assert "each of 4000 workers would have 0.0 GB and needs 1.6 GB" in capsys.readouterr().err
    assert cli.main([*command, "--workers", "4000", "--memory", "4"]) == 1
    assert "each of 4000 workers would have 0.0 GB" in capsys.readouterr().err
    assert cli.main([*command, "--memory", "2", "--engine", "torch"]) == 1
    assert "would have 2.0 GB and needs 2.2 GB" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_one_worker_has_the_whole_machine_whatever_its_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dask's own "auto" gave the only worker of a machine of sixteen cores a sixteenth."""
    monkeypatch.setattr(cluster, "MEMORY_LIMIT", 16 * 10**9)
    assert cluster.memory_of_each(1, None) == 16 * 10**9
    assert cluster.memory_of_each(2, None) == 8 * 10**9
    assert cluster.memory_of_each(2, 3.0) == 3 * 10**9
    monkeypatch.setattr(cluster, "MEMORY_LIMIT", 4 * 10**9)
    with cluster.local_workers(1) as client:
        (worker,) = client.scheduler_info()["workers"].values()
        assert (worker["memory_limit"], worker["nthreads"]) == (4 * 10**9, 1)
        (cores,) = client.run(cores_and_threads).values()
    assert cores == (len(os.sched_getaffinity(0)), str(len(os.sched_getaffinity(0))))


@pytest.mark.parametrize(
    ("rois", "said"), [([], "cohort t: 1 slide, 0"), (["nest", "rim"], "cohort t: 2 analyses, 0")]
)
def test_rois_of_a_slide_are_not_counted_as_slides(
    rois: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = Path("a.svs")
    items = [Item(slide, roi=Roi(name, shapely.box(0, 0, 9, 9))) for name in rois] or [Item(slide)]
    with command_module._Teller(None, "t", items) as tell:
        tell.summary()
    assert said in capsys.readouterr().out


def cores_and_threads() -> tuple[int, str]:
    return len(os.sched_getaffinity(0)), os.environ["OMP_NUM_THREADS"]


@pytest.mark.weights
def test_bad_rows_and_odd_names_are_told_in_a_line_each_and_end_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "lat\udce9 [1]'s.png"
    odd.write_bytes(b"no slide")
    table = tmp_path / "trial.csv"
    table.write_text("slide,mpp\na.svs,nought\n,0.25\ngone.svs,0.25\n")
    events = tmp_path / "events.jsonl"
    command = ["cohort", str(table), str(odd), "--out", str(tmp_path / "store [2]"), "--name", "t"]
    command += ["--memory", "4", "--json", str(events)]
    assert cli.main(command) == 1
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if not line.startswith("20")]
    assert any("a.svs: row 2 of trial.csv has the mpp 'nought'" in line for line in lines)
    assert any("row 3 of trial.csv names no slide" in line for line in lines)
    assert any(line.startswith("gone.svs: ") for line in lines)
    assert any(line.startswith("lat\\udce9 [1]'s.png: ") for line in lines)
    assert "4 slides, 0 finished, 4 failed" in out
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert [each["event"] for each in told][:3] == ["started", "ended", "ended"]  # at once
    assert len({each["key"] for each in told if each["event"] == "ended"}) == 4
    assert cli.main(["catalog", str(tmp_path / "store [2]"), "--cohort", "t"]) == 0
    assert "lat\\udce9 [1]'s.png" in capsys.readouterr().out
    assert cli.main([*command, "--retry-failed"]) == 1
    kinds = [json.loads(line)["event"] for line in events.read_text().splitlines()]
    assert kinds.count("ended") == 4


def test_events_that_cannot_be_written_are_told_in_a_sentence(
    painted_slide: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ["cohort", str(painted_slide), "--out", str(tmp_path), "--memory", "4"]
    assert cli.main([*command, "--json", str(tmp_path / "no" / "events.jsonl")]) == 1
    assert "cannot be written (No such file or directory)" in capsys.readouterr().err
    full = tmp_path / "full.jsonl"
    full.symlink_to("/dev/full")
    assert cli.main([*command, "--json", str(full)]) == 1
    assert "is a pipe, a device or the like and is not written over" in capsys.readouterr().err
    with suppress(OSError), Path("/dev/full").open("w", encoding="utf-8") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        assert cli.main([*command, "--json"]) == 1
    assert "what reads stdout cannot be written (No space left on device)" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere", "--workers", "0"], "'0' is no number of workers"),
        (["nowhere", "--workers", "2", "--scheduler", "tcp://a:1"], "not allowed with"),
        (["nowhere", "--views", "3"], "views is 3; give 1, 2, 4 or 8"),
        (["nowhere", "--memory", "nan"], "'nan' is no number of gigabytes; give more than 0"),
        ([""], "a name is empty; give a folder, a CSV or a slide"),
        (["nowhere", "--memory", "-1"], "'-1' is no number of gigabytes"),
        (["nowhere", "--memory", "4", "--scheduler", "tcp://a:1"], "--memory-limit of dask worker"),
        (["nowhere", "--split", "inf"], "'inf' is no number of megapixels"),
    ],
)
def test_wrong_use_ends_with_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["cohort", *arguments])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_report_without_a_place_is_refused_before_the_work(
    painted_slide: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After days of work it was told that the folder is not there."""
    report, store = tmp_path / "nowhere" / "report.pdf", tmp_path / "store"
    command = ["cohort", str(painted_slide), "--out", str(store), "--report", str(report)]
    assert cli.main(command) == 1
    assert f"no report can be written into {report.parent}" in capsys.readouterr().err
    assert not store.exists()


@pytest.fixture
def inputs(painted_slide: Path, tmp_path: Path) -> dict[str, Path]:
    """Return a table of one slide, its regions, and files that are nobody's events."""
    table, rois = tmp_path / "trial.csv", tmp_path / "rois.json"
    table.write_text(f"slide,mpp\n{painted_slide},0.25\n")
    ring = [[0, 0], [60, 0], [60, 60], [0, 60], [0, 0]]
    rois.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    card = tmp_path / "card.json"
    card.write_text('{\n "name": "nuclei"\n}')
    link = tmp_path / "link.jsonl"
    link.symlink_to(table)
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    return {"table": table, "rois": rois, "card": card, "link": link, "pipe": pipe}


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("table", "is read by this command and would be written over"),
        ("link", "is read by this command and would be written over"),
        ("rois", "is read by this command and would be written over"),
        ("card", "holds something else than the events of a cohort and is not replaced"),
        ("pipe", "is a pipe, a device or the like and is not written over"),
    ],
)
def test_events_are_written_over_nothing_but_events(
    inputs: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    target: str,
    sentence: str,
) -> None:
    """Whatever the file was, it was emptied before anything else was looked at."""
    before = {name: path.read_bytes() for name, path in inputs.items() if path.is_file()}
    command = ["cohort", str(inputs["table"]), "--roi", str(inputs["rois"]), "--out", str(tmp_path)]
    assert cli.main([*command, f"--json={inputs[target]}"]) == 1
    assert sentence in capsys.readouterr().err
    assert {name: inputs[name].read_bytes() for name in before} == before


def test_sizes_of_pixels_that_make_no_sense_are_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["cohort", str(tmp_path), "--out", str(tmp_path / "store")]
    assert cli.main([*command, "--mpp", "25"]) == 1
    assert "a pixel cannot be 25 µm large" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--override-mpp"])
    assert ended.value.code == 2
    assert "--override-mpp needs the size that is to be taken" in capsys.readouterr().err
