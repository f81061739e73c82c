"""A cohort on a real scheduler with two real workers, which are killed now and then."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import painted_crew
import painted_slides
import pytest
from distributed import Client, LocalCluster
from painted_crew import BROKEN, GOOD, LARGE, OPTIONS, let_paint, write_cohort
from painted_slides import MPP, PaintedEngine
from PIL import Image

from seg_core.analysis import analyse
from seg_core.classes import ClassScheme, VoteWeight
from seg_core.cohort import work
from seg_core.cohort.catalog import RunCatalog
from seg_core.cohort.cluster import local_workers
from seg_core.cohort.journal import Journal
from seg_core.cohort.named_classifier import NamedClassifier
from seg_core.cohort.plan import Item, read_plan
from seg_core.cohort.progress import CohortProgress
from seg_core.cohort.thumbnails import THUMBNAIL_FILE
from seg_core.cohort.til_maps import MAP_FILE
from seg_core.cohort.work import CohortOptions, Event, work_off
from seg_core.errors import BusyError, TeachingError
from seg_core.model import ModelCard
from seg_core.scoring.assessment import TIL_FILE
from seg_core.store import Run, Store, forget_answer, open_run
from seg_core.teaching.apply import classify
from seg_core.teaching.labels import Labels
from seg_core.teaching.teach import teach

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with local_workers(2, memory_gb=4) as client:
        yield client


@pytest.fixture(autouse=True)
def paintings(painted_engines: list[PaintedEngine], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "find_model", painted_slides.find_painted_model)
    monkeypatch.setattr(work, "_BUSY_S", 0.2)


def endings(events: list[Event]) -> dict[str, str]:
    """State of each slide by its name."""
    return {
        event.item.name: event.outcome.state
        for event in events
        if event.kind in ("ended", "skipped") and event.outcome is not None
    }


def all_of_it() -> dict[str, str]:
    good = {f"slide{number}.png": "finished" for number in range(GOOD)}
    return good | dict.fromkeys(BROKEN, "failed")


def runs_by_slide(journal: Journal) -> dict[str, Run]:
    runs = [
        open_run(journal.store / outcome.run)
        for outcome in journal.outcomes().values()
        if outcome.run is not None
    ]
    return {run.slide_path.name: run for run in runs}


def values_of(run: Run) -> dict[str, bytes]:
    """What was found: nuclei and all maps, as they lie on disk."""
    files = [run.path / "nuclei.parquet", *run.path.glob("maps.zarr/**/*")]
    return {str(f.relative_to(run.path)): f.read_bytes() for f in files if f.is_file()}


def assert_as_analyse_finds(journal: Journal, alone: Path) -> None:
    """Each slide has the values of a single process, ids included."""
    runs = runs_by_slide(journal)
    assert len(runs) == GOOD
    for run in runs.values():
        expected = analyse(run.slide_path, alone, mpp=MPP, settings=OPTIONS.settings)
        assert sum(expected.facts.counts.values()) > 10
        assert run.run_id == expected.run_id
        assert run.facts.counts == expected.facts.counts
        assert values_of(run) == values_of(expected)


def test_a_cohort_survives_bad_slides_and_a_killed_worker_and_equals_single_analyses(
    client: Client, tmp_path: Path
) -> None:
    items = read_plan([write_cohort(tmp_path / "slides")])
    journal = Journal(tmp_path / "store", "trial")
    let_paint(client, 0.02)
    pids = client.run(os.getpid)
    workers = {
        str(facts["name"]): pids[address]
        for address, facts in client.scheduler_info(n_workers=-1)["workers"].items()
    }
    events: list[Event] = []
    killed: list[str] = []
    whole_tiles = 8 * 34  # of the large slide; those on the borders of ranges are asked twice
    for event in work_off(items, journal, OPTIONS, client):
        events.append(event)
        told = event.progress
        if not killed and told and event.item.name == LARGE:  # one of those who share it
            assert told["total"] > whole_tiles
            killed.append(event.item.name)
            os.kill(workers[told["worker"]], signal.SIGKILL)
    assert killed
    assert endings(events) == all_of_it()
    reasons = {e.item.name: str(e.outcome.error) for e in events if e.outcome is not None}
    assert all(name in reasons[name] for name in BROKEN)
    begun = [e for e in events if e.item.name == killed[0] and e.progress]
    assert sum((e.progress or {})["stage"] == "tiles" for e in begun) > 1
    assert {event.outcome.worker for event in events if event.outcome} == {"0", "1"}
    assert_as_analyse_finds(journal, tmp_path / "alone")
    assert all((run.path / TIL_FILE).is_file() for run in runs_by_slide(journal).values())


def test_what_ended_is_skipped_and_what_failed_is_tried_again_when_asked(
    client: Client, tmp_path: Path
) -> None:
    folder = tmp_path / "slides"
    items = read_plan([write_cohort(folder, good=2)])
    journal = Journal(tmp_path / "store", "trial")
    let_paint(client)
    first = list(work_off(items, journal, OPTIONS, client))
    again = list(work_off(items, journal, OPTIONS, client))
    assert {event.kind for event in again} == {"skipped"}
    assert endings(again) == endings(first)

    retried = list(work_off(items, journal, replace(OPTIONS, retry_failed=True), client))
    assert {e.item.name for e in retried if e.kind == "ended"} == set(BROKEN)

    painted_slides.paint(200, 200).save(folder / BROKEN[0])
    mended = list(work_off(items, journal, OPTIONS, client))
    ended = [event for event in mended if event.kind == "ended"]
    assert [(e.item.name, e.outcome and e.outcome.state) for e in ended] == [
        (BROKEN[0], "finished")
    ]

    other = replace(OPTIONS, settings=replace(OPTIONS.settings, block_px=512))
    changed = list(work_off(items[:2], journal, other, client))
    assert [event.kind for event in changed if event.kind != "progress"] == ["ended", "ended"]


def test_a_size_for_the_cohort_is_for_files_that_state_none_unless_it_is_to_override(
    client: Client, tmp_path: Path
) -> None:
    """It once overrode, without a word, what each file says itself."""
    folder = tmp_path / "slides"
    folder.mkdir()
    painting = painted_slides.paint(300, 300)
    painting.save(folder / "silent.png")
    dots_per_inch = 25_400 / 0.5
    Image.fromarray(painting.rgb).save(folder / "stating.tif", dpi=(dots_per_inch, dots_per_inch))
    painting.save(folder / "told.png")
    (folder / "table.csv").write_text("slide,mpp\nsilent.png,\nstating.tif,\ntold.png,0.4\n")
    items = read_plan([folder / "table.csv"])
    journal = Journal(tmp_path / "store", "trial")
    let_paint(client)

    def sizes(options: CohortOptions) -> dict[str, float]:
        events = list(work_off(items, journal, options, client))
        assert set(endings(events).values()) == {"finished"}
        table = RunCatalog(Store(journal.store)).cohort("trial")
        analysed = {
            name: open_run(journal.store / at).slide_mpp
            for name, at in zip(table["slide"], table["folder"], strict=True)
        }
        assert dict(zip(table["slide"], table["mpp"], strict=True)) == analysed
        return analysed

    options = replace(OPTIONS, mpp=0.25, til=False)
    assert sizes(options) == {
        "silent.png": 0.25,
        "stating.tif": pytest.approx(0.5, rel=1e-3),
        "told.png": 0.4,
    }
    overriding = replace(options, override_mpp=True)
    assert sizes(overriding) == {"silent.png": 0.25, "stating.tif": 0.25, "told.png": 0.4}
    again = list(work_off(items, journal, overriding, client))
    assert {event.kind for event in again} == {"skipped"}


def test_a_worker_that_does_two_slides_at_a_time_finds_what_one_at_a_time_finds(
    tmp_path: Path,
) -> None:
    items = read_plan([write_cohort(tmp_path / "slides")])
    journal = Journal(tmp_path / "store", "trial")
    progress, at_once = CohortProgress(len(items)), 0
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, memory_limit=5 * 10**9, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        let_paint(client, 0.02)
        for event in work_off(items, journal, OPTIONS, client):
            progress.happened(event.to_json())
            at_once = max(at_once, len(progress.at_work))
    assert at_once == 2
    assert progress.states == {"finished": GOOD, "failed": len(BROKEN)}
    assert progress.share == 1
    assert_as_analyse_finds(journal, tmp_path / "alone")
    assert all((run.path / THUMBNAIL_FILE).is_file() for run in runs_by_slide(journal).values())


def test_tils_that_were_left_out_before_are_scored_when_they_are_asked_for(
    client: Client, tmp_path: Path
) -> None:
    items = read_plan([write_cohort(tmp_path / "slides", good=1)])[:1]
    journal = Journal(tmp_path / "store", "trial")
    let_paint(client)
    without = list(work_off(items, journal, replace(OPTIONS, til=False), client))
    assert endings(without) == {LARGE: "finished"}
    (run,) = runs_by_slide(journal).values()
    assert not (run.path / TIL_FILE).exists()
    asked = list(work_off(items, journal, OPTIONS, client))
    assert [event.kind for event in asked if event.kind != "progress"] == ["ended"]
    assert (run.path / TIL_FILE).is_file()


def test_a_slide_that_was_scored_alone_has_its_map_in_a_cohort(
    client: Client, tmp_path: Path
) -> None:
    items = read_plan([write_cohort(tmp_path / "slides", good=1)])[:1]
    first, second = (Journal(tmp_path / "store", name) for name in ("first", "second"))
    let_paint(client)
    assert endings(list(work_off(items, first, OPTIONS, client))) == {LARGE: "finished"}
    (run,) = runs_by_slide(first).values()
    (run.path / MAP_FILE).unlink()  # as after `seg_core til`, which draws none
    assert endings(list(work_off(items, second, OPTIONS, client))) == {LARGE: "finished"}
    assert (run.path / MAP_FILE).is_file()


def test_after_everything_was_killed_the_next_start_goes_on(client: Client, tmp_path: Path) -> None:
    table = write_cohort(tmp_path / "slides")
    store = tmp_path / "store"
    path = os.pathsep.join([str(ROOT), str(Path(painted_slides.__file__).parent), *sys.path])
    command = [sys.executable, painted_crew.__file__, str(table), str(store), "0.03"]
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    assert child.stdout is not None
    finished, running = None, None
    for line in child.stdout:
        event = json.loads(line)
        if event.get("state") == "finished":
            finished = event["run"]
        elif finished and event["event"] == "progress" and event["stage"] == "tiles":
            running = event["slide"]
            break
    os.killpg(child.pid, signal.SIGKILL)  # the command, its scheduler and both workers
    child.wait()
    child.stdout.close()
    assert finished is not None
    assert running is not None
    before = (store / finished / "run.json").read_bytes()

    let_paint(client)
    journal = Journal(store, "cohort")
    events = list(work_off(read_plan([table]), journal, OPTIONS, client))
    assert endings(events) == all_of_it()
    assert sum(event.kind == "skipped" for event in events) >= 1
    assert (store / finished / "run.json").read_bytes() == before
    assert_as_analyse_finds(journal, tmp_path / "alone")


def test_slides_nobody_waits_for_any_more_stop_and_are_free_for_others(
    client: Client, tmp_path: Path
) -> None:
    items = read_plan([write_cohort(tmp_path / "slides", good=2, size=(300, 400))])[:2]
    journal = Journal(tmp_path / "store", "trial")
    let_paint(client, 0.05)
    with closing(work_off(items, journal, OPTIONS, client)) as events:
        assert any(event.progress and event.progress["stage"] == "tiles" for event in events)
        with (
            pytest.raises(BusyError, match=r"at work on the cohort .* another --name"),
            closing(work_off(items, journal, OPTIONS, client)) as second,
        ):
            next(second)
    runs = [open_run(file.parent) for file in journal.store.glob("*/*/run.json")]
    assert runs
    assert wait_for(lambda: all(open_run(run.path).status == "stopped" for run in runs))
    let_paint(client)
    assert set(endings(list(work_off(items, journal, OPTIONS, client))).values()) == {"finished"}


def test_a_slide_that_another_process_is_at_is_waited_for_and_not_done_twice(
    client: Client, tmp_path: Path
) -> None:
    items = read_plan([write_cohort(tmp_path / "slides", good=1)])[:1]
    store = tmp_path / "store"
    let_paint(client, 0.2)  # on a busy machine, too, the second comes before the first has ended
    alone = replace(OPTIONS, split_mpx=None)
    ours = work_off(items, Journal(store, "ours"), alone, client)
    theirs = work_off(items, Journal(store, "theirs"), alone, client)
    with closing(ours), closing(theirs):
        assert any(event.progress and event.progress["stage"] == "tiles" for event in ours)
        first = next(event for event in theirs if event.kind != "progress")
        assert first.kind == "waiting", first
        assert [e.outcome.state for e in ours if e.outcome] == ["finished"]
        ended = [e.outcome for e in theirs if e.kind == "ended"]
    assert [outcome and outcome.state for outcome in ended] == ["finished"]
    assert len(list(store.glob("*/*/run.json"))) == 1


def test_a_shared_slide_of_which_one_range_fails_has_failed_once_and_as_a_whole(
    client: Client, tmp_path: Path
) -> None:
    items = read_plan([write_cohort(tmp_path / "slides", good=1)])[:1]
    journal = Journal(tmp_path / "store", "trial")
    let_paint(client, 0.02)
    ended: list[Event] = []
    for event in work_off(items, journal, OPTIONS, client):
        if event.progress and items[0].slide.exists():
            items[0].slide.unlink()  # those who share it have it open, and look again at the end
        if event.kind == "ended":
            ended.append(event)
    (outcome,) = [event.outcome for event in ended]
    assert outcome is not None
    assert outcome.state == "failed"
    assert LARGE in str(outcome.error)
    (run,) = [open_run(file.parent) for file in journal.store.glob("*/*/run.json")]
    assert run.status != "finished"


@pytest.mark.parametrize("differs", ["weights", "votes"])
def test_a_worker_whose_model_is_another_one_refuses_with_a_sentence(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, differs: str
) -> None:
    def begun_with(name: str | Path | None) -> tuple[ModelCard, Path]:
        card, weights = painted_slides.find_painted_model(name)
        classes = tuple(replace(each, vote=VoteWeight(bias=0.5)) for each in card.scheme.classes)
        other = {"weights": {"sha256": "1" * 64}, "votes": {"scheme": ClassScheme(classes)}}
        return replace(card, **other[differs]), weights

    monkeypatch.setattr(work, "find_model", begun_with)
    let_paint(client)
    painted_slides.paint(60, 60).save(tmp_path / "a.png")
    events = list(
        work_off(read_plan([tmp_path / "a.png"]), Journal(tmp_path, "t"), OPTIONS, client)
    )
    assert endings(events) == {"a.png": "refused"}
    outcome = events[-1].outcome
    assert outcome is not None
    assert "of this worker is another one than the cohort began with" in str(outcome.error)


def test_a_worker_with_too_little_memory_refuses_with_a_sentence(
    client: Client, tmp_path: Path
) -> None:
    painted_slides.paint(200, 200).save(tmp_path / "slide.png")
    items = [Item(tmp_path / "slide.png")]
    journal = Journal(tmp_path / "store", "trial")
    let_paint(client)
    client.run(_limit_memory, 10**9)
    try:
        events = list(work_off(items, journal, OPTIONS, client))
    finally:
        client.run(_limit_memory, 4 * 10**9)
    (outcome,) = [event.outcome for event in events if event.kind == "ended"]
    assert outcome is not None
    assert outcome.state == "refused"
    assert "has 1.0 GB for 1 slide at a time, and each needs 1.6 GB" in str(outcome.error)
    assert endings(list(work_off(items, journal, OPTIONS, client))) == {"slide.png": "finished"}


def _limit_memory(limit: int, dask_worker: object) -> None:
    dask_worker.memory_manager.memory_limit = limit  # type: ignore[attr-defined]


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_a_taught_classifier_names_the_nuclei_of_all_slides_and_the_table_says_so(
    client: Client, tmp_path: Path
) -> None:
    """What was finished without it is asked again, from the store, and scored anew."""
    items = read_plan([write_cohort(tmp_path / "slides", good=2)])
    journal = Journal(tmp_path / "store", "trial")
    let_paint(client)
    all_runs = (*work_off(items, journal, OPTIONS, client),)
    assert "finished" in endings(list(all_runs)).values()
    before = runs_by_slide(journal)
    run = next(iter(before.values()))
    table = run.nuclei()
    rows = table.groupby("class_name").head(5)
    names = rows["class_name"].replace("macrophage", "melanocyte")
    labels = Labels(run, rows["nucleus_id"].to_numpy(), tuple(names))
    taught = NamedClassifier("skin", teach([labels], with_anchors=False).classifier)
    with_it = replace(OPTIONS, classifier=taught)
    assert with_it.doubt() is None
    earlier = replace(taught.classifier, naming=("0" * 16,))
    doubted = replace(OPTIONS, classifier=NamedClassifier("skin", earlier))
    assert "named nuclei otherwise" in str(doubted.doubt())
    events = list(work_off(items, journal, with_it, client))
    assert [e.kind for e in events if e.outcome and e.outcome.state == "finished"] == ["ended"] * 2
    for name, each in runs_by_slide(journal).items():
        assert each.classifier == "skin"
        assert each.path == before[name].path
    found = RunCatalog(Store(journal.store)).cohort("trial").dropna(subset=["folder"])
    assert list(found["classifier"]) == ["skin", "skin"]
    melanocytes = {
        r.slide_path.name: r.counts()["melanocyte"] for r in runs_by_slide(journal).values()
    }
    assert found.set_index("slide")["count_melanocyte"].to_dict() == melanocytes
    assert sum(melanocytes.values()) > 0
    assert found["til_reason"].notna().all() or found["til_pct"].notna().any()
    again = [e.kind for e in work_off(items, journal, with_it, client) if e.kind != "progress"]
    assert set(again) == {"skipped"}
    # another answer than what the report says named them
    one, two = runs_by_slide(journal).values()
    another = replace(taught.classifier, intercepts=taught.classifier.intercepts + 1)
    classify(one, another, name="another")
    forget_answer(two.path)
    events = list(work_off(items, journal, with_it, client))
    assert [e.kind for e in events if e.outcome and e.outcome.state == "finished"] == ["ended"] * 2
    assert {each.classifier for each in runs_by_slide(journal).values()} == {"skin"}
    foreign = replace(taught.classifier, model_sha256="1" * 64)
    other = replace(OPTIONS, classifier=NamedClassifier("skin", foreign))
    renamed = replace(foreign, naming=("0" * 16,))
    assert replace(other, classifier=NamedClassifier("skin", renamed)).doubt() is None
    with pytest.raises(TeachingError, match="was taught on what the model painted sees"):
        list(work_off(items, journal, other, client))
