import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seg_core.errors import StoreError
from seg_core.files.stored import is_locked, locked, replacing, store_errors, write_json

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


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "the disk that holds .* is full; make room"),
        (errno.EDQUOT, "the disk that holds .* is full; make room"),
        (errno.EFBIG, "the disk that holds .* is full; make room"),
        (errno.ENOTDIR, "cannot be a folder because a file is in its place; choose another store"),
        (errno.EACCES, "there is no permission to write in .*--out or the environment variable"),
        (errno.EROFS, "there is no permission to write in .*"),
        (errno.EIO, r"cannot be written or read \(Input/output error\); check the disk"),
    ],
)
def test_what_the_system_says_becomes_a_sentence(
    tmp_path: Path, number: int, sentence: str
) -> None:
    with pytest.raises(StoreError, match=sentence), store_errors(tmp_path):
        raise OSError(number, os.strerror(number))


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
        "from seg_core.files.stored import locked, replacing\n"
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
