from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from seg_core.geometry import Window
from seg_core.store.maps_layout import Planes
from seg_core.store.windows import WindowReader

RNG = np.random.default_rng(5)
PLANES = RNG.integers(0, 256, (2, 90, 130), dtype=np.uint8)


@pytest.fixture(scope="module")
def array(tmp_path_factory: pytest.TempPathFactory) -> zarr.Array:
    path = tmp_path_factory.mktemp("windows") / "planes.zarr"
    made = zarr.create_array(path, shape=PLANES.shape, chunks=(2, 32, 32), dtype="uint8")
    made[:] = PLANES
    return made


@given(st.integers(-50, 150), st.integers(-50, 110), st.integers(1, 160), st.integers(1, 120))
def test_any_window_is_what_lies_there_and_nothing_outside(
    array: zarr.Array, x: int, y: int, width: int, height: int
) -> None:
    around = np.pad(PLANES, ((0, 0), (50, 200), (50, 250)))
    wanted = around[:, y + 50 : y + 50 + height, x + 50 : x + 50 + width]
    reader = WindowReader(Planes(array, ...))
    for _ in range(2):  # from the disk, then from what is kept
        np.testing.assert_array_equal(reader.read(0, Window(x, y, width, height)), wanted)


def test_the_tile_beside_comes_from_what_is_kept(tmp_path: Path) -> None:
    on_disk = zarr.create_array(tmp_path / "a", shape=(64, 64), chunks=(32, 32), dtype="uint8")
    on_disk[:] = 7
    reader = WindowReader(Planes(on_disk, ...))
    reader.read(0, Window(0, 0, 16, 16))
    on_disk[:] = 9
    assert reader.read(0, Window(16, 16, 16, 16)).max() == 7
    assert reader.read(0, Window(32, 0, 16, 16)).min() == 9, "another chunk"


def test_what_was_read_may_be_written_into(array: zarr.Array) -> None:
    reader = WindowReader(Planes(array, ...))
    window = Window(3, 3, 8, 8)
    reader.read(0, window)[:] = 0
    np.testing.assert_array_equal(reader.read(0, window), PLANES[:, 3:11, 3:11])


def test_arrays_of_a_reader_are_told_apart(array: zarr.Array, tmp_path: Path) -> None:
    other = zarr.create_array(tmp_path / "b", shape=(64, 64), chunks=(32, 32), dtype="uint8")
    other[:] = 5
    reader = WindowReader(Planes(array, ...), Planes(other, ...))
    window = Window(0, 0, 4, 4)
    assert reader.read(0, window).shape == (2, 4, 4)
    assert (reader.read(1, window) == 5).all()


@pytest.mark.parametrize("chosen", [1, slice(0, 1), slice(None)])
@pytest.mark.parametrize("window", [Window(20, 25, 30, 30), Window(-5, -5, 200, 150)])
def test_planes_of_an_array_are_read_by_themselves(
    array: zarr.Array, chosen: int | slice, window: Window
) -> None:
    found = WindowReader(Planes(array, chosen)).read(0, window)
    whole = WindowReader(Planes(array, ...)).read(0, window)
    np.testing.assert_array_equal(found, whole[chosen])
