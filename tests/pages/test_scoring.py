"""Scores of many readers: none is dropped for another's sake, and what nobody awaits is given up."""

import gc
from typing import Any

import pytest

from pages.shared.scoring import ScoringRequest, Scorings, Waiting
from seg_core.process.worker import Job
from seg_core.scoring import parts_of
from seg_core.store import Run
from seg_core.til import TilSettings


class OneAfterTheOther:
    """Stands for the worker: jobs end when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[StubbornJob] = []

    def submit(self, _act: object, **_arguments: object) -> "StubbornJob":
        self.jobs.append(StubbornJob())
        return self.jobs[-1]


class StubbornJob:
    def __init__(self) -> None:
        self.ended = self.cancelled = False

    def done(self) -> bool:
        return self.ended

    def cancel(self) -> None:
        self.cancelled = self.ended = True

    def result(self) -> Any:
        return self


@pytest.fixture
def worker() -> OneAfterTheOther:
    return OneAfterTheOther()


@pytest.fixture
def scorings(worker: OneAfterTheOther) -> Scorings:
    return Scorings(worker)  # type: ignore[arg-type]


def request(run: Run, reader: int) -> ScoringRequest:
    return ScoringRequest(run, parts_of(run)[0], TilSettings(dilation_um=20.0 + reader))


def test_ten_readers_ask_at_once_and_nobody_s_job_is_dropped(
    run: Run, scorings: Scorings, worker: OneAfterTheOther
) -> None:
    waiting = [scorings.ask(request(run, reader), str(reader)) for reader in range(10)]
    again = [scorings.ask(request(run, reader), str(reader)) for reader in range(10)]
    assert [a.job for a in again] == [w.job for w in waiting]
    assert len(worker.jobs) == 10
    assert not any(job.cancelled for job in worker.jobs)


def test_of_what_has_ended_the_last_answers_are_kept(
    run: Run, scorings: Scorings, worker: OneAfterTheOther
) -> None:
    for reader in range(8):
        scorings.ask(request(run, reader))
        worker.jobs[-1].ended = True
    scorings.ask(request(run, 9))
    kept = [scorings.find(request(run, reader).key) is not None for reader in range(8)]
    assert kept == [False] * 2 + [True] * 6


def test_what_no_session_awaits_any_more_is_given_up(
    run: Run, scorings: Scorings, worker: OneAfterTheOther
) -> None:
    left = scorings.ask(request(run, 1), "one")
    both: list[Waiting] = [scorings.ask(request(run, 2), who) for who in ("one", "two")]
    del left, both[0]
    gc.collect()
    scorings.drop_what_nobody_waits_for()
    assert [job.cancelled for job in worker.jobs] == [True, False]
    both.clear()
    gc.collect()
    scorings.ask(request(run, 3))
    assert [job.cancelled for job in worker.jobs] == [True, True, False]


def test_an_answer_that_is_there_stays_when_its_reader_goes(
    run: Run, scorings: Scorings, worker: OneAfterTheOther
) -> None:
    waiting = scorings.ask(request(run, 1))
    worker.jobs[0].ended = True
    del waiting
    gc.collect()
    scorings.drop_what_nobody_waits_for()
    assert scorings.find(request(run, 1).key) is not None
    job: Job[Any] = scorings.ask(request(run, 1)).job
    assert job is worker.jobs[0]  # type: ignore[comparison-overlap]
