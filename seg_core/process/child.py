"""The process that a worker keeps, and how the two speak.

The child is a plain ``python -c`` that speaks pickles over its standard input and output.
`multiprocessing` would import the parent's main script once more in the child, which under
Streamlit is the whole dashboard; here the child imports nothing but what the job names::

    parent                                 child (nice 10)
    ("run", n, call) ────────────────────► function(**arguments, report=…)
                     ◄─ ("progress", n, …)    report(Progress(…))
    ("cancel", n) ───────────────────────►    the next report raises JobCancelled
                     ◄─── ("result", n, …) return
                     ◄──── ("error", n, …) raise SegCoreError
                     ◄────── ("bug", n, …) raise anything else

A call, a result, an error and a bug's two texts are pickled for themselves: what this process
cannot build again is a mistake in one job, and the next message is read all the same.
"""

import logging
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from typing import IO, Any, cast

from seg_core.errors import JobCancelled, SegCoreError
from seg_core.process.logs import code_of, start_logging
from seg_core.process.memory import hold_little_memory, return_memory
from seg_core.process.progress import Progress

_log = logging.getLogger(__name__)


def start_child(niceness: int) -> "subprocess.Popen[bytes]":
    """Start the process, by so much lower in priority; its pipes carry the messages.

    Raises
    ------
    OSError
        If the system gives no process.
    """
    # the child finds modules where this process does, whatever its working directory
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; from seg_core.process.child import serve; "
        f"serve({niceness})"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def send(stream: IO[bytes], *message: Any) -> None:
    """Write one message; no matter if the other side is gone, which its own pipe tells."""
    try:
        pickle.dump(message, stream)
        stream.flush()
    except OSError:
        _log.debug("the other side no longer listens")


def receive(stream: IO[bytes]) -> tuple[Any, ...] | None:
    """Read one message; None when the other side has hung up, even in the middle of one."""
    try:
        return cast("tuple[Any, ...]", pickle.load(stream))
    except (EOFError, OSError, ValueError, pickle.UnpicklingError):
        return None


def close_quietly(stream: IO[bytes]) -> None:
    """Close a pipe whose reader may be gone."""
    try:
        stream.close()
    except OSError:  # what was buffered finds no reader any more
        _log.debug("the other side left a message unread")


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
    while (message := receive(inbox)) is not None:
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
        send(outbox, "progress", number, progress)

    try:
        function, arguments = pickle.loads(call)
        value = pickle.dumps(function(**arguments, report=report))
    except SegCoreError as error:
        send(outbox, "error", number, pickle.dumps(error))
    except Exception as error:  # noqa: BLE001 - a bug, which the parent logs
        summary = f"{type(error).__name__}: {error}"
        send(outbox, "bug", number, pickle.dumps((summary, code_of(error))))
    else:
        send(outbox, "result", number, value)
