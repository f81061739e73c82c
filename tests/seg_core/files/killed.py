"""A process that is killed while it holds a folder and writes in it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

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
