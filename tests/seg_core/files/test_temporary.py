"""Temporary folders go with who made them, also with who was killed."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seg_core.errors import StoreError
from seg_core.files.temporary import remove_abandoned, temporary_folder

ROOT = Path(__file__).parents[3]

# Makes a folder, tells where, and stays.
PROGRAM = """
import time
from seg_core.files.temporary import temporary_folder
with temporary_folder() as folder:
    (folder / "table.csv").write_text("slide")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def system_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the system for this test alone."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def other() -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A living process and its folder."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    ) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def make_old(folder: Path) -> None:
    an_hour_ago = time.time() - 3600
    os.utime(folder, (an_hour_ago, an_hour_ago))


def test_a_folder_is_for_its_user_alone_and_goes_when_the_block_is_left(
    system_folder: Path,
) -> None:
    with temporary_folder() as folder:
        (folder / "table.csv").touch()
        assert [path.stat().st_mode & 0o777 for path in system_folder.iterdir()] == [0o700]
    assert not list(system_folder.iterdir())


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "is full; free some space"), (errno.EACCES, "cannot be written; check")],
)
def test_a_system_without_room_for_a_folder_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(StoreError, match=f"folder for temporary files {words}"), temporary_folder():
        pass


def test_a_system_without_room_for_a_lock_is_one_sentence(
    system_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError, match="temporary files is full"), temporary_folder():
        pass
    assert not list(system_folder.iterdir())


def test_a_disk_that_is_full_while_the_folder_is_used_is_one_sentence(system_folder: Path) -> None:
    """A file that was uploaded onto a full disk ended in a traceback."""
    with pytest.raises(StoreError, match="temporary files is full"), temporary_folder():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(FileNotFoundError), temporary_folder() as folder:
        (folder / "nowhere").read_bytes()
    assert not list(system_folder.iterdir())


def test_who_makes_a_folder_first_removes_those_of_killed_processes_alone(
    other: tuple["subprocess.Popen[str]", Path], system_folder: Path
) -> None:
    process, folder = other
    somebodys = system_folder / "seg_core.py"
    somebodys.touch()
    make_old(folder.parent)
    with temporary_folder():
        assert (folder / "table.csv").is_file()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (folder / "table.csv").is_file()
    with temporary_folder():
        assert not folder.parent.exists()
    assert somebodys.exists()


def test_a_folder_that_is_just_being_made_stays(system_folder: Path) -> None:
    """Between its making and its locking nobody holds it."""
    made = Path(tempfile.mkdtemp(prefix="seg_core_"))
    remove_abandoned()
    assert made.exists()
    make_old(made)
    remove_abandoned()
    assert not made.exists()
