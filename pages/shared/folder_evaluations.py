"""Models measured by folders of images: the jobs of this server, found again by whoever asks the same."""

import threading
from collections.abc import Callable
from typing import Any

from seg_core.evaluation.folder_evaluation import FolderQuestion, evaluate_folder
from seg_core.process.worker import Job, Worker
from seg_core.store import default_store

Measurement = Job[dict[str, Any]]


class FolderEvaluations:
    """The measurements that wait or run, by their question; any number of threads may use it.

    Parameters
    ----------
    worker : callable
        Returns the process that measures.
    """

    def __init__(self, worker: Callable[[], Worker]) -> None:
        self._worker = worker
        self._jobs: dict[FolderQuestion, Measurement] = {}
        self._lock = threading.Lock()

    def ask(self, question: FolderQuestion, asker: str | None = None) -> Measurement:
        """Return the job that answers a question, the running one where it is asked already.

        One that is being stopped is asked anew.

        Raises
        ------
        JobError
            If too many jobs wait.
        """
        with self._lock:
            job = self._jobs.get(question)
            if job is None or job.done() or job.stopping:
                job = self._worker().submit(
                    evaluate_folder, asker=asker, question=question, store=default_store()
                )
                self._jobs[question] = job
            return job

    def at_work(self) -> list[tuple[FolderQuestion, Measurement]]:
        """List what waits or runs."""
        with self._lock:
            return [(question, job) for question, job in self._jobs.items() if not job.done()]

    def answer(self, question: FolderQuestion) -> dict[str, Any] | None:
        """Return the answer of a job that has ended; None where there is none of the question.

        Raises
        ------
        SegCoreError
            What the job ended with.
        """
        with self._lock:
            job = self._jobs.get(question)
        return job.result(timeout=0) if job is not None and job.done() else None
