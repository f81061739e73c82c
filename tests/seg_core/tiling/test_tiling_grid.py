import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_core.geometry import Raster, Region, Window
from seg_core.settings import AnalysisSettings
from seg_core.tiling import TileGrid
from seg_core.tiling.grid import cuts


@st.composite
def grids(draw: st.DrawFn) -> TileGrid:
    tile = 4 * draw(st.integers(2, 16))
    return TileGrid(
        width=draw(st.integers(1, 150)),
        height=draw(st.integers(1, 150)),
        tile_px=tile,
        overlap_px=draw(st.integers(0, tile // 2)),
    )


@st.composite
def windows(draw: st.DrawFn, grid: TileGrid) -> Window:
    x = draw(st.integers(0, grid.width - 1))
    y = draw(st.integers(0, grid.height - 1))
    return Window(x, y, draw(st.integers(1, grid.width - x)), draw(st.integers(1, grid.height - y)))


@given(grids())
@settings(max_examples=50, deadline=None)
def test_tiles_cover_the_raster_and_each_begins_inside_it(grid: TileGrid):
    covered = np.zeros((grid.height, grid.width), dtype=int)
    for row in range(grid.rows):
        for column in range(grid.columns):
            tile = grid.tile_window(column, row)
            assert tile.x < grid.width
            assert tile.y < grid.height
            covered[tile.slices()] += 1
    assert covered.min() >= 1
    assert covered.max() <= 4


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_tiles_touching_a_window_are_those_that_share_a_pixel_with_it(data: st.DataObject):
    grid = data.draw(grids())
    window = data.draw(windows(grid))
    columns, rows = grid.tiles_touching(window)
    touching = {
        (column, row)
        for column in range(grid.columns)
        for row in range(grid.rows)
        if grid.tile_window(column, row).intersection(window)
    }
    assert touching == {(column, row) for column in columns for row in rows}


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_rows_of_cells_cut_a_window_without_gap_or_overlap(data: st.DataObject):
    grid = data.draw(grids())
    window = data.draw(windows(grid))
    bands = grid.cell_rows(window)
    assert sum(band.area for band in bands) == window.area
    assert len({band.y // grid.stride_px for band in bands}) == len(bands)
    assert all(band.y // grid.stride_px == (band.bottom - 1) // grid.stride_px for band in bands)


def test_the_last_tile_reaches_past_the_raster_and_is_not_shifted():
    grid = TileGrid(width=500, height=256, tile_px=256, overlap_px=64)
    assert (grid.columns, grid.rows) == (3, 1)
    assert grid.tile_window(2, 0) == Window(384, 0, 256, 256)


def test_what_one_tile_covers_asks_for_no_second_one():
    assert TileGrid(width=256, height=1, tile_px=256, overlap_px=64).columns == 1
    assert TileGrid(width=257, height=1, tile_px=256, overlap_px=64).columns == 2


def test_the_grid_of_a_raster_takes_tile_and_overlap_from_the_settings():
    raster = Raster(Region(100, 50, 400, 300), mpp=0.5, downsample=2.0)
    grid = TileGrid.of(raster, AnalysisSettings(tile_px=128, overlap_px=32))
    assert grid == TileGrid(width=200, height=150, tile_px=128, overlap_px=32)


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [(0, 10, [(0, 10)]), (10, 20, [(10, 20)]), (9, 11, [(9, 10), (10, 11)]), (3, 4, [(3, 4)])],
)
def test_cuts_lie_at_multiples_of_the_step(start: int, stop: int, expected: list[tuple[int, int]]):
    assert cuts(start, stop, 10) == expected


@pytest.mark.parametrize(("tile_px", "most"), [(512, 1.27), (1024, 1.13)])
def test_large_tiles_do_not_lose_their_gain_to_the_edges(tile_px: int, most: float) -> None:
    """Pixels asked for each; whole tiles of 1024 px would ask 1.56 times 4096 × 4096."""
    grid = TileGrid(4096, 4096, tile_px=tile_px, overlap_px=64)
    asked = sum(grid.tile_window(column, 0).width for column in range(grid.columns)) / 4096
    assert asked**2 <= most
    assert grid.tile_window(grid.columns - 1, grid.rows - 1).right >= 4096


def test_tiles_of_the_default_size_stay_whole() -> None:
    grid = TileGrid(700, 100, tile_px=256, overlap_px=64)
    windows = [grid.tile_window(column, 0) for column in range(grid.columns)]
    assert {(window.width, window.height) for window in windows} == {(256, 256)}
