from pathlib import Path

import pytest

from seg_core.errors import StoreError
from seg_core.store.label import (
    LABEL_FILE,
    MOST_LETTERS,
    RunLabel,
    label_new_run,
    name_run,
    read_label,
    write_label,
)


def test_a_label_comes_back_and_the_first_who_asked_stays(tmp_path: Path) -> None:
    label_new_run(tmp_path, RunLabel(person="Ada", owner="a"))
    label_new_run(tmp_path, RunLabel(person="Ben", owner="b"))
    name_run(tmp_path, " second\n look ")
    assert read_label(tmp_path) == RunLabel("second look", "Ada", "a")


def test_a_name_is_kept_to_what_a_list_can_show(tmp_path: Path) -> None:
    name_run(tmp_path, "n" * 500)
    assert read_label(tmp_path).name == "n" * MOST_LETTERS


@pytest.mark.parametrize("content", ["", "[]", '{"name": 1}', "\0"])
def test_a_damaged_label_is_an_empty_one(tmp_path: Path, content: str) -> None:
    write_label(tmp_path, RunLabel("name"))
    (tmp_path / LABEL_FILE).write_text(content)
    assert read_label(tmp_path) == RunLabel()


def test_a_run_that_is_gone_takes_no_name(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="has been deleted"):
        name_run(tmp_path / "gone", "name")
    assert not (tmp_path / "gone").exists()
