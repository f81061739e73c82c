"""A slide in ranges of rows is the slide: what several workers find is what one process finds."""

import shutil
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import painted_slides
import pytest
from analysed_runs import run_files, start_child, stop_after
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from painted_slides import MPP, SMALL_TILES, PaintedEngine

from seg_core.analysis import analyse
from seg_core.errors import BusyError, JobCancelled, ModelError
from seg_core.geometry import Region
from seg_core.process.progress import Progress
from seg_core.ranges import analyse_range, join_ranges, plan_ranges
from seg_core.settings import AnalysisSettings
from seg_core.store import RowRange, RowRanges, Run, Store
from tests.stand_in import stand_in

SMALL = AnalysisSettings(
    tile_px=64, overlap_px=32, block_px=256, max_extent_um=20.0, growth_um=1.0, tissue_only=False
)
ASKED = {"mpp": MPP, "settings": SMALL}

pytestmark = pytest.mark.usefixtures("painted_engines")


def ignore(_progress: Progress) -> None:
    """Nobody looks on."""


@pytest.fixture(scope="module")
def tall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slide on which ranges can meet at two rows."""
    painting = painted_slides.paint(600, 1500, glass_from=520, seed=3)
    return painting.save(tmp_path_factory.mktemp("slides") / "tall.png")


@pytest.fixture(scope="module")
def alone(tall: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same slide by one process."""
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, painted_slides.CARD, painted_slides.make_painted_engine)
        return analyse(tall, tmp_path_factory.mktemp("alone"), **ASKED)


def assert_equal(run: Run, other: Run) -> None:
    assert run.status == other.status == "finished"
    assert run.facts.counts == other.facts.counts
    assert run.facts.warnings == other.facts.warnings
    assert run.facts.tissue_um2 == other.facts.tissue_um2
    assert run.facts.seal == other.facts.seal
    ours, theirs = run_files(run), run_files(other)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []


def test_ranges_in_any_order_joined_equal_what_one_process_finds_file_for_file(
    tall: Path, alone: Run, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    ranges = plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED)
    assert [(rows.top, rows.bottom) for rows in ranges] == [(0, 512), (512, 1024), (1024, 1500)]
    for rows in reversed(ranges):
        analyse_range(tall, tmp_path, rows, ignore, **ASKED)
    kept = RowRanges(Store(tmp_path).runs()[0].path)
    found = [len(list(kept.folder(rows).glob("blocks/*"))) for rows in ranges]
    assert found[0] > 0  # blocks whose halo ends inside the range
    assert found[1] == 0  # none of its blocks is a halo away from both borders
    tiles = painted_engines[0].tiles
    assert tiles == sum(rows.tiles for rows in ranges)

    run = join_ranges(tall, tmp_path, ignore, **ASKED)
    assert painted_engines[0].tiles == tiles
    assert sum(run.facts.counts.values()) > 200
    assert not (run.path / "ranges").exists()
    assert_equal(run, alone)


def test_a_part_of_a_slide_is_cut_where_the_whole_would_be(tall: Path, tmp_path: Path) -> None:
    asked = {**ASKED, "region": Region(130, 250, 300, 900)}
    expected = analyse(tall, tmp_path / "alone", **asked)
    ranges = plan_ranges(tall, tmp_path, most_mpx=0.1, **asked)
    assert [(rows.top, rows.bottom) for rows in ranges] == [(250, 512), (512, 1024), (1024, 1150)]
    for rows in ranges:
        analyse_range(tall, tmp_path, rows, ignore, **asked)
    assert_equal(join_ranges(tall, tmp_path, ignore, **asked), expected)


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stops=st.lists(st.integers(0, 400), min_size=3, max_size=3), joined=st.booleans())
def test_whatever_was_done_of_the_ranges_counts(
    tall: Path, alone: Run, tmp_path_factory: pytest.TempPathFactory, stops: list[int], joined: bool
) -> None:
    store = tmp_path_factory.mktemp("store")
    ranges = plan_ranges(tall, store, most_mpx=0.3, **ASKED)
    for rows, stop in zip(ranges, stops, strict=True):
        try:
            analyse_range(tall, store, rows, stop_after(stop), **ASKED)
        except JobCancelled:
            assert stop <= rows.tiles
    if joined:  # all of them are done first; otherwise one process goes on by itself
        for rows in ranges:
            analyse_range(tall, store, rows, ignore, **ASKED)
    assert_equal(analyse(tall, store, **ASKED), alone)
    shutil.rmtree(store)


def test_a_process_killed_while_it_joins_leaves_what_the_next_one_joins(
    tall: Path, alone: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges = plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED)
    for rows in ranges:
        analyse_range(tall, tmp_path, rows, ignore, **ASKED)
    with monkeypatch.context() as patch:
        patch.setattr(RowRanges, "discard", _killed)
        with pytest.raises(KeyboardInterrupt):
            join_ranges(tall, tmp_path, ignore, **ASKED)
    assert plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED) == ()
    assert_equal(analyse(tall, tmp_path, **ASKED), alone)


@pytest.mark.parametrize("joined", [True, False])
def test_damaged_pieces_of_a_range_cost_no_other_rows(
    tall: Path, alone: Run, tmp_path: Path, painted_engines: list[PaintedEngine], joined: bool
) -> None:
    """When ranges were joined, one damaged file cost its whole range; before, it ended the range."""
    ranges = plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED)
    for rows in ranges[1:]:
        analyse_range(tall, tmp_path, rows, ignore, **ASKED)
    first = ranges[0]
    if joined:
        analyse_range(tall, tmp_path, first, ignore, **ASKED)
    else:
        with pytest.raises(JobCancelled):
            analyse_range(tall, tmp_path, first, stop_after(0, "nuclei"), **ASKED)
    kept = RowRanges(Store(tmp_path).runs()[0].path).folder(first)
    max(kept.glob("pieces/*.npy"), key=lambda each: each.stat().st_size).write_bytes(b"damaged")
    asked = painted_engines[0].tiles
    if not joined:
        analyse_range(tall, tmp_path, first, ignore, **ASKED)
    assert_equal(join_ranges(tall, tmp_path, ignore, **ASKED), alone)
    assert 0 < painted_engines[0].tiles - asked < first.tiles / 2


def _killed(_ranges: RowRanges) -> None:
    raise KeyboardInterrupt


def test_what_is_small_finished_or_begun_by_one_process_is_not_cut(
    tall: Path, tmp_path: Path
) -> None:
    assert plan_ranges(tall, tmp_path, most_mpx=1.0, **ASKED) == ()
    assert not list(tmp_path.iterdir())

    with pytest.raises(JobCancelled):
        analyse(tall, tmp_path, report=stop_after(50), **ASKED)
    assert plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED) == ()
    analyse(tall, tmp_path, **ASKED)
    assert plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED) == ()


def test_glass_is_no_work_so_ranges_follow_the_tissue(tmp_path: Path) -> None:
    painting = painted_slides.paint(400, 3000)
    painting.rgb[:1600] = painted_slides.GLASS
    slide = painting.save(tmp_path / "low.png")
    asked = {"mpp": MPP, "settings": replace(SMALL, tissue_only=True)}
    ranges = plan_ranges(slide, tmp_path / "store", most_mpx=0.4, **asked)
    assert len(ranges) == 2
    assert ranges[0].top == 0
    assert 2000 < ranges[0].bottom < 2600
    assert ranges[1].bottom == 3000


def test_nobody_writes_into_a_run_while_a_range_is_at_work_nor_the_other_way_round(
    tall: Path, tmp_path: Path
) -> None:
    ranges = plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED)
    kept = RowRanges(Store(tmp_path).runs()[0].path)
    with kept.writing(ranges[0]):
        assert [run.status for run in Store(tmp_path).runs()] == ["running"]
        with pytest.raises(BusyError):
            analyse(tall, tmp_path, **ASKED)
        with pytest.raises(BusyError):
            Store(tmp_path).delete(Store(tmp_path).runs()[0])
        with pytest.raises(BusyError):
            analyse_range(tall, tmp_path, ranges[0], ignore, **ASKED)
        analyse_range(tall, tmp_path, ranges[1], ignore, **ASKED)
    assert [run.status for run in Store(tmp_path).runs()] == ["stopped"]

    run = Store(tmp_path).runs()[0]
    with Store(tmp_path).writing(run.facts.question), pytest.raises(BusyError):
        analyse_range(tall, tmp_path, ranges[0], ignore, **ASKED)


def test_a_worker_that_comes_when_all_is_joined_leaves_nothing_in_the_run(
    tall: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had seen the plan, was overtaken, and made the whole range again in the finished run."""
    asked = {"mpp": MPP, "settings": SMALL_TILES}
    ranges = plan_ranges(tall, tmp_path, most_mpx=0.3, **asked)
    assert ranges
    for rows in ranges:
        analyse_range(tall, tmp_path, rows, ignore, **asked)
    joined: list[dict[str, bytes]] = []

    def overtaken(kept: RowRanges, rows: RowRange) -> AbstractContextManager[Path]:
        child = start_child(tall, tmp_path)
        child.communicate()
        assert child.returncode == 0
        joined.append(run_files(Store(tmp_path).runs()[0]))
        return writing(kept, rows)

    writing = RowRanges.writing
    monkeypatch.setattr(RowRanges, "writing", overtaken)
    analyse_range(tall, tmp_path, ranges[0], _no_work, **asked)
    (run,) = Store(tmp_path).runs()
    assert run.status == "finished"
    assert [run_files(run)] == joined
    assert not (run.path / "ranges").exists()


def test_a_worker_that_comes_to_a_run_at_work_leaves_nothing_in_it(
    tall: Path, tmp_path: Path
) -> None:
    """Its lock on a range kept those who joined the ranges from doing so."""
    ranges = plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED)
    run = Store(tmp_path).runs()[0]
    with Store(tmp_path).writing(run.facts.question):
        with pytest.raises(BusyError), RowRanges(run.path).writing(ranges[0]):
            pass
        assert [path.name for path in (run.path / "ranges").iterdir()] == ["plan.json"]


def test_a_worker_that_comes_when_the_run_is_deleted_does_not_bring_it_back(
    tall: Path, tmp_path: Path
) -> None:
    ranges = plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED)
    run = Store(tmp_path).runs()[0]
    Store(tmp_path).delete(run)
    with RowRanges(run.path).writing(ranges[0]):
        pass
    assert not list(tmp_path.iterdir())


def _no_work(_progress: Progress) -> None:
    raise AssertionError("nothing is left to do")


def test_a_slide_begun_in_one_arithmetic_is_not_gone_on_with_in_another(
    tall: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges = plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED)
    stand_in(monkeypatch, painted_slides.CARD, lambda *_: PaintedEngine("bf16"))
    with pytest.raises(ModelError, match="computes with painted bf16, and the slide was begun"):
        analyse_range(tall, tmp_path, ranges[0], ignore, **ASKED)
    with pytest.raises(ModelError, match="painted fp32"):
        join_ranges(tall, tmp_path, ignore, **ASKED)


def test_seconds_of_all_workers_are_the_runs_seconds(tall: Path, tmp_path: Path) -> None:
    ranges = plan_ranges(tall, tmp_path, most_mpx=0.3, **ASKED)
    for rows in ranges:
        analyse_range(tall, tmp_path, rows, ignore, **ASKED)
    kept = RowRanges(Store(tmp_path).runs()[0].path)
    spent = sum(kept.seconds(rows) or 0.0 for rows in ranges)
    assert spent > 0
    assert join_ranges(tall, tmp_path, ignore, **ASKED).facts.seconds > spent
