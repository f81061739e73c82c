"""Processes of which a test knows that they wait for a lock."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

_TELLING = """
import sys
from pathlib import Path
from seg_core.files import locks

try_lock = locks._try_lock

def tell(file, **options):
    is_ours = try_lock(file, **options)
    if not is_ours:
        print("waits", flush=True)
    return is_ours

locks._try_lock = tell
"""


def start_waiting(program: str, folder: Path) -> subprocess.Popen[str]:
    """Start a program that needs what somebody holds, and return once it waits for the lock.

    Parameters
    ----------
    program : str
        Its argument is the folder; sys, Path and `seg_core.files.locks` are imported.
    folder : Path
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _TELLING + program, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    return process
