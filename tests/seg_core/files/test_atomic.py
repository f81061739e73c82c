"""Files and folders are there whole or not at all."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from seg_core.files import atomic
from seg_core.files.atomic import (
    new_folder,
    remove_parts_in,
    replacing,
    scratch_folder,
    temporary_beside,
    write_json,
)

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
from contextlib import suppress
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


def test_after_a_restart_under_the_same_number_what_was_left_goes(tmp_path: Path) -> None:
    """In a container all processes count from 1, so the next one took the parts for its own."""
    mine = temporary_beside(tmp_path / "rois.geojson")
    mine.touch()
    machine, process, token = mine.name.removesuffix(".tmp").rsplit(".", 1)[1].split("-")
    left = mine.with_name(f".rois.geojson.{machine}-{process}-{'0' * 16}.tmp")
    left.touch()
    earlier = mine.with_name(f".run-1.{machine}-{process}-{token[8:]}.tmp")
    (earlier / "maps").mkdir(parents=True)
    remove_parts_in(tmp_path)
    assert list(tmp_path.iterdir()) == [mine]


def test_what_another_machine_left_goes_when_nobody_touched_it_for_a_week(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that is made anew is another machine to what it left: that stayed for good."""
    with monkeypatch.context() as there:
        there.setattr(atomic.platform, "node", lambda: "another")
        left = temporary_beside(tmp_path / "run-1")
    left.mkdir()
    remove_parts_in(tmp_path)
    assert left.is_dir(), "it may be at work"
    now = time.time()
    monkeypatch.setattr(atomic.time, "time", lambda: now + 8 * 24 * 3600)
    remove_parts_in(tmp_path)
    assert not left.exists()


def test_lists_of_numbers_can_stand_in_one_line_each(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    content = {
        "words": ["a [1,\n 2]", "b"],
        "rows": [[1, -2.5], [3e-7, 4]],
        "empty": [],
        "one": [1],
    }
    write_json(path, content, rows=True)
    assert json.loads(path.read_text("utf-8")) == content
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    assert "[1, -2.5]," in lines
    assert "[3e-07, 4]" in lines
    assert '"one": [1]' in lines


@pytest.mark.parametrize("kind", ["new", "scratch"])
def test_a_folder_stays_removed_whose_threads_write_on_for_a_while(
    tmp_path: Path, kind: str
) -> None:
    """zarr's do, after one of them has failed."""
    ended = threading.Event()

    def write_on(folder: Path) -> None:
        until = time.monotonic() + 0.4
        while time.monotonic() < until:
            with suppress(OSError):
                folder.mkdir(exist_ok=True)
                (folder / "chunk").write_bytes(b"0")
        ended.set()

    goal = tmp_path / "made.zarr"
    making = (
        new_folder(goal, replaceable=lambda _: False, force=False)
        if kind == "new"
        else scratch_folder(goal)
    )

    def fail() -> None:
        with making as folder:
            threading.Thread(target=write_on, args=(folder,)).start()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert ended.wait(10)
    assert list(tmp_path.iterdir()) == []
