"""How a job of the worker ends: with what its function gave, or with one sentence on what went wrong."""

import logging
import pickle
from typing import Any

from seg_core.errors import JobCancelled, JobError, SegCoreError
from seg_core.process.logs import code_of

_log = logging.getLogger(__name__)


def outcome(kind: str, payload: bytes) -> tuple[Any, SegCoreError | None]:
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


def no_process(error: OSError) -> JobError:
    """Return the error of a job for which the system gave no process."""
    return JobError(
        f"no process could be started to do the work ({error.strerror or error}); "
        "close other programs and start again."
    )


def end_of_process(exit_code: int, *, closed: bool) -> SegCoreError:
    """Return the error of a job whose process has ended: closed by the parent, or by itself."""
    if closed:
        return JobCancelled("the worker was closed.")
    return JobError(
        f"the process that did the work ended by itself (exit code {exit_code}), most often "
        "because the machine ran out of memory; close other programs and start again, "
        "what was finished is kept."
    )
