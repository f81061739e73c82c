import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seg_core.slide.pyramid import best_level, plausible_mpp, resample, same_resolution

LEVELS = (1.0, 4.0003, 16.02, 64.1)


class Level:
    """A level in memory that notes how much of it was read."""

    def __init__(self, array):
        self.array = array
        self.size = array.shape[1], array.shape[0]
        self.read_px = []

    def read(self, x, y, width, height):
        assert x >= 0
        assert y >= 0
        assert x + width <= self.size[0]
        assert y + height <= self.size[1]
        self.read_px.append(width * height)
        return Image.fromarray(self.array[y : y + height, x : x + width])


def ramp(width, height):
    x = np.arange(width) * 200 // width
    return np.broadcast_to(x[None, :, None], (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    ("wanted", "level"),
    [(0.5, 0), (1.0, 0), (3.9, 0), (4.0, 1), (15.0, 1), (16.0, 2), (64.0, 3), (1000.0, 3)],
)
def test_the_coarsest_level_with_enough_detail_is_read(wanted, level):
    assert best_level(LEVELS, wanted) == level


@given(st.floats(0.01, 200))
def test_no_level_is_coarser_than_wanted_unless_it_is_the_finest(wanted):
    level = best_level(LEVELS, wanted)
    assert level == 0 or LEVELS[level] <= wanted * 1.01


def test_pixel_sizes_within_five_percent_are_the_same():
    assert same_resolution(0.2623, 0.25)
    assert not same_resolution(0.2627, 0.25)


@pytest.mark.parametrize("dots_per_inch", [72, 96, 300, 600])
def test_resolutions_of_paper_are_no_pixel_sizes(dots_per_inch):
    assert plausible_mpp(25_400 / dots_per_inch) is None


@given(
    st.floats(0.2, 40),
    st.tuples(st.floats(-5, 300), st.floats(-5, 80)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_a_plain_level_stays_plain_at_its_edges_and_beyond(step, corner, size):
    level = Level(np.full((83, 301, 3), 137, dtype=np.uint8))
    rgb = resample(level.read, level.size, corner, (step, step), size)
    assert rgb.shape == (size[1], size[0], 3)
    assert (rgb == 137).all()


@pytest.mark.parametrize("step", [0.3, 0.501, 1.0, 1.37, 3.9, 4.0, 9.7, 33.0])
@pytest.mark.parametrize("offset", [0.0, 0.4])
def test_positions_are_right_to_a_tenth_of_a_grey_level_a_pixel(step, offset):
    level = Level(ramp(2000, 400))
    count = int(1000 / step)
    rgb = resample(level.read, level.size, (500 + offset, 100), (step, step), (count, 2))
    centre = 500 + offset + (np.arange(count) + 0.5) * step
    assert np.abs(rgb[0, :, 0] - (centre / 10 - 0.5)).max() <= 1.0


def test_steps_may_differ_along_x_and_y():
    level = Level(ramp(200, 100))
    rgb = resample(level.read, level.size, (0, 0), (2.0, 10.0), (100, 10))
    assert rgb.shape == (10, 100, 3)
    assert np.abs(rgb[0, :, 0] - (2 * np.arange(100) + 0.5)).max() <= 1.0


def test_shrinking_averages_rather_than_picks():
    stripes = np.zeros((64, 640, 3), dtype=np.uint8)
    stripes[:, ::2] = 200
    level = Level(stripes)
    rgb = resample(level.read, level.size, (0, 0), (16.0, 16.0), (40, 4))
    assert np.abs(rgb.astype(int) - 100).max() <= 1


def test_a_whole_level_is_averaged_piece_by_piece(monkeypatch):
    monkeypatch.setattr("seg_core.slide.pyramid._MAX_SOURCE_PX", 64 * 2000)
    level = Level(ramp(2000, 1500))
    rgb = resample(level.read, level.size, (0, 0), (200.0, 150.0), (10, 10))
    assert max(level.read_px) <= 64 * 2000
    assert np.abs(rgb[5, :, 0] - (20 * np.arange(10) + 9.5)).max() <= 1.0


def test_a_large_picture_made_in_pieces_shows_no_seam(monkeypatch):
    array = np.random.default_rng(3).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    level = Level(array)
    grid = {"corner": (3.3, 2.2), "step": (0.7, 0.7), "size": (150, 110)}
    whole = resample(level.read, level.size, **grid)
    monkeypatch.setattr("seg_core.slide.pyramid._MAX_PIECE_PX", 37)
    pieces = resample(level.read, level.size, **grid)
    assert np.abs(whole.astype(int) - pieces).max() <= 1
