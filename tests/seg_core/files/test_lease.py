"""Who may work in a folder that several machines share."""

import errno
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from killed import kill_while_writing, start_waiting

from seg_core.errors import BusyError
from seg_core.files import lease, locks
from seg_core.files.lease import held, is_held


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_S", 0.05)
    monkeypatch.setattr(lease, "EXPIRY_S", 0.6)


@pytest.fixture
def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network drive that knows no locks, so that leases alone decide."""

    def refuse(*_arguments: object, **_options: object) -> bool:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(locks, "_try_lock", refuse)


def lose(folder: Path, host: str = "another machine") -> None:
    """Leave the lease of a machine that went without a word."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lease-1").write_bytes(lease._Record("token", host, 3).packed())


def test_a_folder_is_held_by_one_and_free_again_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert not is_held(folder)
    with held(folder):
        assert is_held(folder)
        with pytest.raises(BusyError, match="another process is already at this analysis"):
            held(folder).__enter__()
    assert not is_held(folder)
    with held(folder):
        assert (folder / "lease-2").is_file()


@pytest.mark.usefixtures("quick", "without_locks")
def test_where_there_are_no_locks_a_beating_lease_keeps_others_out(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(BusyError):
        held(tmp_path).__enter__()
    with held(tmp_path):
        assert not (tmp_path / "lease-3").exists()


@pytest.mark.usefixtures("quick")
def test_a_lease_that_no_longer_beats_is_taken_over(tmp_path: Path) -> None:
    lose(tmp_path)
    assert is_held(tmp_path)
    with held(tmp_path):
        assert (tmp_path / "lease-2").is_file()


def test_on_the_same_machine_nobody_waits_for_a_process_that_was_killed(tmp_path: Path) -> None:
    kill_while_writing(tmp_path, "lease", "held")
    assert not is_held(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lease, "EXPIRY_S", 3600.0)
        with held(tmp_path):
            assert {path.name for path in tmp_path.iterdir()} == {"lock", "lease-1", "lease-2"}


def test_what_another_machine_is_writing_stays_while_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    """The lock of this machine is free, as on a drive that does not carry it to others."""
    beats = threading.Event()

    def beat_elsewhere() -> None:
        number = 0
        while not beats.wait(0.02):
            number += 1
            record = lease._Record("token", "another machine", number)
            lease._write(tmp_path / "lease-1", record)

    lose(tmp_path)
    unfinished = tmp_path / ".run.json.0123.tmp"
    unfinished.write_text("{")
    elsewhere = threading.Thread(target=beat_elsewhere)
    elsewhere.start()
    try:
        with pytest.raises(BusyError):
            held(tmp_path).__enter__()
    finally:
        beats.set()
        elsewhere.join()
    assert unfinished.exists()


@pytest.mark.usefixtures("quick", "without_locks")
@pytest.mark.parametrize("prepare", [lambda folder: folder.mkdir(), lose])
def test_of_many_who_come_at_once_one_gets_in(
    tmp_path: Path, prepare: Callable[[Path], None]
) -> None:
    folder = tmp_path / "run"
    prepare(folder)
    inside: list[int] = []
    most: list[int] = []
    over = threading.Event()

    def come(number: int) -> bool:
        try:
            with held(folder):
                inside.append(number)
                most.append(len(inside))
                over.wait(1.5)
                inside.remove(number)
        except BusyError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        got_in = list(pool.map(come, range(8)))
        over.set()
    assert sum(got_in) == 1
    assert most == [1]


def test_a_folder_removed_by_who_held_it_has_one_holder_again_at_most(tmp_path: Path) -> None:
    """One waited for the old lock while the next took the new one, and took its lease for dead."""
    folder = tmp_path / "run"
    with held(folder):
        waiting = start_waiting(folder, "lease", "held")
        shutil.rmtree(folder)
    with held(folder):
        told, _ = waiting.communicate()
        assert {path.name for path in folder.iterdir()} == {"lock", "lease-1"}
    assert told.split()[-1] == "busy"


def test_who_removed_a_folder_does_not_release_it_for_the_next(tmp_path: Path) -> None:
    """Leases are counted from 1 again, so the file of the first was that of the second."""
    folder = tmp_path / "run"
    first, second = held(folder), held(folder)
    first.__enter__()
    shutil.rmtree(folder)
    second.__enter__()
    first.__exit__(None, None, None)
    record = lease._read(folder / "lease-1")
    second.__exit__(None, None, None)
    assert record is not None
    assert not record.released
