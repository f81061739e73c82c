"""The journal of corrections: what was said, by whom, what counts, whatever happens."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.errors import StoreError
from seg_core.store.journal import JOURNAL_FILE, Journal


def test_the_later_correction_counts_and_both_are_kept(tmp_path: Path) -> None:
    one, other = Journal(tmp_path), Journal(tmp_path)
    one.correct([1, 2], ["lymphocyte", "other"], "epithelial", by="ada")
    other.correct([2], ["epithelial"], None, by="bo")
    current = Journal(tmp_path).said()
    assert {number: (each.name, each.found, each.by) for number, each in current.items()} == {
        1: ("epithelial", "lymphocyte", "ada"),
        2: (None, "other", "bo"),
    }
    entries = Journal(tmp_path).entries()
    assert [entry.by for entry in entries] == ["ada", "bo"]
    assert all(entry.at.endswith("+00:00") for entry in entries)


def test_undo_and_redo_take_back_ones_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.correct([1], ["other"], "a", by="ada")
    journal.correct([1], ["a"], "b", by="ada")
    journal.correct([2], ["other"], "c", by="bo")
    assert journal.undo(by="ada")
    assert {number: each.name for number, each in journal.said().items()} == {1: "a", 2: "c"}
    assert journal.undo(by="ada")
    assert not journal.undo(by="ada")
    assert journal.redo(by="ada")
    assert journal.redo(by="ada")
    assert not journal.redo(by="ada")
    assert {number: each.name for number, each in journal.said().items()} == {1: "b", 2: "c"}
    assert len(journal.entries()) == 7


def test_after_a_new_correction_nothing_is_brought_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.correct([1], ["other"], "a", by="ada")
    journal.undo(by="ada")
    journal.correct([2], ["other"], "b", by="ada")
    assert not journal.redo(by="ada")
    assert list(journal.said()) == [2]


def test_a_nucleus_called_what_it_was_is_still_somebody_s_word(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.correct([1], ["other"], "a", by="ada")
    journal.correct([1], ["a"], "other", by="ada")
    said = journal.said()[1]
    assert (said.name, said.found) == ("other", "other")
    assert journal.count() == 1


def test_where_nothing_was_said_nothing_is_taken_back_and_no_file_is_left(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert not journal.undo(by="ada")
    assert not journal.redo(by="ada")
    assert not journal.exists
    assert not list(tmp_path.iterdir())
    (tmp_path / JOURNAL_FILE).touch()  # killed before its first line
    assert not journal.exists


@given(st.data())
def test_whatever_is_cut_off_the_end_the_lines_before_it_count(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal(folder)
    for number in range(4):
        journal.correct([number], ["other"], "täter", by="ada")
    content = (folder / JOURNAL_FILE).read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    (folder / JOURNAL_FILE).write_bytes(content[:cut])
    kept = len(journal.entries())
    assert kept >= content[:cut].count(b"\n")
    journal.correct([9], ["other"], "a", by="bo")
    assert len(journal.entries()) == kept + 1
    assert 9 in journal.said()


def test_a_line_that_was_changed_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.correct([1], ["other"], "a", by="ada")
    journal.correct([2], ["other"], "a", by="ada")
    path = tmp_path / JOURNAL_FILE
    path.write_bytes(path.read_bytes().replace(b'"nuclei":[1]', b'"nuclei":[7]'))
    assert list(journal.said()) == [2]


def test_threads_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        for number in range(40):
            pool.submit(Journal(tmp_path).correct, [number], ["other"], "a", by=f"{number % 3}")
    assert sorted(Journal(tmp_path).said()) == list(range(40))


CHILD = """
import sys
from pathlib import Path
from seg_core.store.journal import Journal

journal = Journal(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    number += 1
    journal.correct([number], ["other"], "a", by="child")
    print(number, flush=True)
"""


def test_kill_9_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    """Ten times in the middle of writing; what the child was told is on disk, is there."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    confirmed = 0
    for lines in (1, 2, 5, 3, 8, 1, 4, 2, 6, 3):
        command = [sys.executable, "-c", CHILD, str(tmp_path), str(confirmed)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            for _ in range(lines):
                confirmed = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            rest = child.stdout.read().split(b"\n")[:-1]
        confirmed = int(rest[-1]) if rest else confirmed
        found = set(Journal(tmp_path).said())
        assert set(range(1, confirmed + 1)) <= found
        confirmed = max(found)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"check the disk|no permission|cannot be"):
        Journal(tmp_path / "missing").correct([1], ["other"], "a", by="ada")


def test_that_a_nucleus_was_called_rightly_is_said(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.correct([1], ["other"], "other", by="ada")
    assert journal.said()[1].name == "other"
