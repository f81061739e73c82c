"""Cohorts of pages: one at a time, and behind everybody who waits for an analysis."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pages.shared import singletons
from pages.shared.cohort_process import EVENTS_FILE, CohortOrder, CohortProcess
from pages.shared.cohorts import Cohorts
from seg_core.process.progress import ProgressCallback
from seg_core.process.worker import Worker

# Ends at a signal as the command does: nothing is summed up, and its last sentence is kept.
_ENDLESS = "import sys, time; print('stopped.', file=sys.stderr, flush=True); time.sleep(600)"


class Begun:
    """Starts processes that go on until they are stopped, and remembers for what."""

    def __init__(self, folder: Path) -> None:
        self.orders: list[CohortOrder] = []
        self.processes: list[CohortProcess] = []
        self._folder = folder

    def __call__(self, order: CohortOrder) -> CohortProcess:
        folder = self._folder / str(len(self.orders))
        folder.mkdir()
        with (folder / "errors.txt").open("wb") as errors:
            child = subprocess.Popen([sys.executable, "-c", _ENDLESS], stderr=errors)
        self.orders.append(order)
        self.processes.append(CohortProcess(order, child, folder, lambda: shutil.rmtree(folder)))
        return self.processes[-1]

    def finish(self, number: int) -> None:
        """Let a process end as the command does when all slides have."""
        process = self.processes[number]
        (process.folder / EVENTS_FILE).write_text('{"event": "summary"}\n')
        process.process.terminate()
        process.process.wait()

    @contextmanager
    def still_at_work(self, number: int) -> Iterator[None]:
        """Have a process finish its tile, whatever signal has come."""
        process = self.processes[number]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(process, "is_running", lambda: True)
            yield

    def wait_for_end(self, number: int) -> None:
        self.processes[number].process.wait(60)


@pytest.fixture
def begun(tmp_path: Path):
    begun = Begun(tmp_path)
    yield begun
    for process in begun.processes:
        process.process.kill()
        process.process.wait()


def order(name: str) -> CohortOrder:
    return CohortOrder(Path(name), name, 3, retry_failed=True)


def names(cohorts: Cohorts) -> list[str]:
    return [each.order.name for each in cohorts.waiting()]


def test_cohorts_follow_one_another_and_each_knows_its_place(begun: Begun) -> None:
    cohorts = Cohorts(lambda: False, begun)
    for name in ("one", "two", "three", "two", "one"):
        cohorts.add(order(name))
    assert [each.name for each in begun.orders] == ["one"]
    assert [(each.order.name, each.ahead) for each in cohorts.waiting()] == [
        ("two", 1),
        ("three", 2),
    ]
    cohorts.stop("two")
    assert names(cohorts) == ["three"]
    begun.finish(0)
    cohorts.advance()
    cohorts.advance()
    assert [each.name for each in begun.orders] == ["one", "three"]
    assert cohorts.problem is None
    cohorts.stop("three")
    begun.wait_for_end(1)
    cohorts.advance()
    assert cohorts.current is None
    assert str(cohorts.problem).startswith("The cohort three did not come to its end: ")


def test_a_cohort_makes_way_for_an_analysis_and_goes_on_by_itself(begun: Begun) -> None:
    wanted = False
    cohorts = Cohorts(lambda: wanted, begun)
    cohorts.add(order("mine"))
    cohorts.add(order("next"))
    wanted = True
    cohorts.advance()
    begun.wait_for_end(0)  # it was asked to stop
    cohorts.advance()
    assert cohorts.current is None
    assert cohorts.makes_way
    assert cohorts.problem is None
    assert names(cohorts) == ["mine", "next"]  # it keeps its place
    cohorts.advance()
    assert len(begun.orders) == 1
    wanted = False
    cohorts.advance()
    assert [each.name for each in begun.orders] == ["mine", "mine"]
    assert [each.retry_failed for each in begun.orders] == [True, False]
    assert not cohorts.makes_way


def test_a_small_region_of_one_person_goes_before_the_cohort_of_another(
    begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the worker that analyses: it begins at once, and the cohort stands still until it ends."""
    with Worker() as worker:
        monkeypatch.setattr(singletons, "worker", lambda: worker)
        cohorts = Cohorts(lambda: singletons.worker().is_busy, begun)
        cohorts.add(order("cohort"))
        job = worker.submit(nap, seconds=3.0)
        assert worker.jobs_ahead_of(job) == 0
        begun.wait_for_end(0)  # by the thread that looks after cohorts
        assert not job.done()
        job.result(60)
        until = time.monotonic() + 60
        while len(begun.orders) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert cohorts.current is not None


def nap(seconds: float, report: ProgressCallback) -> None:
    """Take the worker's time."""
    time.sleep(seconds)


def test_a_cohort_that_a_person_stops_stays_stopped_though_an_analysis_is_wanted_meanwhile(
    begun: Begun,
) -> None:
    """It finishes its tile first; whoever comes in these seconds makes nobody's decision undone."""
    wanted = False
    cohorts = Cohorts(lambda: wanted, begun)
    cohorts.add(order("mine"))
    with begun.still_at_work(0):
        cohorts.stop("mine")
        wanted = True
        cohorts.advance()
        assert not cohorts.makes_way
    begun.wait_for_end(0)
    cohorts.advance()
    assert names(cohorts) == []
    wanted = False
    cohorts.advance()
    assert cohorts.current is None
    assert len(begun.orders) == 1


def test_a_cohort_that_makes_way_can_be_stopped_for_good(begun: Begun) -> None:
    wanted = False
    cohorts = Cohorts(lambda: wanted, begun)
    cohorts.add(order("mine"))
    with begun.still_at_work(0):
        wanted = True
        cohorts.advance()
        assert cohorts.makes_way
        cohorts.stop("mine")
        cohorts.advance()
        assert not cohorts.makes_way
    begun.wait_for_end(0)
    cohorts.advance()
    wanted = False
    cohorts.advance()
    assert cohorts.current is None
    assert len(begun.orders) == 1


def test_a_cohort_that_is_being_stopped_can_be_asked_for_again(begun: Begun) -> None:
    cohorts = Cohorts(lambda: False, begun)
    cohorts.add(order("mine"))
    with begun.still_at_work(0):
        cohorts.stop("mine")
        cohorts.add(order("mine"))
        assert names(cohorts) == ["mine"]
    begun.wait_for_end(0)
    cohorts.advance()
    cohorts.advance()
    assert [each.name for each in begun.orders] == ["mine", "mine"]
