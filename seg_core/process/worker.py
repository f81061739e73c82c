"""A long-lived worker process of lower priority that does one heavy job at a time.

Jobs wait for their turn here, and are done by a child::

    parent                                   child (nice 10)
    submit ──► turns ──► call ─────────────► function(**arguments, report=…)
    Job.progress  ◄───────────────────────────  report(Progress(…))
    Job.cancel ────────────────────────────►    the next report raises JobCancelled
    Job.result    ◄──────────────────────────  return

What the child keeps in its modules, a loaded model for instance, is there for the next job.

A job that can be stopped and gone on with makes way for a much smaller one: it is stopped at its
next report, and called again when the small one is done. Each has as much time as it has waited
for others, so that many small ones cannot hold a large one up for good.
"""

import logging
import pickle
import subprocess
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from seg_core.errors import JobCancelled, JobError, SegCoreError
from seg_core.process.child import close_quietly, receive, send, start_child
from seg_core.process.endings import end_of_process, no_process, outcome
from seg_core.process.progress import Progress
from seg_core.process.turns import Turns

_log = logging.getLogger(__name__)

T = TypeVar("T")

# Low enough that pages and tiles stay quick, not so low that an idle machine is left unused.
NICENESS = 10

# A job makes way for one that is so many times smaller, and only if more is left of it than to stop
# and begin again would cost.
_MUCH_SMALLER = 10
_WORTH_PAUSING_S = 30.0

# How long a worker that is closed may take to reach the next report before it is ended.
_PATIENCE_S = 10.0


class Job(Generic[T]):
    """One call that the worker does, has done or will do; made by `Worker.submit`."""

    def __init__(
        self, worker: "Worker", number: int, call: bytes, size: float | None = None
    ) -> None:
        self._worker = worker
        self._number = number
        self._call = call
        self._size = size
        self._pausing = False
        self._paused = False
        self._owed_s = 0.0  # how long others went ahead, less how long it has worked since
        self._since: float | None = None  # when it was started, or paused
        self._reason: str | None = None
        self._progress: Progress | None = None
        self._value: T | None = None
        self._error: SegCoreError | None = None
        self._ended = threading.Event()
        self._cancelled = False

    @property
    def stopping(self) -> bool:
        """Whether it was cancelled and has not yet come to its next report."""
        return self._cancelled and not self.done()

    @property
    def progress(self) -> Progress | None:
        """The last report; *waiting* while other jobs come first, None before the first report.

        A job that makes way for a smaller one is *paused*, as far as it is.
        """
        ahead = self._worker.jobs_ahead_of(self)
        if ahead and self._paused and self._progress is not None:
            return replace(self._progress, stage="paused", seconds_left=None)
        return Progress("waiting", 0, ahead) if ahead else self._progress

    def done(self) -> bool:
        """Tell whether the job has ended, well or not."""
        return self._ended.is_set()

    def result(self, timeout: float | None = None) -> T:
        """Wait for the job and return what its function returned.

        Raises
        ------
        SegCoreError
            The one the function raised, with its class and text.
        JobCancelled
            If the job was cancelled.
        JobError
            If the function failed otherwise, or its process ended; the log tells more.
        TimeoutError
            If the job has not ended after ``timeout`` seconds.
        """
        if not self._ended.wait(timeout):
            raise TimeoutError(f"the job has not ended within {timeout} s")
        if self._error is not None:
            raise self._error
        return cast(T, self._value)

    def cancel(self, reason: str | None = None) -> None:
        """Take the job from the queue, or stop it at its next report; no matter if it has ended.

        Parameters
        ----------
        reason : str, optional
            A sentence for those who wait for it, where it is not they who cancel: the job then ends
            with a JobError that says so.
        """
        self._reason = reason
        self._worker.cancel(self)

    def is_running(self) -> bool:
        """Tell whether the worker is at it now."""
        return self._worker.is_running(self)

    def put_last(self) -> None:
        """Have the job wait until all others are done; no matter if it does not wait."""
        self._worker.put_last(self)

    def _owed(self) -> float:
        """Return for how many seconds others went ahead, less those that it has worked since."""
        if self._since is None:
            return 0.0
        passed = time.monotonic() - self._since
        return max(0.0, self._owed_s + (passed if self._paused else -passed))

    def _settle(self) -> None:
        """Take down what is owed, as it begins or ends to work."""
        self._owed_s, self._since = self._owed(), time.monotonic()

    def _end(self, *, value: T | None = None, error: SegCoreError | None = None) -> None:
        if self._reason is not None and isinstance(error, JobCancelled):
            error = JobError(self._reason)
        self._value, self._error = value, error
        self._ended.set()


class Worker:
    """The parent's handle of the worker process; any number of threads may use it.

    The process starts with the first job, and anew with the next one should it have died. Those
    who ask take turns: the second job of one comes after the first of everybody else.

    Parameters
    ----------
    niceness : int
        By how much its priority is lower than this process's own.
    each, most : int, optional
        So many jobs of one asker, and of all, may wait; by default any number.
    """

    def __init__(
        self, *, niceness: int = NICENESS, each: int | None = None, most: int | None = None
    ) -> None:
        self._niceness = niceness
        self._lock = threading.RLock()
        self._submitted = 0
        self._turns: Turns[Job[Any]] = Turns(each=each, most=most)
        self._child: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None
        self._closed = False

    def submit(
        self,
        function: Callable[..., T],
        *,
        asker: Hashable = None,
        size: float | None = None,
        **arguments: Any,
    ) -> Job[T]:
        """Queue a call of ``function(**arguments, report=…)`` in the worker process.

        Parameters
        ----------
        function : callable
            One that a module defines; it and its arguments and result are pickled.
        asker : hashable
            Who asks.
        size : float, optional
            How much work it is, in any unit, of a function that goes on where it was stopped; it
            then makes way for much smaller ones.
        **arguments
            Passed on by name.

        Raises
        ------
        JobError
            If too many jobs wait already.
        """
        call = pickle.dumps((function, arguments))
        with self._lock:
            if self._closed:
                raise RuntimeError("this worker is closed")
            self._submitted += 1
            job: Job[T] = Job(self, self._submitted, call, size)
            self._turns.add(job, asker)
            if self._turns.current is None:
                self._start_next()
        return job

    @property
    def is_busy(self) -> bool:
        """Whether a job runs or waits."""
        with self._lock:
            return self._turns.current is not None or bool(self._turns)

    def jobs_ahead_of(self, job: Job[Any]) -> int:
        """Count the jobs that come first, the running one included."""
        with self._lock:
            return self._turns.ahead_of(job)

    def cancel(self, job: Job[Any]) -> None:
        """Do what `Job.cancel` says."""
        with self._lock:
            if self._turns.remove(job):
                job._end(error=JobCancelled("the job was taken from the queue."))
            elif job is self._turns.current:
                job._cancelled = True
                self._send("cancel", job._number)

    def is_running(self, job: Job[Any]) -> bool:
        """Do what `Job.is_running` says."""
        with self._lock:
            return job is self._turns.current

    def put_last(self, job: Job[Any]) -> None:
        """Do what `Job.put_last` says."""
        with self._lock:
            self._turns.put_last(job)

    def close(self) -> None:
        """Cancel everything and end the process."""
        with self._lock:
            self._closed = True
            for job in self._turns:
                self.cancel(job)
            child, listener = self._child, self._listener
        if child is None or listener is None:
            return
        assert child.stdin is not None
        child.stdin.close()  # the child takes that for: stop at the next report and go
        try:
            child.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
        listener.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start_next(self, chosen: Job[Any] | None = None) -> None:
        job = self._turns.take(chosen or self._next())
        if job is None:
            return
        self._begin(job)
        if self._child is None:
            try:
                self._child = start_child(self._niceness)
            except OSError as error:
                self._end_running(error=no_process(error))
                return
            self._listener = threading.Thread(
                target=self._listen,
                args=(self._child,),
                name="seg_core.process.worker",
                daemon=True,
            )
            self._listener.start()
        self._send("run", job._number, job._call)

    def _next(self) -> Job[Any] | None:
        """Return the first that waits, or a much smaller one that may go before it."""
        first = next(iter(self._turns), None)
        return None if first is None else self._smaller_than(first) or first

    def _smaller_than(self, job: Job[Any]) -> Job[Any] | None:
        """Return the first that waits which is much smaller than a job, if that owes it the way."""
        if job._size is None or job._owed() > 0:
            return None
        return next(
            (
                other
                for other in self._turns
                if other._size is not None
                and other._size * _MUCH_SMALLER <= job._size
                and not self._turns.is_last(other)
            ),
            None,
        )

    def _begin(self, job: Job[Any]) -> None:
        if job._paused:  # the child has been told to stop the earlier call by its number
            self._submitted += 1
            job._number = self._submitted
        job._settle()
        job._paused = job._pausing = False

    def _make_way(self, job: Job[Any]) -> None:
        """Have the running job pause where a much smaller one waits and there is much left of it."""
        left = None if job._progress is None else job._progress.seconds_left
        long = left is not None and left > _WORTH_PAUSING_S
        if long and not (job._pausing or job._cancelled) and self._smaller_than(job):
            job._pausing = True
            self._send("cancel", job._number)

    def _pause_running(self, job: Job[Any]) -> None:
        """Put the job that has made way back to the front, and go on with the smaller one."""
        smaller = self._smaller_than(job)  # as long as nothing is owed
        job._settle()
        job._paused = True
        self._turns.put_back()
        self._start_next(smaller)

    def _send(self, *message: Any) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        # where the child is gone, the listener hears of it and ends the job
        send(self._child.stdin, *message)

    def _listen(self, child: "subprocess.Popen[bytes]") -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        while (message := receive(child.stdout)) is not None:
            with self._lock:
                self._handle(*message)
        exit_code = child.wait()
        child.stdout.close()
        with self._lock:
            close_quietly(child.stdin)
            self._child = None
            if self._turns.current is not None:
                self._end_running(error=end_of_process(exit_code, closed=self._closed))

    def _handle(self, kind: str, number: int, payload: Any) -> None:
        job = self._turns.current
        if job is None or job._number != number:
            return
        if kind == "progress":
            job._progress = payload
            self._make_way(job)
            return
        value, error = outcome(kind, payload)
        goes_on = not (job._cancelled or self._closed)
        if job._pausing and goes_on and isinstance(error, JobCancelled):
            self._pause_running(job)
        else:
            self._end_running(value=value, error=error)

    def _end_running(self, *, value: Any = None, error: SegCoreError | None = None) -> None:
        assert self._turns.current is not None
        self._turns.current._end(value=value, error=error)
        self._start_next()
