"""python slurm_workers.py: workers as jobs of SLURM, until it is stopped.

Needs ``pip install dask-jobqueue`` beside this program. Change queue, paths and sizes to yours.
"""

import signal
import sys
from contextlib import suppress

import dask
from dask_jobqueue import SLURMCluster

CORES = 8  # of each job; one slide at a time has all of them

# Jobs are asked for by how long the work will take; Dask takes half a second for a task of which it
# has seen none, and would do twenty slides in two jobs.
dask.config.set({"distributed.scheduler.unknown-task-duration": "30 minutes"})

signal.signal(signal.SIGTERM, signal.default_int_handler)  # either way the jobs end, too
with (
    SLURMCluster(
        queue="cpu",
        cores=1,  # slides at a time in a job, not processors
        processes=1,
        job_cpu=CORES,
        memory="8GB",
        walltime="12:00:00",
        # a worker ends before its job does, and what it was at is taken up by another
        worker_extra_args=["--lifetime", "710m", "--lifetime-stagger", "5m"],
        job_script_prologue=["source /shared/venv/bin/activate", f"export OMP_NUM_THREADS={CORES}"],
    ) as cluster,
    suppress(KeyboardInterrupt),
):
    cluster.adapt(minimum=1, maximum=20)
    sys.stdout.write(f"{cluster.scheduler_address}\n")
    sys.stdout.flush()
    signal.pause()
