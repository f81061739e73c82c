"""The worker process, with jobs small enough to be looked at."""

import errno
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from seg_core.errors import JobCancelled, JobError, SlideError
from seg_core.process import worker as jobs
from seg_core.process.progress import Progress, ProgressCallback
from seg_core.process.worker import NICENESS, Job, Worker

ROOT = Path(__file__).parents[3]
WAIT_S = 60  # for a loaded machine; an idle one needs a tenth of a second


def add(a: int, b: int, report: ProgressCallback) -> int:
    report(Progress("tiles", 1, 2))
    return a + b


def process_facts(report: ProgressCallback) -> tuple[int, int]:
    return os.getpid(), os.nice(0)


def work_until_stopped(started: Path, report: ProgressCallback) -> None:
    started.touch()
    for done in range(WAIT_S * 100):
        report(Progress("tiles", done, WAIT_S * 100))
        time.sleep(0.01)


def refuse(report: ProgressCallback) -> None:
    raise SlideError("that slide is upside down; turn it.")


def stumble(report: ProgressCallback) -> None:
    raise ZeroDivisionError("one by nought")


def chatter(report: ProgressCallback) -> str:
    print("a library that prints", flush=True)  # noqa: T201
    os.write(1, b"and one that writes past Python\n")
    return "fine"


def die(report: ProgressCallback) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def unpicklable(report: ProgressCallback) -> threading.Lock:
    return threading.Lock()  # type: ignore[return-value]


class TwoPartError(SlideError):
    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")


def raise_unreadable(report: ProgressCallback) -> None:
    raise TwoPartError("a.svs", "an error that pickle cannot build again")


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as worker:
        yield worker


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + WAIT_S
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} never came"
        time.sleep(0.01)


def test_a_job_returns_its_value_and_its_last_progress(worker: Worker) -> None:
    job = worker.submit(add, a=2, b=3)
    assert job.result(WAIT_S) == 5
    assert job.done()
    assert job.progress == Progress("tiles", 1, 2)


def test_jobs_share_one_process_of_lower_priority(worker: Worker) -> None:
    first, second = (worker.submit(process_facts).result(WAIT_S) for _ in range(2))
    assert first == second
    assert first[0] != os.getpid()
    assert first[1] == min(os.nice(0) + NICENESS, 19)


def test_an_error_of_the_child_arrives_as_it_was(worker: Worker) -> None:
    with pytest.raises(SlideError, match="that slide is upside down; turn it"):
        worker.submit(refuse).result(WAIT_S)


@pytest.mark.parametrize(
    ("function", "summary", "details"),
    [
        (stumble, "ZeroDivisionError: one by nought", "in stumble"),
        (unpicklable, "TypeError: cannot pickle", "in _do"),
        (raise_unreadable, "the answer cannot be read", "in outcome"),
    ],
)
def test_a_mistake_is_a_sentence_for_the_page_and_a_traceback_for_the_log(
    worker: Worker, caplog: pytest.LogCaptureFixture, function, summary: str, details: str
) -> None:
    with (
        caplog.at_level(logging.ERROR, "seg_core.process.worker"),
        pytest.raises(JobError, match=f"mistake in the program stopped the work \\({summary}"),
    ):
        worker.submit(function).result(WAIT_S)
    assert details in caplog.text


def test_printing_does_not_disturb_the_messages(worker: Worker) -> None:
    assert worker.submit(chatter).result(WAIT_S) == "fine"


def test_a_running_job_stops_at_its_next_report(worker: Worker, tmp_path: Path) -> None:
    job = worker.submit(work_until_stopped, started=tmp_path / "started")
    wait_for(tmp_path / "started")
    with pytest.raises(TimeoutError, match="has not ended within"):
        job.result(0.01)
    job.cancel()
    with pytest.raises(JobCancelled, match="what was finished so far is kept"):
        job.result(WAIT_S)
    job.cancel()  # of no consequence once it has ended


def test_jobs_wait_for_their_turn_and_say_so(worker: Worker, tmp_path: Path) -> None:
    running = worker.submit(work_until_stopped, started=tmp_path / "started")
    second, third = worker.submit(add, a=1, b=1), worker.submit(add, a=2, b=2)
    assert second.progress == Progress("waiting", 0, 1)
    assert third.progress == Progress("waiting", 0, 2)
    second.cancel()
    with pytest.raises(JobCancelled, match="taken from the queue"):
        second.result(WAIT_S)
    assert third.progress == Progress("waiting", 0, 1)
    running.cancel()
    assert third.result(WAIT_S) == 4
    assert running.done()


def work_in_parts(folder: Path, report: ProgressCallback) -> int:
    """Count to twenty, going on where it was stopped; one part more at each file that comes."""
    done = folder / "done"
    starts = folder / "starts"
    starts.write_text(starts.read_text() + "x" if starts.exists() else "x")
    while int(done.read_text()) < 20:
        report(Progress("tiles", int(done.read_text()), 20, 1000.0))
        if (folder / "go").exists():
            done.write_text(str(int(done.read_text()) + 1))
        time.sleep(0.01)
    return len(starts.read_text())


def test_a_large_job_makes_way_for_a_much_smaller_one_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "done").write_text("7")
    with Worker() as worker:
        large = worker.submit(work_in_parts, asker="one", size=1000.0, folder=tmp_path)
        wait_for(tmp_path / "starts")
        similar = worker.submit(add, asker="two", size=900.0, a=1, b=1)
        small = worker.submit(add, asker="three", size=100.0, a=2, b=2)
        assert small.result(WAIT_S) == 4
        assert not similar.done()
        assert not large.done()
        (tmp_path / "go").touch()
        assert large.result(WAIT_S) == 2, "it was called twice, and went on where it was"
        assert similar.result(WAIT_S) == 2
        assert large.progress is not None
        assert large.progress.done == 19


def test_a_job_that_makes_way_can_be_stopped_and_says_that_it_is_paused(tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "done").write_text("5")
    with Worker() as worker:
        large = worker.submit(work_in_parts, size=1000.0, folder=tmp_path / "large")
        wait_for(tmp_path / "large" / "starts")
        small = worker.submit(
            work_until_stopped, asker="other", size=1.0, started=tmp_path / "started"
        )
        wait_for(tmp_path / "started")
        assert large.progress == Progress("paused", 5, 20)
        large.cancel()
        with pytest.raises(JobCancelled, match="taken from the queue"):
            large.result(WAIT_S)
        small.cancel()


def test_many_small_jobs_leave_a_large_one_as_much_time_as_they_take(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By a clock of the test, each small job takes a minute: the second waits until that is made good."""
    now = [0.0]
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: now[0]))
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "done").write_text("5")
    with Worker() as worker:
        large = worker.submit(work_in_parts, size=1000.0, folder=tmp_path / "large")
        wait_for(tmp_path / "large" / "starts")
        first = worker.submit(work_until_stopped, asker="a", size=1.0, started=tmp_path / "first")
        wait_for(tmp_path / "first")
        second = worker.submit(add, asker="b", size=1.0, a=1, b=1)
        now[0] = 60.0
        first.cancel()
        with pytest.raises(JobCancelled):
            first.result(WAIT_S)
        wait_until(lambda: large.is_running() and large.progress.stage == "tiles")
        now[0] = 119.0
        with pytest.raises(TimeoutError):
            second.result(0.5)
        now[0] = 121.0
        assert second.result(WAIT_S) == 2
        large.cancel()


def wait_until(is_so: Callable[[], bool]) -> None:
    wake = threading.Event()
    for _ in range(WAIT_S * 100):
        if is_so():
            return
        wake.wait(0.01)
    raise AssertionError("it never was so")


def test_those_who_ask_take_turns(tmp_path: Path) -> None:
    with Worker() as worker:
        running = worker.submit(work_until_stopped, asker="greedy", started=tmp_path / "started")
        greedy = [worker.submit(add, asker="greedy", a=1, b=n) for n in range(3)]
        first = worker.submit(add, asker="modest", a=2, b=1)
        second = worker.submit(add, asker="modest", a=2, b=2)
        ahead = [worker.jobs_ahead_of(job) for job in (first, greedy[0], second, *greedy[1:])]
        assert ahead == [2, 1, 4, 3, 5]
        running.cancel()
        assert [job.result(WAIT_S) for job in (*greedy, first, second)] == [1, 2, 3, 3, 4]


def test_so_many_jobs_may_wait_of_each_and_of_all(tmp_path: Path) -> None:
    with Worker(each=2, most=3) as worker:
        running = worker.submit(work_until_stopped, asker="one", started=tmp_path / "started")
        waiting = [worker.submit(add, asker="one", a=1, b=n) for n in range(2)]
        with pytest.raises(JobError, match="2 of your requests are waiting already"):
            worker.submit(add, asker="one", a=1, b=3)
        waiting.append(worker.submit(add, asker="two", a=1, b=3))
        with pytest.raises(JobError, match="3 requests are waiting on this server"):
            worker.submit(add, asker="three", a=1, b=3)
        waiting[0].cancel()
        waiting.append(worker.submit(add, asker="three", a=1, b=4))
        running.cancel()
        assert [job.result(WAIT_S) for job in waiting[1:]] == [2, 4, 5]


def test_a_killed_process_is_one_sentence_and_the_next_job_starts_another(worker: Worker) -> None:
    dying: Job[None] = worker.submit(die)
    after = worker.submit(add, a=1, b=2)
    with pytest.raises(JobError, match=r"ended by itself \(exit code -9\).*ran out of memory"):
        dying.result(WAIT_S)
    assert after.result(WAIT_S) == 3


def test_a_process_that_cannot_start_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_to_fork(niceness: int) -> subprocess.Popen[bytes]:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    with Worker() as worker:
        with monkeypatch.context() as patch:
            patch.setattr(jobs, "start_child", refuse_to_fork)
            failed = worker.submit(add, a=1, b=1)
        with pytest.raises(JobError, match=r"no process could be started .*\(Cannot allocate"):
            failed.result(WAIT_S)
        assert worker.submit(add, a=1, b=1).result(WAIT_S) == 2


def test_closing_stops_what_runs_and_what_waits(tmp_path: Path) -> None:
    worker = Worker()
    running = worker.submit(work_until_stopped, started=tmp_path / "started")
    waiting = worker.submit(add, a=1, b=1)
    wait_for(tmp_path / "started")
    worker.close()
    for job in (running, waiting):
        with pytest.raises(JobCancelled, match=r"what was finished so far is kept|closed|queue"):
            job.result(WAIT_S)
    with pytest.raises(RuntimeError, match="this worker is closed"):
        worker.submit(add, a=1, b=1)


def test_closing_a_worker_that_never_worked_is_nothing() -> None:
    Worker().close()


def test_a_script_without_main_guard_is_not_run_again(tmp_path: Path) -> None:
    """Under Streamlit `multiprocessing` would run the whole dashboard once more in the child."""
    (tmp_path / "small_jobs.py").write_text("def double(n, report):\n    return 2 * n\n")
    script = tmp_path / "script.py"
    script.write_text(
        "print('script runs')\n"
        "import small_jobs\n"
        "from seg_core.process.worker import Worker\n"
        "with Worker() as worker:\n"
        "    print(worker.submit(small_jobs.double, n=21).result())\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["script", "runs", "42"]


def test_the_child_goes_when_its_parent_is_killed(tmp_path: Path) -> None:
    (tmp_path / "long_jobs.py").write_text(
        "import os, pathlib, time\n"
        "from seg_core.process.progress import Progress\n"
        "def work(folder, report):\n"
        "    pathlib.Path(folder, 'pid.tmp').write_text(str(os.getpid()))\n"
        "    pathlib.Path(folder, 'pid.tmp').rename(pathlib.Path(folder, 'pid'))\n"
        "    try:\n"
        "        for done in range(10000):\n"
        "            report(Progress('tiles', done, 10000))\n"
        "            time.sleep(0.01)\n"
        "    finally:\n"
        "        pathlib.Path(folder, 'ended').touch()\n"
    )
    program = (
        f"import long_jobs\nfrom seg_core.process.worker import Worker\n"
        f"Worker().submit(long_jobs.work, folder={str(tmp_path)!r}).result()\n"
    )
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    parent = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path}
    )
    wait_for(tmp_path / "pid")
    parent.kill()
    parent.wait()
    wait_for(tmp_path / "ended")
