"""Processes that hold a folder and are killed, or wait for one that is removed meanwhile."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests import waiting

ROOT = Path(__file__).parents[3]

PROGRAM = """
import os, signal, sys
from pathlib import Path
from seg_core.files.atomic import replacing
from seg_core.files.{module} import {holds}
folder = Path(sys.argv[1])
with {holds}(folder), replacing(folder / "run.json") as temporary:
    temporary.write_text("{{")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kill_while_writing(folder: Path, module: str, holds: str) -> None:
    """Kill a process in the middle; ``holds`` of ``module`` in `seg_core.files` keeps others out."""
    killed = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module, holds=holds), str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL


WAITING = """
from seg_core.errors import BusyError
from seg_core.files.{module} import {holds}

locks._PAUSE_S = 0.4
try:
    with {holds}(Path(sys.argv[1])):
        print("inside", flush=True)
except BusyError:
    print("busy", flush=True)
"""


def start_waiting(folder: Path, module: str, holds: str) -> subprocess.Popen[str]:
    """Start a process that comes to a folder that is held, and return once it waits for the lock.

    Its last line says how that ended: *inside* or *busy*.
    """
    return waiting.start_waiting(WAITING.format(module=module, holds=holds), folder)
