"""An analysis that is stopped, killed or made twice at once ends as one that was left alone."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from analysed_runs import assert_same_table, run_files, start_child, stop_after
from painted_slides import CARD, MPP, SMALL_TILES, PaintedEngine, paint

from seg_core.analysis import analyse
from seg_core.errors import JobCancelled, StoreError
from seg_core.files.locks import locked
from seg_core.geometry import Window
from seg_core.process.progress import Progress
from seg_core.store import Run, RunFacts, RunWriter, Store, open_run
from tests.stand_in import stand_in


@pytest.mark.parametrize("tiles", [0, 1, 150, 10**6])
def test_what_was_stopped_goes_on_and_ends_the_same(
    painted_run: Run,
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    tiles: int,
) -> None:
    if tiles < 10**6:
        with pytest.raises(JobCancelled, match="stopped in the test"):
            analyse(
                painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=stop_after(tiles)
            )
        (stopped,) = Store(tmp_path).runs(painted_run.path.parent.name)
        assert stopped.status == "stopped"
        with pytest.raises(StoreError, match="is stopped and has no nuclei yet"):
            stopped.nuclei()
    run = analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert run.run_id == painted_run.run_id
    assert run.facts.counts == painted_run.facts.counts
    assert run_files(run) == run_files(painted_run)
    assert_same_table(run.nuclei(), painted_run.nuclei())


def test_going_on_asks_only_the_tiles_that_are_missing(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    everything: list[Progress] = []
    analyse(painted_slide, tmp_path / "a", mpp=MPP, settings=SMALL_TILES, report=everything.append)
    total = everything[0].total
    with pytest.raises(JobCancelled):
        analyse(
            painted_slide,
            tmp_path / "b",
            mpp=MPP,
            settings=SMALL_TILES,
            report=stop_after(total - 20),
        )
    rest: list[Progress] = []
    analyse(painted_slide, tmp_path / "b", mpp=MPP, settings=SMALL_TILES, report=rest.append)
    assert rest[0].total == total  # and goes on counting where it was
    assert total / 2 < rest[0].done < total
    tiles = [report.done for report in rest if report.stage == "tiles"]
    assert tiles == list(range(rest[0].done, total + 1))


@pytest.mark.parametrize(("stage", "done"), [("tiles", 230), ("nuclei", 1)])
def test_kill_9_in_the_middle_ends_the_same_value_for_value(
    tmp_path: Path, painted_engines: list[PaintedEngine], stage: str, done: int
) -> None:
    slide = paint(300, 1700).save(tmp_path / "tall.png")  # two rows of chunks are full by then
    killed_child = start_child(slide, tmp_path / "killed", stage, str(done))
    killed_child.communicate()
    assert killed_child.returncode == -signal.SIGKILL
    (facts,) = (tmp_path / "killed").glob("*/*/run.json")
    assert json.loads(facts.read_text())["status"] == "running"
    assert open_run(facts.parent).status == "stopped"
    killed = analyse(slide, tmp_path / "killed", mpp=MPP, settings=SMALL_TILES)
    whole = analyse(slide, tmp_path / "whole", mpp=MPP, settings=SMALL_TILES)
    assert painted_engines[-1].tiles > 0
    assert run_files(killed) == run_files(whole)
    assert_same_table(killed.nuclei(), whole.nuclei())


def test_maps_of_another_precision_are_not_continued(
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """*auto* may mean something else on the next machine; one run has one precision."""
    with pytest.raises(JobCancelled):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=stop_after(200))
    stand_in(monkeypatch, CARD, lambda *_: PaintedEngine("bf16"))
    reports: list[Progress] = []
    run = analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=reports.append)
    assert run.facts.precision == "bf16"
    assert reports[0].total > 200


def test_the_same_question_in_two_processes_is_refused(
    painted_run: Run, painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    with pytest.raises(JobCancelled):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=stop_after(10))
    (stopped,) = Store(tmp_path).runs(painted_run.path.parent.name)
    with locked(stopped.path), pytest.raises(StoreError, match="another process is already at"):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES).status == "finished"


def test_two_processes_that_start_the_same_run_do_not_damage_each_other(
    painted_run: Run, painted_slide: Path, tmp_path: Path
) -> None:
    """One does it; another is told so, or comes late and finds it done."""
    children = [start_child(painted_slide, tmp_path) for _ in range(3)]
    for child in children:
        _, sentence = child.communicate()
        if child.returncode:
            assert "another process is already at this analysis" in sentence
    assert any(child.returncode == 0 for child in children)
    (run,) = Store(tmp_path).runs(painted_run.path.parent.name)
    assert run.status == "finished"
    assert run.facts.counts == painted_run.facts.counts
    assert run_files(run) == run_files(painted_run)


def test_ctrl_c_keeps_the_run_as_stopped(
    painted_run: Run, painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=interrupt)
    (stopped,) = Store(tmp_path).runs(painted_run.path.parent.name)
    assert stopped.status == "stopped"


def test_a_stop_on_a_full_disk_is_a_stop(
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reader who had stopped it was told of the disk, and the page took it for failed."""

    def full(writer: RunWriter, facts: RunFacts) -> Run:
        if facts.status == "stopped":
            raise StoreError("the disk is full")
        return write_facts(writer, facts)

    write_facts = RunWriter.write_facts
    monkeypatch.setattr(RunWriter, "write_facts", full)
    with pytest.raises(JobCancelled, match="stopped in the test"):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=stop_after(30))
    (run,) = Store(tmp_path).runs()
    assert run.status == "stopped"  # since nobody is at work on it


def test_a_run_that_is_stopped_shows_what_is_there(
    painted_run: Run, painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    with pytest.raises(JobCancelled):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=stop_after(200))
    (stopped,) = Store(tmp_path).runs(painted_run.path.parent.name)
    assert 0.1 < stopped.finished_share < 0.9
    done = stopped.window.height * stopped.finished_share
    maps, whole = stopped.maps(), painted_run.maps()
    top = replace(stopped.window, height=int(done) - 1)
    for level in range(whole.level_count):
        step = 2**level
        seen = Window(0, 0, top.width // step, top.height // step)
        np.testing.assert_array_equal(
            maps.read_map("class", seen, level), whole.read_map("class", seen, level)
        )
    before = stopped.maps_version
    run = analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert (run.finished_share, run.maps_version) == (1.0, "whole")
    assert before not in ("", "whole")
