import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.errors import RegionError
from seg_core.geometry import Raster, Region, Window

sides = st.integers(1, 5000)
corners = st.integers(-1000, 100_000)
regions = st.builds(Region, corners, corners, sides, sides)
rasters = st.builds(Raster, regions, st.floats(0.1, 4.0), st.floats(0.2, 20.0, allow_nan=False))


@given(raster=rasters, x=st.floats(0, 1e5), y=st.floats(0, 1e5))
def test_there_and_back_is_where_one_was(raster: Raster, x: float, y: float) -> None:
    points = np.array([[x, y]])
    assert np.allclose(raster.from_level0(raster.to_level0(points)), points, atol=1e-5)


@given(raster=rasters)
def test_the_whole_region_is_the_whole_raster(raster: Raster) -> None:
    assert raster.window_of(raster.region) == raster.window
    assert raster.region_of(raster.window).contains(raster.region)


@given(raster=rasters, data=st.data())
def test_window_of_a_region_covers_it(raster: Raster, data: st.DataObject) -> None:
    x = data.draw(st.integers(raster.region.x, raster.region.right - 1))
    y = data.draw(st.integers(raster.region.y, raster.region.bottom - 1))
    region = Region(
        x,
        y,
        data.draw(st.integers(1, raster.region.right - x)),
        data.draw(st.integers(1, raster.region.bottom - y)),
    )
    window = raster.window_of(region)
    assert raster.window.contains(window)
    assert raster.region_of(window).contains(region)


@given(a=regions, b=regions)
def test_intersection_is_in_both_and_does_not_care_about_order(a: Region, b: Region) -> None:
    common = a.intersection(b)
    assert common == b.intersection(a)
    if common is not None:
        assert a.contains(common)
        assert b.contains(common)


def test_rectangles_that_only_touch_have_nothing_in_common() -> None:
    assert Region(0, 0, 10, 10).intersection(Region(10, 0, 5, 5)) is None


def test_level0_and_raster_pixels_are_two_types() -> None:
    assert Region(0, 0, 1, 1) != Window(0, 0, 1, 1)


def test_enlarged_slide_has_twice_the_pixels() -> None:
    raster = Raster(Region(10, 20, 100, 50), mpp=0.25, downsample=0.5)
    assert (raster.width, raster.height) == (200, 100)
    assert raster.to_level0([[1.0, 3.0]]).tolist() == [[10.5, 21.5]]


def test_window_grows_moves_and_cuts_an_array() -> None:
    window = Window(2, 3, 4, 5)
    assert window.expanded(1) == Window(1, 2, 6, 7)
    assert window.moved(-2, 1) == Window(0, 4, 4, 5)
    assert np.zeros((20, 20))[window.slices()].shape == (5, 4)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (-1, 5)])
def test_empty_rectangles_are_refused(width: int, height: int) -> None:
    with pytest.raises(RegionError, match=r"is empty; give a width and a height"):
        Region(0, 0, width, height)


@pytest.mark.parametrize(("mpp", "downsample"), [(0.0, 1.0), (0.25, 0.0), (float("nan"), 1.0)])
def test_impossible_raster_is_refused(mpp: float, downsample: float) -> None:
    with pytest.raises(RegionError, match="must be greater than 0"):
        Raster(Region(0, 0, 1, 1), mpp, downsample)


def test_region_outside_is_refused_with_both_places_named() -> None:
    raster = Raster(Region(0, 0, 100, 100), 0.25, 1.0)
    with pytest.raises(RegionError, match=r"200,0 of 5 × 5 pixels lies outside the slide"):
        raster.window_of(Region(200, 0, 5, 5))
