from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.errors import RegionError
from seg_core.geometry import Region
from seg_core.slide import ArraySlide, DeepZoom, open_slide


def tiles(zoom, level):
    width, height = zoom.level_size(level)
    return [
        (column, row)
        for row in range(-(-height // zoom.tile_px))
        for column in range(-(-width // zoom.tile_px))
    ]


def slide_of(bounds):
    return SimpleNamespace(info=SimpleNamespace(bounds=bounds))


def test_levels_double_from_one_pixel_to_the_full_size(svs):
    zoom = DeepZoom(open_slide(svs))
    assert zoom.level_count == 13
    assert zoom.level_size(12) == (2220, 2967)
    assert zoom.level_size(11) == (1110, 1484)
    assert zoom.level_size(0) == (1, 1)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(0, 9), st.integers(1, 600))
def test_the_tiles_of_a_level_cover_the_bounds_once(width, height, corner, tile_px):
    bounds = Region(corner, 2 * corner, width, height)
    zoom = DeepZoom(slide_of(bounds), tile_px)
    for level in range(max(0, zoom.level_count - 4), zoom.level_count):
        if len(tiles(zoom, level)) > 400:
            continue
        regions = [zoom.tile_region(level, *tile) for tile in tiles(zoom, level)]
        assert sum(region.area for region in regions) == bounds.area
        assert all(bounds.contains(region) for region in regions)


def test_tiles_of_the_last_level_are_the_slides_own_pixels(svs):
    slide = open_slide(svs)
    zoom = DeepZoom(slide)
    assert zoom.tile_region(12, 2, 3) == Region(512, 768, 256, 256)
    expected = slide.read_level0(Region(512, 768, 256, 256), (256, 256))
    np.testing.assert_array_equal(zoom.read_tile(12, 2, 3), expected)


def test_tiles_at_the_right_and_bottom_are_cut(svs):
    zoom = DeepZoom(open_slide(svs))
    assert zoom.read_tile(12, 8, 11).shape == (2967 - 11 * 256, 2220 - 8 * 256, 3)
    assert zoom.read_tile(0, 0, 0).shape == (1, 1, 3)


def test_the_viewer_begins_at_the_bounds(write_pyramid, noise):
    zoom = DeepZoom(slide_of(Region(100, 50, 300, 200)), tile_px=128)
    assert zoom.level_size(zoom.level_count - 1) == (300, 200)
    assert zoom.tile_region(zoom.level_count - 1, 1, 1) == Region(228, 178, 128, 72)
    assert zoom.tile_region(0, 0, 0) == Region(100, 50, 300, 200)


def test_a_tile_reads_hardly_more_than_four_times_its_own_pixels(write_pyramid, noise):
    slide = open_slide(write_pyramid(noise))
    read_px = []
    read_level = slide._read_level

    def counted(level, x, y, width, height):
        read_px.append(width * height)
        return read_level(level, x, y, width, height)

    slide._read_level = counted
    zoom = DeepZoom(slide, tile_px=128)
    for level in range(zoom.level_count - 3, zoom.level_count):
        read_px.clear()
        width, height = zoom.tile_size(level, 0, 0)
        zoom.read_tile(level, 0, 0)
        assert sum(read_px) <= 4.5 * width * height


def test_an_image_of_one_pixel_has_one_level():
    zoom = DeepZoom(ArraySlide(np.full((1, 1, 3), 90, dtype=np.uint8)))
    assert zoom.level_count == 1
    assert zoom.read_tile(0, 0, 0).shape == (1, 1, 3)


@pytest.mark.parametrize("tile", [(12, 9, 0), (12, 0, 12), (12, -1, 0), (0, 1, 0)])
def test_a_tile_that_is_not_there_is_refused(svs, tile):
    zoom = DeepZoom(open_slide(svs))
    with pytest.raises(RegionError, match=r"level \d+ has \d+ × \d+ tiles, none at column"):
        zoom.read_tile(*tile)
    with pytest.raises(RegionError, match="none at column"):
        zoom.tile_region(*tile)


@pytest.mark.parametrize("level", [-1, 13])
def test_a_level_that_is_not_there_is_refused(svs, level):
    with pytest.raises(RegionError, match="the slide has levels 0 to 12"):
        DeepZoom(open_slide(svs)).level_size(level)


def test_a_tile_without_pixels_is_refused():
    with pytest.raises(RegionError, match="a tile of 0 pixels is empty"):
        DeepZoom(slide_of(Region(0, 0, 1, 1)), tile_px=0)
