import importlib
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from fake_engines import FakeEngine, context_logits, painted, pixel_logits
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_core.errors import JobCancelled, RegionError, SlideError
from seg_core.geometry import Raster, Window
from seg_core.maps import MapBand
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide
from seg_core.tiling import TileGrid, predict
from seg_core.tiling.predict import read_tiles

SMALL = AnalysisSettings(tile_px=64, overlap_px=32)
# The package exports a function of the same name, which hides the module.
MODULE = importlib.import_module("seg_core.tiling.predict")
PLANES = ("class_map", "ternary_map", "score")


def run(
    picture: np.ndarray,
    window: Window | None = None,
    engine: FakeEngine | None = None,
    options: AnalysisSettings = SMALL,
    **keywords: Callable,
) -> list[MapBand]:
    slide = ArraySlide(picture, mpp=0.25)
    raster = slide.raster(0.25)
    return list(
        predict(slide, raster, window or raster.window, engine or FakeEngine(), options, **keywords)
    )


def assembled(bands: list[MapBand], window: Window) -> np.ndarray:
    """(3, H, W): class map, ternary map and score of a window; each pixel must come just once."""
    planes = np.zeros((3, window.height, window.width), np.uint8)
    times = np.zeros((window.height, window.width), int)
    for band in bands:
        place = band.window.moved(-window.x, -window.y).slices()
        times[place] += 1
        for plane, name in zip(planes, PLANES, strict=True):
            plane[place] = getattr(band, name)
    assert np.unique(times).tolist() == [1]
    return planes


def whole_image(picture: np.ndarray) -> np.ndarray:
    """What the per-pixel engine says of a picture when nothing is tiled."""
    logits = pixel_logits(picture).astype(np.float64)
    probability = np.exp(logits[:5]).max(axis=0) / np.exp(logits[:5]).sum(axis=0)
    return np.stack([logits[:5].argmax(axis=0), logits[5:].argmax(axis=0), 255 * probability])


@st.composite
def windows(draw: st.DrawFn, width: int, height: int) -> Window:
    x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return Window(x, y, draw(st.integers(1, width - x)), draw(st.integers(1, height - y)))


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_a_per_pixel_network_is_blind_to_the_tiling(data: st.DataObject):
    """Maps depend on neither tile, overlap, window nor order, and equal the untiled ones."""
    width, height = data.draw(st.integers(1, 200)), data.draw(st.integers(1, 200))
    window = data.draw(windows(width, height))
    tile = 32 * data.draw(st.integers(2, 5))
    overlap = 32 * data.draw(st.integers(0, tile // 64))
    engine = FakeEngine(seed=data.draw(st.integers(0, 9)))
    picture = painted(width, height)

    options = AnalysisSettings(tile_px=tile, overlap_px=overlap)
    maps = assembled(run(picture, window, engine, options), window)
    expected = whole_image(picture)[:, *window.slices()]
    np.testing.assert_array_equal(maps[:2], expected[:2])
    np.testing.assert_allclose(maps[2], expected[2], atol=0.51)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_a_window_gets_exactly_what_the_whole_slide_gives_there(data: st.DataObject):
    """With a network that looks around: not one value differs, in whatever order tiles come."""
    width, height = data.draw(st.integers(65, 250)), data.draw(st.integers(65, 250))
    window = data.draw(windows(width, height))
    picture = painted(width, height)
    overlap = data.draw(st.sampled_from([0, 32]))
    options = AnalysisSettings(tile_px=64, overlap_px=overlap)

    everything = Window(0, 0, width, height)
    whole = assembled(run(picture, None, FakeEngine(context_logits), options), everything)
    engine = FakeEngine(context_logits, seed=data.draw(st.integers(0, 9)))
    part = assembled(run(picture, window, engine, options), window)
    np.testing.assert_array_equal(part, whole[:, *window.slices()])


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_what_is_stored_is_skipped_and_the_rest_is_exactly_the_same(data: st.DataObject):
    width, height = data.draw(st.integers(1, 200)), data.draw(st.integers(100, 300))
    window = data.draw(windows(width, height))
    picture = painted(width, height)
    whole = run(picture, window, FakeEngine(context_logits))
    stored = {band.window for band in whole if data.draw(st.booleans())}

    engine = FakeEngine(context_logits, seed=1)
    rest = run(picture, window, engine, skip=stored.__contains__)
    assert [band.window for band in rest] == [b.window for b in whole if b.window not in stored]
    by_window = {band.window: band for band in whole}
    for band in rest:
        for name in PLANES:
            np.testing.assert_array_equal(
                getattr(band, name), getattr(by_window[band.window], name)
            )


@pytest.mark.parametrize("order", [None, 3])
@pytest.mark.parametrize(("x", "width"), [(0, 330), (17, 290), (100, 230)])
def test_strips_of_a_wide_window_change_no_bit(
    monkeypatch: pytest.MonkeyPatch, order: int | None, x: int, width: int
):
    picture, window = painted(330, 120), Window(x, 5, width, 110)
    whole = assembled(run(picture, window, FakeEngine(context_logits)), window)
    monkeypatch.setattr(MODULE, "STRIP_PX", 128)
    engine = FakeEngine(context_logits, seed=order)
    bands = run(picture, window, engine)
    assert max(band.window.width for band in bands) == 128
    assert len({band.window.x for band in bands}) >= 3
    np.testing.assert_array_equal(assembled(bands, window), whole)


def test_strips_ask_one_more_column_of_tiles_each(monkeypatch: pytest.MonkeyPatch):
    picture = painted(320, 64)
    monkeypatch.setattr(MODULE, "STRIP_PX", 128)
    engine = FakeEngine()
    run(picture, None, engine)
    # columns of tiles begin at 0, 32, … 256; those that begin at 96 and 224 reach over a cut
    assert sorted(engine.numbers) == sorted([*range(9), 3, 7])


def test_strips_are_narrower_where_large_overlaps_need_memory():
    grid = MODULE.TileGrid(width=100_000, height=500, tile_px=1024, overlap_px=512)
    strips = MODULE._strip_windows(grid, Window(0, 0, 100_000, 500))
    widest = max(strip.width for strip in strips)
    carried = 8 * 4 * 512 * 1024 * (widest // 512)
    assert widest == 2048 * 2
    assert carried <= 128 * 2**20
    grid = MODULE.TileGrid(width=100_000, height=500, tile_px=256, overlap_px=64)
    strips = MODULE._strip_windows(grid, Window(0, 0, 100_000, 500))
    assert strips[0].width == 16_320


def test_only_tiles_that_touch_the_window_are_asked():
    engine = FakeEngine()
    run(painted(300, 300), Window(70, 40, 10, 10), engine)
    # 300 px have tiles at 0, 32, … 256; columns 32 and 64, rows 0 and 32 reach the window
    assert engine.numbers == [1, 2, 10, 11]


def test_a_skipped_band_asks_only_the_tiles_that_reach_into_the_next_one():
    engine = FakeEngine()
    run(painted(64, 200), None, engine, skip=lambda band: band.y != 96)
    assert engine.numbers == [2, 3]


def test_nothing_is_asked_when_everything_is_stored():
    engine = FakeEngine()
    assert run(painted(100, 100), None, engine, skip=lambda band: True) == []
    assert engine.numbers == []


def test_unwanted_tiles_are_not_asked_and_leave_background_without_score():
    engine = FakeEngine()
    everything = Window(0, 0, 200, 96)
    picture = painted(200, 96)
    bands = run(picture, None, engine, wanted=lambda tile: tile.x >= 96)
    maps = assembled(bands, everything)
    assert not maps[:, :, :96].any()
    np.testing.assert_array_equal(maps[:2, :, 96:], whole_image(picture)[:2, :, 96:])
    assert all(number % 6 >= 3 for number in engine.numbers)


def test_the_slide_is_continued_by_reflection_and_only_past_the_raster():
    seen: dict[tuple[int, ...], np.ndarray] = {}

    def remember(tile: np.ndarray) -> np.ndarray:
        seen[len(seen),] = tile
        return pixel_logits(tile)

    picture = painted(100, 70)
    run(picture, Window(40, 40, 5, 5), FakeEngine(remember))
    first, second, *_ = seen.values()
    np.testing.assert_array_equal(first, picture[:64, :64])
    np.testing.assert_array_equal(second, picture[:64, 32:96])
    lower_left = seen[2,]
    np.testing.assert_array_equal(lower_left[:38], picture[32:70, :64])
    np.testing.assert_array_equal(lower_left[38:], picture[69 - 26 : 69, :64][::-1])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 50), (50, 1), (3, 2), (63, 64)])
def test_images_smaller_than_a_tile_work(width: int, height: int):
    picture = painted(width, height)
    maps = assembled(run(picture), Window(0, 0, width, height))
    np.testing.assert_array_equal(maps[:2], whole_image(picture)[:2])


def test_neighbouring_tiles_are_read_at_once_but_never_too_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(MODULE, "_READ_PX", 100)
    slide = ArraySlide(painted(300, 64), mpp=0.25)
    raster = slide.raster(0.25)
    reads: list[Window] = []
    read = slide.read

    def recorded(raster: Raster, window: Window) -> np.ndarray:
        reads.append(window)
        return read(raster, window)

    monkeypatch.setattr(slide, "read", recorded)
    wanted = {0, 32, 64, 96, 160}
    list(
        predict(
            slide,
            raster,
            raster.window,
            FakeEngine(),
            SMALL,
            wanted=lambda tile: tile.x in wanted,
        )
    )
    assert [(window.x, window.width) for window in reads] == [(0, 128), (96, 64), (160, 64)]


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_what_rows_of_tiles_share_is_read_once_and_is_the_same(data: st.DataObject):
    tile_px = data.draw(st.sampled_from([64, 96]))
    options = AnalysisSettings(tile_px=tile_px, overlap_px=data.draw(st.sampled_from([0, 32])))
    width, height = data.draw(st.integers(40, 300)), data.draw(st.integers(40, 300))
    picture = painted(width, height)
    slide = ArraySlide(picture, mpp=0.25)
    raster = slide.raster(0.25)
    grid = TileGrid.of(raster, options)
    asked = np.array(
        data.draw(st.lists(st.booleans(), min_size=grid.rows * grid.columns, max_size=400))
    )[: grid.rows * grid.columns].reshape(grid.rows, grid.columns)
    times = np.zeros((height, width), int)
    read = slide.read

    def counted(raster: Raster, window: Window) -> np.ndarray:
        times[window.slices()] += 1
        return read(raster, window)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slide, "read", counted)
        tiles = dict(read_tiles(slide, raster, grid, asked))
    assert sorted(tiles) == np.flatnonzero(asked).tolist()
    for number, tile in tiles.items():
        row, column = divmod(number, grid.columns)
        window = grid.tile_window(column, row)
        part = picture[window.slices()]
        past = (window.height - part.shape[0], window.width - part.shape[1])
        expected = np.pad(part, ((0, past[0]), (0, past[1]), (0, 0)), mode="reflect")
        np.testing.assert_array_equal(tile, expected)
    if asked.all():
        assert times.max() == 1


def test_every_pixel_of_a_slide_is_read_once(monkeypatch: pytest.MonkeyPatch):
    slide = ArraySlide(painted(300, 400), mpp=0.25)
    read, pixels = slide.read, []

    def counted(raster: Raster, window: Window) -> np.ndarray:
        pixels.append(window.area)
        return read(raster, window)

    monkeypatch.setattr(slide, "read", counted)
    raster = slide.raster(0.25)
    list(predict(slide, raster, raster.window, FakeEngine(), SMALL))
    assert sum(pixels) == 300 * 400


def test_progress_counts_tiles_from_none_to_all():
    reports: list[tuple[int, int]] = []
    run(painted(128, 100), report=lambda done, total: reports.append((done, total)))
    assert reports == [(done, 9) for done in range(10)]


def test_progress_goes_on_counting_where_bands_are_stored_already():
    picture = painted(128, 100)
    stored = {band.window for band in run(picture)[:3]}
    reports: list[tuple[int, int]] = []
    asked = FakeEngine()
    run(
        picture,
        engine=asked,
        skip=stored.__contains__,
        report=lambda done, total: reports.append((done, total)),
    )
    first, total = reports[0]
    assert total == 9
    assert 0 < first < 9
    assert reports == [(done, 9) for done in range(first, 10)]


def test_a_window_outside_the_raster_is_refused_at_once():
    slide = ArraySlide(painted(100, 100), mpp=0.25)
    with pytest.raises(RegionError, match=r"window 50,0 of 51 × 10 pixels reaches out of"):
        predict(slide, slide.raster(0.25), Window(50, 0, 51, 10), FakeEngine(), SMALL)


def reader_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "tile reader"]


def test_a_slide_that_fails_halfway_gives_its_own_error(monkeypatch: pytest.MonkeyPatch):
    slide = ArraySlide(painted(64, 400), mpp=0.25)
    raster = slide.raster(0.25)
    read, failure = slide.read, SlideError("the disk is gone.")

    def failing(raster: Raster, window: Window) -> np.ndarray:
        if window.bottom > 160:  # the fifth row of tiles
            raise failure
        return read(raster, window)

    monkeypatch.setattr(slide, "read", failing)
    bands: list[MapBand] = []
    with pytest.raises(SlideError) as caught:
        bands.extend(predict(slide, raster, raster.window, FakeEngine(), SMALL))
    assert caught.value is failure
    assert [band.window.y for band in bands] == [0, 32, 64, 96]
    assert not reader_threads()


def test_stopping_ends_the_reader():
    slide = ArraySlide(painted(400, 400), mpp=0.25)
    raster = slide.raster(0.25)

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise JobCancelled("stopped.")

    with pytest.raises(JobCancelled, match="stopped"):
        list(predict(slide, raster, raster.window, FakeEngine(), SMALL, report=stop))
    assert not reader_threads()


def test_a_consumer_that_loses_interest_ends_the_reader():
    slide = ArraySlide(painted(400, 400), mpp=0.25)
    raster = slide.raster(0.25)
    bands = predict(slide, raster, raster.window, FakeEngine(), SMALL)
    assert isinstance(bands, Iterator)
    next(bands)
    assert len(reader_threads()) == 1
    bands.close()
    assert not reader_threads()


def test_an_engine_that_fails_gives_its_own_error():
    def fail(tile: np.ndarray) -> np.ndarray:
        raise MemoryError("no room for the activations")

    with pytest.raises(MemoryError, match="no room"):
        run(painted(400, 400), None, FakeEngine(fail))
    assert not reader_threads()


def test_an_engine_that_keeps_tiles_to_itself_is_a_bug():
    class Forgetful(FakeEngine):
        def run(self, tiles):
            yield from list(super().run(tiles))[1:]

    with pytest.raises(RuntimeError, match="the engine fake answered 8 of 9 tiles"):
        run(painted(128, 100), None, Forgetful())


def test_tiles_are_read_only_a_little_ahead_of_the_engine():
    slide = ArraySlide(painted(64, 32 * 100), mpp=0.25)
    raster = slide.raster(0.25)
    taken: list[int] = []

    class Slow(FakeEngine):
        def run(self, tiles):
            for number, rgb in tiles:
                taken.append(number)
                yield number, pixel_logits(rgb)

    bands = predict(slide, raster, raster.window, Slow(), SMALL)
    next(bands)
    assert len(taken) <= 2
    bands.close()


@pytest.mark.parametrize("window", [None, Window(300, 200, 299, 90)])
@pytest.mark.parametrize("views", [1, 8])
def test_tiles_cut_at_the_edge_of_the_raster_lose_nothing(window: Window | None, views: int):
    picture = painted(700, 300)
    engine = FakeEngine(seed=1)
    options = AnalysisSettings(tile_px=512, overlap_px=64, views=views)
    maps = assembled(run(picture, window, engine, options), window or Window(0, 0, 700, 300))
    expected = whole_image(picture)[:, *(window or Window(0, 0, 700, 300)).slices()]
    np.testing.assert_array_equal(maps[:2], expected[:2])
    np.testing.assert_allclose(maps[2], expected[2], atol=0.51)
    assert len(engine.numbers) == 2 * views
