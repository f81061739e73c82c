"""Those who do the work: workers of this machine, or a cluster of Dask that is there already."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dask
from distributed import Client, LocalCluster, WorkerPlugin
from distributed.system import MEMORY_LIMIT
from distributed.worker import Worker

from seg_core.errors import CohortError
from seg_core.process.logs import start_logging
from seg_core.process.memory import hold_little_memory

_CONNECT_S = 20.0

# A task whose worker ends this often is most likely the reason for it.
_DEATHS_ALLOWED = 2


class WorkerSetup(WorkerPlugin):  # type: ignore[misc] # Dask says little of its types
    """Makes ready each worker, also one that comes later or was started again.

    Parameters
    ----------
    shares : int or None
        How many workers share this machine's cores evenly; None on a cluster, where whoever
        started a worker has said what it may use.
    """

    def __init__(self, shares: int | None) -> None:
        self._shares = shares

    def setup(self, worker: Worker) -> None:
        """Prepare the process before its first slide."""
        start_logging()
        hold_little_memory(at_work=True)
        if self._shares is not None and sys.platform == "linux":
            # Engines take as many threads as the process has cores; those are started later.
            os.sched_setaffinity(0, _cores_of(worker.name, self._shares))


def memory_of_each(workers: int, memory_gb: float | None) -> int:
    """Return what one worker of this machine may take, bytes.

    Parameters
    ----------
    workers : int
    memory_gb : float or None
        Of each; None: an equal share of what this process may use. Dask's own *auto* gives a worker
        of one thread the share of one core, however few workers there are.
    """
    return MEMORY_LIMIT // workers if memory_gb is None else int(memory_gb * 1e9)


@contextmanager
def local_workers(workers: int, *, memory_gb: float | None = None) -> Iterator[Client]:
    """Start workers on this machine, each a process that does one slide at a time.

    Parameters
    ----------
    workers : int
        The machine's cores are shared among them.
    memory_gb : float, optional
        What one worker may take; by default an equal share of the machine's memory.

    Raises
    ------
    CohortError
        If they cannot be started.
    """
    cores = len(_cores())
    threads = str(max(cores // workers, 1))
    with _own_settings():
        try:
            cluster = LocalCluster(
                name="cohort",
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=memory_of_each(workers, memory_gb),
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,  # what matters comes as the end of a slide
                # Dask would give libraries one thread each
                env=dict.fromkeys(
                    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads
                ),
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise CohortError(
                f"{workers} workers could not be started ({error}); start fewer with --workers."
            ) from error
        try:
            with Client(cluster) as client:
                client.register_plugin(WorkerSetup(workers), name="seg_core")
                yield client
        finally:
            # Dask asserts that no worker is just being started again, which may be
            with suppress(AssertionError, OSError, TimeoutError):
                cluster.close()


@contextmanager
def existing_cluster(address: str) -> Iterator[Client]:
    """Use the scheduler of a cluster; it and its workers stay when the cohort is done.

    Parameters
    ----------
    address : str
        For instance ``tcp://10.0.0.5:8786``.

    Raises
    ------
    CohortError
        If nobody answers there, or the workers have not this program.
    """
    with _own_settings(), _quiet_client():
        try:
            client = Client(address, timeout=_CONNECT_S)
        except (OSError, ValueError) as error:
            raise CohortError(
                f"no scheduler answers at {address} ({error}); start one with dask scheduler and "
                "give the address that it prints."
            ) from error
        try:
            _make_ready(client, address)
            yield client
        finally:
            with suppress(OSError, TimeoutError):  # the scheduler may be gone
                client.close(timeout=5)


@contextmanager
def _quiet_client() -> Iterator[None]:
    """Keep Dask from telling a scheduler's end with a traceback; a sentence says it."""
    log = logging.getLogger("distributed.client")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _make_ready(client: Client, address: str) -> None:
    try:
        client.register_plugin(WorkerSetup(None), name="seg_core")
    except Exception as error:
        # Dask tells what went wrong on a worker by the plainest of all errors
        raise CohortError(
            f"the workers at {address} cannot load this program ({error}); put the same version on "
            "every machine, and start dask with its folder in PYTHONPATH."
        ) from error


@contextmanager
def _own_settings() -> Iterator[None]:
    with dask.config.set(
        {
            "distributed.scheduler.allowed-failures": _DEATHS_ALLOWED,
            "distributed.comm.timeouts.connect": f"{_CONNECT_S:g}s",
        }
    ):
        yield


def _cores() -> list[int]:
    if sys.platform == "linux":
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _cores_of(name: object, shares: int) -> set[int]:
    """Return the cores of one of so many workers; where there are more workers, cores are shared."""
    cores = _cores()
    number = int(str(name)) if str(name).isdecimal() else 0
    each = max(len(cores) // shares, 1)
    first = number * each % len(cores)
    return set(cores[first : first + each])
