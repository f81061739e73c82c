"""Files and folders are there whole or not at all."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seg_core.files.atomic import replacing, scratch_folder, write_json

ROOT = Path(__file__).parents[3]


def test_a_file_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_json(path, {"old": 1})

    def break_off() -> None:
        with replacing(path) as temporary:
            temporary.write_text('{"new":')
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert path.read_text() == '{\n "old": 1\n}\n'
    assert list(tmp_path.iterdir()) == [path]


PROGRAM = """
import os, signal, sys
from pathlib import Path
from seg_core.files.atomic import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_scratch_folder_of_a_killed_process_goes_when_the_file_is_made_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "graph.xml"
    killed = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    with scratch_folder(path) as mine, scratch_folder(path):
        assert not left.exists()
        assert mine.exists()
    assert not list(tmp_path.iterdir())
