import errno
import os
from pathlib import Path

import numpy as np
import pytest

from seg_core.errors import ExportError, StoreError
from seg_core.files.disk_errors import export_errors, store_errors


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "the disk that holds .* is full; free some space"),
        (errno.EDQUOT, "the disk that holds .* is full; free some space"),
        (errno.EFBIG, "the disk that holds .* is full; free some space"),
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


def test_a_folder_that_is_gone_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(StoreError, match="it was deleted or moved"), store_errors(folder):
        (folder / "corrections.jsonl").open("ab")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_disk_that_is_full_in_the_middle_of_an_array_is_full(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match=r"the disk that holds .* is full"),
        store_errors(tmp_path),
        Path("/dev/full").open("wb") as file,
    ):
        np.zeros(1_000_000).tofile(file)


def test_what_cannot_be_exported_is_said_by_the_name_that_was_given(tmp_path: Path) -> None:
    path, temporary = tmp_path / "nuclei.csv", tmp_path / ".nuclei.csv.0123.tmp"
    sentence = rf"^{path} cannot be written \(No space left on device\); choose another place"
    with pytest.raises(ExportError, match=sentence), export_errors(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(temporary))
