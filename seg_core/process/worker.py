"""A long-lived worker process of lower priority that does one heavy job at a time.

The child is a plain ``python -c`` that speaks pickles over its standard input and output.
`multiprocessing` would import the parent's main script once more in the child, which under
Streamlit is the whole dashboard; here the child imports nothing but what the job names::

    parent                                   child (nice 10)
    submit ──► queue ──► ("run", n, call) ──► function(**arguments, report=…)
    Job.progress  ◄── ("progress", n, …) ◄──    report(Progress(…))
    Job.cancel ────────► ("cancel", n) ─────►   the next report raises JobCancelled
    Job.result    ◄── ("result", n, …) ◄────    return

What the child keeps in its modules, a loaded model for instance, is there for the next job.
"""

import logging
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Hashable
from types import TracebackType
from typing import IO, Any, Generic, Self, TypeVar, cast

from seg_core.errors import JobCancelled, JobError, SegCoreError
from seg_core.process.logs import code_of, start_logging
from seg_core.process.memory import hold_little_memory, return_memory
from seg_core.process.progress import Progress

_log = logging.getLogger(__name__)

T = TypeVar("T")

# Low enough that pages and tiles stay quick, not so low that an idle machine is left unused.
NICENESS = 10

# The turn of what waits until all others are done.
_LAST = sys.maxsize

# How long a worker that is closed may take to reach the next report before it is ended.
_PATIENCE_S = 10.0


class Job(Generic[T]):
    """One call that the worker does, has done or will do; made by `Worker.submit`."""

    def __init__(
        self, worker: "Worker", number: int, call: bytes, asker: Hashable, turn: int
    ) -> None:
        self._worker = worker
        self._number = number
        self._call = call
        self._asker = asker
        self._turn = turn
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
        """The last report; *waiting* while other jobs come first, None before the first report."""
        ahead = self._worker.jobs_ahead_of(self)
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
        self._each, self._most = each, most
        self._lock = threading.RLock()
        self._submitted = 0
        self._waiting: deque[Job[Any]] = deque()
        self._running: Job[Any] | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None
        self._closed = False

    def submit(
        self, function: Callable[..., T], *, asker: Hashable = None, **arguments: Any
    ) -> Job[T]:
        """Queue a call of ``function(**arguments, report=…)`` in the worker process.

        Parameters
        ----------
        function : callable
            One that a module defines; it and its arguments and result are pickled.
        asker : hashable
            Who asks.
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
            turn = self._turn_of(asker)
            self._submitted += 1
            job: Job[T] = Job(self, self._submitted, call, asker, turn)
            later = (n for n, other in enumerate(self._waiting) if other._turn > turn)
            self._waiting.insert(next(later, len(self._waiting)), job)
            self._start_next()
        return job

    def _turn_of(self, asker: Hashable) -> int:
        """Return in which round an asker's next job is done, 0 for the running one."""
        own = [job for job in self._waiting if job._asker == asker]
        if self._each is not None and len(own) >= self._each:
            raise JobError(
                f"{len(own)} of your requests are waiting already, which is the most; wait for one "
                "of them to end, or stop one."
            )
        if self._most is not None and len(self._waiting) >= self._most:
            raise JobError(
                f"{len(self._waiting)} requests are waiting on this server, which is the most; try "
                "again later."
            )
        own = [job for job in own if job._turn != _LAST]
        last = [*own, *([self._running] if self._running and self._running._asker == asker else [])]
        turns = (job._turn for job in self._waiting if job._turn != _LAST)
        first = min(turns, default=0)
        return max([first, *(job._turn + 1 for job in last)])

    @property
    def is_busy(self) -> bool:
        """Whether a job runs or waits."""
        with self._lock:
            return self._running is not None or bool(self._waiting)

    def jobs_ahead_of(self, job: Job[Any]) -> int:
        """Count the jobs that come first, the running one included."""
        with self._lock:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def cancel(self, job: Job[Any]) -> None:
        """Do what `Job.cancel` says."""
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)
                job._end(error=JobCancelled("the job was taken from the queue."))
            elif job is self._running:
                job._cancelled = True
                self._send(("cancel", job._number))

    def is_running(self, job: Job[Any]) -> bool:
        """Do what `Job.is_running` says."""
        with self._lock:
            return job is self._running

    def put_last(self, job: Job[Any]) -> None:
        """Do what `Job.put_last` says."""
        with self._lock:
            if job in self._waiting and job._turn != _LAST:
                self._waiting.remove(job)
                job._turn = _LAST
                self._waiting.append(job)

    def close(self) -> None:
        """Cancel everything and end the process."""
        with self._lock:
            self._closed = True
            for job in list(self._waiting):
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

    def _start_next(self) -> None:
        if self._running is not None or not self._waiting:
            return
        self._running = self._waiting.popleft()
        if self._child is None:
            try:
                self._child = _start_child(self._niceness)
            except OSError as error:
                self._end_running(error=_no_process(error))
                return
            self._listener = threading.Thread(
                target=self._listen,
                args=(self._child,),
                name="seg_core.process.worker",
                daemon=True,
            )
            self._listener.start()
        self._send(("run", self._running._number, self._running._call))

    def _send(self, message: tuple[Any, ...]) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        try:
            pickle.dump(message, self._child.stdin)
            self._child.stdin.flush()
        except OSError:  # the child is gone; the listener hears of it and ends the job
            _log.debug("the worker process no longer listens")

    def _listen(self, child: "subprocess.Popen[bytes]") -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        while (message := _receive(child.stdout)) is not None:
            with self._lock:
                self._handle(*message)
        exit_code = child.wait()
        child.stdout.close()
        with self._lock:
            _close_quietly(child.stdin)
            self._child = None
            if self._running is not None:
                self._end_running(error=_end_of_process(exit_code, closed=self._closed))

    def _handle(self, kind: str, number: int, payload: Any) -> None:
        job = self._running
        if job is None or job._number != number:
            return
        if kind == "progress":
            job._progress = payload
        else:
            value, error = _outcome(kind, payload)
            self._end_running(value=value, error=error)

    def _end_running(self, *, value: Any = None, error: SegCoreError | None = None) -> None:
        assert self._running is not None
        self._running._end(value=value, error=error)
        self._running = None
        self._start_next()


def _outcome(kind: str, payload: bytes) -> tuple[Any, SegCoreError | None]:
    """Return (value, None) or (None, error) of the message that ends a job."""
    try:
        content = pickle.loads(payload)
    except Exception as error:  # noqa: BLE001 - a class this process cannot build again
        kind, content = "bug", ("the answer cannot be read", code_of(error))
    if kind == "result":
        return content, None
    if kind == "error":
        return None, content
    summary, details = content
    _log.error("a job failed in the worker process\n%s", details)
    return None, JobError(
        f"a mistake in the program stopped the work ({summary}); please report it together with "
        "the last lines of the log."
    )


def _start_child(niceness: int) -> "subprocess.Popen[bytes]":
    # the child finds modules where this process does, whatever its working directory
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; from seg_core.process.worker import serve; "
        f"serve({niceness})"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def _receive(stream: IO[bytes]) -> tuple[Any, ...] | None:
    """Read one message; None when the other side has hung up, even in the middle of one."""
    try:
        return cast("tuple[Any, ...]", pickle.load(stream))
    except (EOFError, OSError, ValueError, pickle.UnpicklingError):
        return None


def _close_quietly(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except OSError:  # what was buffered finds no reader any more
        _log.debug("the worker process left a message unread")


def _no_process(error: OSError) -> JobError:
    return JobError(
        f"no process could be started to do the work ({error.strerror or error}); "
        "close other programs and start again."
    )


def _end_of_process(exit_code: int, *, closed: bool) -> SegCoreError:
    if closed:
        return JobCancelled("the worker was closed.")
    return JobError(
        f"the process that did the work ended by itself (exit code {exit_code}), most often "
        "because the machine ran out of memory; close other programs and start again, "
        "what was finished is kept."
    )


def serve(niceness: int) -> None:
    """Do the parent's jobs until it hangs up; this is what the child process runs."""
    inbox, outbox = _claim_pipes()
    if hasattr(os, "nice"):
        os.nice(niceness)
    start_logging()
    hold_little_memory(at_work=True)
    # Ctrl-C reaches the whole process group; the parent decides and hangs up when it goes
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    calls: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
    cancelled = _Cancelled()
    threading.Thread(target=_read_inbox, args=(inbox, calls, cancelled), daemon=True).start()
    while (call := calls.get()) is not None and not cancelled.hung_up:
        _do(*call, outbox, cancelled)
        return_memory()


class _Cancelled:
    """What the inbox tells the running job; plain attributes, since each has one writer."""

    number: int | None = None
    hung_up = False

    def covers(self, number: int) -> bool:
        return self.hung_up or self.number == number


def _claim_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Take the pipes for messages alone: a library's print would break them."""
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return inbox, outbox


def _read_inbox(
    inbox: IO[bytes],
    calls: "queue.SimpleQueue[tuple[int, bytes] | None]",
    cancelled: _Cancelled,
) -> None:
    while (message := _receive(inbox)) is not None:
        if message[0] == "run":
            calls.put(message[1:])
        else:
            cancelled.number = message[1]
    cancelled.hung_up = True
    calls.put(None)


def _do(number: int, call: bytes, outbox: IO[bytes], cancelled: _Cancelled) -> None:
    def report(progress: Progress) -> None:
        if cancelled.covers(number):
            raise JobCancelled("the analysis was stopped; what was finished so far is kept.")
        _answer(outbox, "progress", number, progress)

    try:
        function, arguments = pickle.loads(call)
        value = pickle.dumps(function(**arguments, report=report))
    except SegCoreError as error:
        _answer(outbox, "error", number, pickle.dumps(error))
    except Exception as error:  # noqa: BLE001 - a bug, which the parent logs
        summary = f"{type(error).__name__}: {error}"
        _answer(outbox, "bug", number, pickle.dumps((summary, code_of(error))))
    else:
        _answer(outbox, "result", number, value)


def _answer(outbox: IO[bytes], kind: str, number: int, payload: Any) -> None:
    try:
        pickle.dump((kind, number, payload), outbox)
        outbox.flush()
    except OSError:  # the parent is gone, and the inbox says so too
        _log.debug("the parent no longer listens")
