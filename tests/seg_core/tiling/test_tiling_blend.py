import numpy as np
import pytest

from seg_core.errors import ModelError
from seg_core.geometry import Window
from seg_core.maps import MapBand
from seg_core.tiling import Blender, TileGrid
from seg_core.tiling.blend import tile_weights

GRID = TileGrid(width=120, height=88, tile_px=64, overlap_px=32)
WHOLE = Window(0, 0, 120, 88)


def blended(grid: TileGrid, logits: dict[tuple[int, int], np.ndarray]) -> list[MapBand]:
    """Blend tiles, by (column, row), over the whole grid."""
    asked = np.zeros((grid.rows, grid.columns), dtype=bool)
    for column, row in logits:
        asked[row, column] = True
    blender = Blender(grid, grid.cell_rows(Window(0, 0, grid.width, grid.height)), asked)
    bands = list(blender.finished())
    for (column, row), planes in logits.items():
        blender.add(column, row, planes)
        bands += blender.finished()
    return bands


def assembled(bands: list[MapBand], width: int, height: int) -> tuple[np.ndarray, ...]:
    planes = tuple(np.full((height, width), 255, np.uint8) for _ in range(3))
    for band in bands:
        for plane, part in zip(planes, (band.class_map, band.ternary_map, band.score), strict=True):
            plane[band.window.slices()] = part
    return planes


def random_tiles(grid: TileGrid, seed: int = 0) -> dict[tuple[int, int], np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        (column, row): rng.normal(size=(8, grid.tile_px, grid.tile_px)).astype(np.float32)
        for row in range(grid.rows)
        for column in range(grid.columns)
    }


@pytest.mark.parametrize("overlap", [0, 16, 32])
def test_blending_is_the_weighted_mean_of_the_logits(overlap: int):
    """The same in the plainest way: whole planes in float64, division, argmax, softmax."""
    grid = TileGrid(width=120, height=88, tile_px=64, overlap_px=overlap)
    tiles = random_tiles(grid)
    total, weight_sum = np.zeros((8, 300, 300)), np.zeros((300, 300))
    weights = np.outer(*[tile_weights(64).astype(np.float64)] * 2)
    for (column, row), logits in tiles.items():
        rows, columns = grid.tile_window(column, row).slices()
        total[:, rows, columns] += weights * logits
        weight_sum[rows, columns] += weights
    mean = (total / np.maximum(weight_sum, 1e-9))[:, :88, :120]
    probability = np.exp(mean[:5]).max(axis=0) / np.exp(mean[:5]).sum(axis=0)

    class_map, ternary_map, score = assembled(blended(grid, tiles), 120, 88)
    np.testing.assert_array_equal(class_map, mean[:5].argmax(axis=0))
    np.testing.assert_array_equal(ternary_map, mean[5:].argmax(axis=0))
    np.testing.assert_allclose(score, 255 * probability, atol=0.501)


def test_the_order_of_the_tiles_changes_no_bit():
    tiles = random_tiles(GRID)
    first = assembled(blended(GRID, tiles), 120, 88)
    for seed in range(5):
        places = list(tiles)
        np.random.default_rng(seed).shuffle(places)
        again = assembled(blended(GRID, {tuple(p): tiles[tuple(p)] for p in places}), 120, 88)
        for plane, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(plane, other)


def test_bands_come_from_top_to_bottom_and_as_soon_as_no_later_tile_touches_them():
    asked = np.ones((GRID.rows, GRID.columns), dtype=bool)
    blender = Blender(GRID, GRID.cell_rows(WHOLE), asked)
    emitted = []
    for column, row in random_tiles(GRID):
        blender.add(column, row, np.zeros((8, 64, 64), np.float32))
        emitted.append([(band.window.y, band.window.bottom) for band in blender.finished()])
    assert (GRID.columns, GRID.rows) == (3, 2)
    assert emitted == [[], [], [(0, 32)], [], [], [(32, 64), (64, 88)]]


def test_where_no_tile_was_asked_all_maps_are_zero():
    tiles = {(0, 0): random_tiles(GRID)[0, 0] + 9}
    class_map, ternary_map, score = assembled(blended(GRID, tiles), 120, 88)
    for plane in (class_map, ternary_map, score):
        assert not plane[64:].any()
        assert not plane[:, 64:].any()
    assert score[:64, :64].min() >= 51  # the best of five has a fifth at least


def test_without_any_tile_the_bands_are_there_at_once():
    bands = blended(GRID, {})
    assert [band.window.y for band in bands] == [0, 32, 64]
    assert not any(plane.any() for plane in assembled(bands, 120, 88))


def test_of_equal_logits_the_first_class_wins_and_the_score_is_a_fifth():
    tiles = {place: np.ones((8, 64, 64), np.float32) for place in random_tiles(GRID)}
    class_map, ternary_map, score = assembled(blended(GRID, tiles), 120, 88)
    assert not class_map.any()
    assert not ternary_map.any()
    assert np.unique(score).tolist() == [51]


def test_a_sure_pixel_scores_255():
    logits = np.zeros((8, 64, 64), np.float32)
    logits[3] = 200
    tiles = dict.fromkeys(random_tiles(GRID), logits)
    class_map, _, score = assembled(blended(GRID, tiles), 120, 88)
    assert np.unique(class_map).tolist() == [3]
    assert np.unique(score).tolist() == [255]


def test_logits_are_not_changed():
    tiles = random_tiles(GRID)
    before = {place: logits.copy() for place, logits in tiles.items()}
    blended(GRID, tiles)
    assert all(np.array_equal(tiles[place], before[place]) for place in tiles)


def test_logits_of_another_size_are_refused():
    with pytest.raises(ModelError, match=r"tile of 64 × 64 pixels .* shape \(8, 32, 32\)"):
        blended(GRID, {(0, 0): np.zeros((8, 32, 32), np.float32)})


def test_a_tile_that_comes_twice_is_a_bug():
    blender = Blender(GRID, GRID.cell_rows(WHOLE), np.ones((2, 3), dtype=bool))
    blender.add(1, 0, np.zeros((8, 64, 64), np.float32))
    with pytest.raises(ValueError, match="column 1, row 0 was not asked, or is here"):
        blender.add(1, 0, np.zeros((8, 64, 64), np.float32))


def test_the_weights_are_a_gaussian_of_a_quarter_tile():
    weights = tile_weights(256)
    np.testing.assert_array_equal(weights, weights[::-1])
    assert weights[128 + 64] / weights[128] == pytest.approx(np.exp(-0.5), rel=0.01)


def test_a_band_checks_its_planes():
    good = np.zeros((2, 3), np.uint8)
    with pytest.raises(ValueError, match="score is float32"):
        MapBand(Window(0, 0, 3, 2), good, good, np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match=r"ternary_map is uint8 of shape \(3, 2\)"):
        MapBand(Window(0, 0, 3, 2), good, good.T, good)
