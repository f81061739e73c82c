"""Pieces of nuclei on disk between two stages of an analysis."""

from pathlib import Path

import numpy as np
import pytest

from seg_core.errors import StoreError
from seg_core.geometry import Window
from seg_core.maps import MapBand, piece_type
from seg_core.store.piece_files import PieceFiles


def band(y: int, xs: list[int]) -> MapBand:
    pieces = np.zeros(len(xs), piece_type(2))
    pieces["x"], pieces["y"], pieces["features"] = xs, y + 3, [[x, y] for x in xs]
    planes = np.zeros((3, 32, 100), np.uint8)
    return MapBand(Window(0, y, 100, 32), *planes, pieces)


def test_pieces_of_a_window_come_back_whatever_band_they_were_in(tmp_path: Path) -> None:
    files = PieceFiles(tmp_path / "pieces")
    files.begin()
    for each in (band(0, [5, 50]), band(32, [7, 90]), band(64, [8])):
        files.write(each)
    found = files.read(Window(0, 0, 60, 64))
    assert sorted(found["x"].tolist()) == [5, 7, 50]
    assert found["features"].dtype == np.float16
    assert len(files.read(Window(0, 200, 10, 10))) == 0


def test_they_are_gone_when_discarded_and_a_second_time_costs_nothing(tmp_path: Path) -> None:
    files = PieceFiles(tmp_path / "pieces")
    files.begin()
    files.write(band(0, [5]))
    assert files.exists
    files.discard()
    files.discard()
    assert not files.exists
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"damaged", None])
def test_what_is_damaged_is_named_and_removed(tmp_path: Path, content: bytes | None) -> None:
    files = PieceFiles(tmp_path / "pieces")
    files.begin()
    bands = [band(0, [5]), band(32, [7])]
    for each in bands:
        files.write(each)
    first = tmp_path / "pieces" / "0_0_100_32.npy"
    first.unlink() if content is None else first.write_bytes(content)
    windows = [each.window for each in bands]
    assert files.remove_damaged(windows) == {windows[0]}
    assert files.read(Window(0, 0, 100, 64))["x"].tolist() == [7]
    assert files.remove_damaged(windows[1:]) == set()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be"):
        PieceFiles(tmp_path / "file" / "pieces").begin()
