import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seg_core.errors import StoreError
from seg_core.files.locks import is_locked, locked

ROOT = Path(__file__).parents[3]


def test_a_lock_is_seen_and_keeps_others_out_until_it_is_released(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "run"
    assert not is_locked(folder)
    with locked(folder):
        assert is_locked(folder)
        with pytest.raises(StoreError, match="another process is already at this analysis"):
            locked(folder).__enter__()
    assert not is_locked(folder)
    with locked(folder):
        assert is_locked(folder)


def test_a_killed_process_leaves_no_lock_and_no_leftovers(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from seg_core.files.atomic import replacing\n"
        "from seg_core.files.locks import locked\n"
        "folder = Path(sys.argv[1])\n"
        "with locked(folder), replacing(folder / 'run.json') as temporary:\n"
        "    temporary.write_text('{')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]
