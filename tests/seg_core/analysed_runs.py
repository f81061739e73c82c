"""Analyses of paintings that are stopped or killed, and what is compared of their runs."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd

from seg_core.errors import JobCancelled
from seg_core.process.progress import Progress
from seg_core.store import Run


def stop_after(done: int, stage: str = "tiles") -> Callable[[Progress], None]:
    """What cancels an analysis when so many tiles, or parts of another stage, are done."""

    def report(progress: Progress) -> None:
        if progress.stage == stage and progress.done >= done:
            raise JobCancelled("stopped in the test")

    return report


def run_files(run: Run) -> dict[str, bytes]:
    """All files of a run except its times and who was at work."""
    return {
        str(path.relative_to(run.path)): path.read_bytes()
        for path in run.path.rglob("*")
        if path.is_file() and path.name != "run.json" and not path.name.startswith("lease-")
    }


def assert_same_table(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> None:
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))


CHILD = """
import os, resource, signal, sys
from pathlib import Path
import painted_slides
from seg_core import analysis, subject
from seg_core.errors import SegCoreError

subject.find_model = painted_slides.find_painted_model
subject.make_engine = painted_slides.make_painted_engine

def kill(stage, done):
    def report(progress):
        if (progress.stage, progress.done) == (stage, int(done)):
            os.kill(os.getpid(), signal.SIGKILL)
    return report

report = kill(*sys.argv[3:5]) if len(sys.argv) > 4 else None
if len(sys.argv) == 4:  # a disk that takes no larger files
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    analysis.analyse(
        Path(sys.argv[1]), Path(sys.argv[2]), mpp=painted_slides.MPP, report=report,
        settings=painted_slides.SMALL_TILES,
    )
except SegCoreError as error:
    sys.exit(str(error))
"""


def start_child(slide: Path, store: Path, *arguments: str) -> subprocess.Popen[str]:
    """Analyse in a process of its own; it ends with 1 and the sentence on stderr if that fails."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    command = [sys.executable, "-c", CHILD, str(slide), str(store), *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
