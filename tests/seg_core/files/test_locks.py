import shutil
from pathlib import Path

import pytest
from killed import kill_while_writing, start_waiting

from seg_core.errors import StoreError
from seg_core.files.atomic import replacing
from seg_core.files.locks import is_locked, locked


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
    kill_while_writing(tmp_path, "locks", "locked")
    assert len(list(tmp_path.iterdir())) == 2
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_what_somebody_writes_beside_a_run_stays_while_another_begins_to_work_on_it(
    tmp_path: Path,
) -> None:
    """A name that was given at that moment was taken for a leftover, and lost."""
    with replacing(tmp_path / "label.json") as temporary:
        temporary.write_text("{}")
        with locked(tmp_path):
            assert temporary.exists()
    assert (tmp_path / "label.json").read_text() == "{}"


def test_the_lock_of_a_folder_that_was_removed_meanwhile_lets_nobody_in(tmp_path: Path) -> None:
    """It is of a file without a name, and the next one locks a new one."""
    folder = tmp_path / "run"
    with locked(folder):
        waiting = start_waiting(folder, "locks", "locked")
        shutil.rmtree(folder)
    with locked(folder):
        told, _ = waiting.communicate()
    assert told.split()[-1] == "busy"


def test_who_waited_for_a_folder_that_was_removed_works_in_a_new_one(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with locked(folder):
        waiting = start_waiting(folder, "locks", "locked")
        shutil.rmtree(folder)
    told, _ = waiting.communicate()
    assert told.split()[-1] == "inside"
    assert (folder / "lock").is_file()
