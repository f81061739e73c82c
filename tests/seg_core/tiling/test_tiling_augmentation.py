import numpy as np
import pytest
from fake_engines import FakeEngine, context_logits, painted
from hypothesis import given
from hypothesis import strategies as st

from seg_core.geometry import Raster
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide
from seg_core.tiling import predict
from seg_core.tiling.augmentation import answer, seen_from, seen_upright


def one_sided_logits(rgb: np.ndarray) -> np.ndarray:
    """Answer from the pixels to the left and above: no view of a tile gets what another gets."""
    return np.cumsum(np.cumsum(context_logits(rgb), axis=1), axis=2).astype(np.float32) / rgb.size


def mean_answer(tile: np.ndarray, views: int, seed: int | None = None) -> np.ndarray:
    engine = FakeEngine(answer=one_sided_logits, seed=seed)
    ((number, logits),) = answer(engine, [(7, tile)], views)
    assert number == 7
    assert len(engine.numbers) == views
    return logits


@given(st.integers(0, 7), st.integers(0, 100))
def test_each_view_can_be_undone(view: int, seed: int) -> None:
    tile = painted(64, 64, seed)
    np.testing.assert_array_equal(seen_upright(seen_from(tile, view), view), tile)


def test_the_eight_views_are_eight() -> None:
    tile = painted(64, 64)
    assert len({np.ascontiguousarray(seen_from(tile, view)).tobytes() for view in range(8)}) == 8


@pytest.mark.parametrize("views", [1, 2, 4, 8])
def test_an_averaged_answer_turns_with_the_tile(views: int) -> None:
    tile = painted(64, 64, 3)
    upright = mean_answer(tile, views).transpose(1, 2, 0)
    for view in range(views):
        turned = mean_answer(np.ascontiguousarray(seen_from(tile, view)), views, seed=view)
        np.testing.assert_allclose(
            turned.transpose(1, 2, 0), seen_from(upright, view), rtol=1e-4, atol=1e-5
        )
    assert not np.allclose(
        mean_answer(np.ascontiguousarray(seen_from(tile, 1)), 1).transpose(1, 2, 0),
        seen_from(mean_answer(tile, 1).transpose(1, 2, 0), 1),
    )


def test_tiles_answered_in_mixed_order_keep_their_numbers() -> None:
    tiles = [(number, painted(64, 64, number)) for number in range(5)]
    answered = dict(answer(FakeEngine(answer=one_sided_logits, seed=1), tiles, 4))
    assert sorted(answered) == [0, 1, 2, 3, 4]
    for number, tile in tiles:
        np.testing.assert_allclose(answered[number], mean_answer(tile, 4), rtol=1e-4, atol=1e-5)


def test_an_analysis_asks_every_tile_as_often_as_its_settings_say() -> None:
    slide = ArraySlide(painted(200, 150), mpp=0.25)
    raster: Raster = slide.raster(0.25)
    asked = {}
    for views in (1, 8):
        engine = FakeEngine()
        options = AnalysisSettings(tile_px=64, overlap_px=32, views=views)
        list(predict(slide, raster, raster.window, engine, options))
        asked[views] = len(engine.numbers)
    assert asked[8] == 8 * asked[1]
