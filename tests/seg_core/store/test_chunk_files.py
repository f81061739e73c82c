"""Files of chunks, against plain arrays and against what zarr makes of them."""

from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.codecs import ZstdCodec

from seg_core.geometry import Window
from seg_core.store.chunk_files import ArrayFiles

HEIGHT, WIDTH = 21, 50


def array_in(folder: Path, *, shards: bool, depth: int = 1) -> zarr.Array:
    return zarr.create_array(
        folder / "maps",
        shape=(3, HEIGHT, WIDTH),
        chunks=(depth, 8, 8),
        shards=(3, 8, 32) if shards else None,
        dtype="uint8",
        fill_value=0,
        compressors=ZstdCodec(level=1, checksum=True),
    )


def files_of(array: zarr.Array, folder: Path) -> ArrayFiles:
    return ArrayFiles(zarr.open_group(folder, mode="a")[array.path or "maps"], folder)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    x, y = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
    return Window(x, y, draw(st.integers(1, WIDTH - x)), draw(st.integers(1, HEIGHT - y)))


@settings(max_examples=40)
@given(
    st.lists(st.tuples(windows(), st.sampled_from([0, 1, 255])), min_size=1, max_size=4),
    windows(),
    st.sampled_from([(True, 1), (False, 1), (False, 3)]),
)
def test_what_is_written_in_windows_zarr_reads_and_is_read_in_windows(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[tuple[Window, int]],
    asked: Window,
    layout: tuple[bool, int],
) -> None:
    folder = tmp_path_factory.mktemp("group")
    array = array_in(folder, shards=layout[0], depth=layout[1])
    files = files_of(array, folder)
    expected = np.zeros(array.shape, np.uint8)
    rng = np.random.default_rng(len(parts))
    for window, most in parts:
        image = rng.integers(0, most, (3, window.height, window.width), np.uint8, endpoint=True)
        files.write(window, image)
        expected[:, *window.slices()] = image
    np.testing.assert_array_equal(array[:], expected)
    np.testing.assert_array_equal(files.read(asked), expected[:, *asked.slices()])


@pytest.mark.parametrize("shards", [True, False])
def test_what_zarr_has_written_is_read_and_what_is_empty_has_no_file(
    tmp_path: Path, shards: bool
) -> None:
    array = array_in(tmp_path, shards=shards)
    array[:, 3:9, 5:40] = 7
    files, whole = files_of(array, tmp_path), Window(0, 0, WIDTH, HEIGHT)
    np.testing.assert_array_equal(files.read(whole), array[:])
    files.write(whole, np.zeros(array.shape, np.uint8))
    assert not [path for path in (tmp_path / "maps/c").rglob("*") if path.is_file()]


def test_a_damaged_index_is_noticed(tmp_path: Path) -> None:
    files = files_of(array_in(tmp_path, shards=True), tmp_path)
    window = Window(0, 0, 32, 8)
    files.write(window, np.ones((3, 8, 32), np.uint8))
    (path,) = (each for each in (tmp_path / "maps/c").rglob("*") if each.is_file())
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="index of a shard is damaged"):
        files.read(window)
