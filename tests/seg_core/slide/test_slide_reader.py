from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seg_core.errors import RegionError, ResolutionError, SlideError
from seg_core.geometry import Raster, Region, Window
from seg_core.slide import SLIDE_SUFFIXES, ArraySlide, open_slide
from seg_core.slide.scanned import ScannedSlide

DOWNSAMPLES = [0.5, 0.501, 1.0, 1.37, 2.0, 3.9, 9.3]


def pasted(slide, raster, side):
    """Read a raster in squares and paste them together."""
    whole = np.zeros((raster.height, raster.width, 3), dtype=np.uint8)
    for y in range(0, raster.height, side):
        for x in range(0, raster.width, side):
            size = min(side, raster.width - x), min(side, raster.height - y)
            window = Window(x, y, *size)
            whole[window.slices()] = slide.read(raster, window)
    return whole


def worst_difference(one, other):
    return int(np.abs(one.astype(int) - other.astype(int)).max())


class Handle:
    """Stands for OpenSlide's handle: a slide that is scanned in part, or damaged."""

    dimensions = (100, 60)
    level_dimensions = ((100, 60),)
    level_downsamples = (1.0,)
    associated_images: dict[str, Image.Image] = {}  # noqa: RUF012

    def __init__(self, properties=None, error=None):
        self.properties = properties or {}
        self.error = error
        self.closed = False

    def read_region(self, location, level, size):
        if self.error:
            raise self.error
        picture = np.zeros((60, 100, 4), dtype=np.uint8)
        picture[10:50, 20:80] = (10, 20, 30, 255)
        picture[0:5, 0:5] = (0, 0, 0, 128)
        x, y = location
        return Image.fromarray(picture[y : y + size[1], x : x + size[0]])

    def close(self):
        self.closed = True


@given(
    st.sampled_from(DOWNSAMPLES),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
    st.tuples(st.integers(1, 50), st.integers(1, 50)),
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
def test_a_pixel_has_one_value_in_whatever_window(downsample, place, size, corner):
    array = np.random.default_rng(1).integers(0, 256, (83, 97, 3), dtype=np.uint8)
    slide = ArraySlide(array)
    raster = Raster(Region(*corner, 97 - corner[0], 83 - corner[1]), 1.0, downsample)
    width, height = min(size[0], raster.width), min(size[1], raster.height)
    window = Window(
        int(place[0] * (raster.width - width)),
        int(place[1] * (raster.height - height)),
        width,
        height,
    )
    whole = slide.read(raster, raster.window)
    assert worst_difference(slide.read(raster, window), whole[window.slices()]) <= 1


@pytest.mark.parametrize("downsample", [0.501, 1.0, 1.37, 2.0, 2.0045, 3.9])
def test_a_scanned_slide_is_read_alike_whole_or_in_tiles(write_pyramid, noise, downsample):
    slide = open_slide(write_pyramid(noise))
    assert slide.info.level_downsamples == pytest.approx((1.0, 2.0045), abs=1e-4)
    raster = Raster(slide.info.bounds, 1.0, downsample)
    assert worst_difference(pasted(slide, raster, 91), slide.read(raster, raster.window)) <= 1


@pytest.mark.parametrize("downsample", [0.7, 1.0, 2.0, 2.0045, 3.1, 6.0])
def test_the_coarser_level_shows_the_same_place(write_pyramid, ramp, downsample):
    slide = open_slide(write_pyramid(ramp))
    raster = Raster(Region(7, 5, 490, 370), 1.0, downsample)
    rgb = slide.read(raster, raster.window)[2:-2, 2:-2]
    y, x = np.mgrid[2 : raster.height - 2, 2 : raster.width - 2]
    centres = raster.to_level0(np.stack([x.ravel(), y.ravel()], axis=1) + 0.5)
    expected = (centres - 0.5) / 3 + 20 - 1 / 3
    assert np.abs(rgb[..., :2].reshape(-1, 2) - expected).max() <= 1.2


def test_at_its_own_resolution_the_slide_answers_its_own_pixels(write_pyramid, noise):
    slide = open_slide(write_pyramid(noise), mpp=0.26)
    raster = slide.raster(0.25)
    assert (raster.downsample, raster.mpp) == (1.0, 0.26)
    assert (slide.read(raster, Window(31, 17, 200, 100)) == noise[17:117, 31:231]).all()


def test_a_20x_slide_is_enlarged_to_the_resolution_of_40x(svs):
    slide = open_slide(svs)
    raster = slide.raster(0.25)
    assert raster.downsample == pytest.approx(0.25 / 0.499)
    assert (raster.width, raster.height) == (4432, 5923)
    rgb = slide.read(raster, Window(2000, 3000, 300, 200))
    source = slide.read_level0(Region(1002, 1503, 150, 100), (150, 100))
    assert rgb.mean(axis=(0, 1)) == pytest.approx(source.mean(axis=(0, 1)), abs=1.5)


def test_what_the_file_of_a_slide_says(svs):
    info = open_slide(svs).info
    assert (info.width, info.height) == (2220, 2967)
    assert info.mpp == pytest.approx(0.499)
    assert info.objective_power == 20
    assert info.vendor == "aperio"
    assert info.level_downsamples == (1.0,)
    assert info.bounds == Region(0, 0, 2220, 2967)
    assert info.path == svs
    assert info.format_title == "Aperio"
    assert replace(info, vendor="generic-tiff").format_title == "Tiled TIFF"
    assert replace(info, vendor=None, path=Path("a.png")).format_title == "Image (PNG)"


def test_associated_images_are_rgb_by_name(svs):
    images = open_slide(svs).associated_images()
    assert set(images) == {"label", "macro", "thumbnail"}
    assert {each.mode for each in images.values()} == {"RGB"}


def test_a_dicom_slide_opens_by_any_of_its_files(shared_data, svs):
    files = sorted((shared_data / "slides" / "dicom_cmu_small").iterdir())
    region = Region(1000, 1500, 64, 64)
    pictures = [open_slide(file).read_level0(region, (64, 64)) for file in files]
    assert all((picture == pictures[0]).all() for picture in pictures)
    assert open_slide(files[0]).info.mpp == pytest.approx(0.499)
    # Compressed once more than the SVS it was made from: alike, not equal.
    original = open_slide(svs).read_level0(region, (64, 64))
    assert np.abs(pictures[0].astype(int) - original).mean() < 10


def test_a_slide_without_pixel_size_asks_for_it(shared_data):
    path = shared_data / "slides" / "tcga-cr-7395-01a-01-ts1.svs"
    slide = open_slide(path)
    assert slide.info.mpp is None
    with pytest.raises(ResolutionError, match=r"does not say how large a pixel is.*--mpp"):
        slide.raster(0.25)
    assert open_slide(path, mpp=0.25).raster(0.25).downsample == 1.0
    assert open_slide(path, unstated_mpp=0.25).raster(0.25).downsample == 1.0


@pytest.mark.parametrize(
    ("dots", "unit", "mpp"),
    [
        (1e4 / 0.25, "CENTIMETER", 0.25),
        (25_400 / 0.5, "INCH", 0.5),
        (300, "INCH", None),
        (40_000, "NONE", None),
    ],
)
def test_a_tiff_tells_its_pixel_size_where_the_unit_is_real(write_pyramid, noise, dots, unit, mpp):
    assert open_slide(write_pyramid(noise, dots, unit)).info.mpp == pytest.approx(mpp)


def test_the_users_pixel_size_wins_over_the_files(svs):
    assert open_slide(svs, mpp=0.3).info.mpp == 0.3
    assert open_slide(svs, unstated_mpp=0.3).info.mpp == pytest.approx(0.499)


@pytest.mark.parametrize("mpp", [0, -0.25, float("nan"), float("inf")])
def test_a_pixel_size_that_cannot_be_is_refused(svs, mpp):
    with pytest.raises(ResolutionError, match=r"a pixel cannot be .* µm large"):
        open_slide(svs, mpp=mpp)
    with pytest.raises(ResolutionError, match="a pixel cannot be"):
        open_slide(svs, unstated_mpp=mpp)
    with pytest.raises(ResolutionError, match="a pixel cannot be"):
        ArraySlide(np.zeros((2, 2, 3), dtype=np.uint8), mpp=mpp)
    with pytest.raises(ResolutionError, match="a pixel cannot be"):
        open_slide(svs).raster(mpp)


def test_different_pixel_sizes_along_x_and_y_are_averaged():
    handle = Handle({"openslide.mpp-x": "0.25", "openslide.mpp-y": "0.26"})
    assert ScannedSlide(handle, Path("a.svs")).info.mpp == pytest.approx(0.255)


@pytest.mark.parametrize("value", ["0", "-1", "nan", "many", "84.7"])
def test_a_pixel_size_that_no_microscope_has_is_not_believed(value):
    handle = Handle({"openslide.mpp-x": value, "openslide.mpp-y": value})
    assert ScannedSlide(handle, Path("a.svs")).info.mpp is None


def test_that_pixels_are_not_square_is_told_unless_a_person_gives_their_size():
    """A cohort's size for files that state none hid that this one states two."""
    handle = Handle({"openslide.mpp-x": "0.5", "openslide.mpp-y": "0.25"})
    instead = ScannedSlide(handle, Path("a.svs"), unstated_mpp=0.3).info
    assert (instead.mpp, len(instead.notes)) == (0.3, 1)
    assert ScannedSlide(handle, Path("a.svs"), mpp=0.3).info.notes == ()


def test_the_raster_covers_the_bounds_of_the_scan():
    bounds = {"x": "20", "y": "10", "width": "60", "height": "40"}
    properties = {f"openslide.bounds-{name}": value for name, value in bounds.items()}
    slide = ScannedSlide(Handle(properties), Path("a.mrxs"), mpp=0.25)
    assert slide.info.bounds == Region(20, 10, 60, 40)
    raster = slide.raster(0.25)
    assert raster.region == slide.info.bounds
    assert (slide.read(raster, raster.window) == (10, 20, 30)).all()
    assert slide.thumbnail(1000).shape == (40, 60, 3)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (("90", "0", "50", "60"), Region(90, 0, 10, 60)),
        (("0", "0", "0", "0"), Region(0, 0, 100, 60)),
        (("500", "0", "50", "60"), Region(0, 0, 100, 60)),
        (("a", "0", "50", "60"), Region(0, 0, 100, 60)),
    ],
)
def test_bounds_that_reach_past_the_slide_are_cut_or_ignored(bounds, expected):
    names = ("x", "y", "width", "height")
    properties = {f"openslide.bounds-{n}": v for n, v in zip(names, bounds, strict=True)}
    assert ScannedSlide(Handle(properties), Path("a.mrxs")).info.bounds == expected


@pytest.mark.parametrize(
    ("properties", "background"),
    [
        ({}, (255, 255, 255)),
        ({"openslide.background-color": "F0E0D0"}, (240, 224, 208)),
        ({"openslide.background-color": "nonsense"}, (255, 255, 255)),
    ],
)
def test_what_was_not_scanned_shows_the_background(properties, background):
    slide = ScannedSlide(Handle(properties), Path("a.mrxs"))
    rgb = slide.read_level0(Region(0, 0, 100, 60), (100, 60))
    assert tuple(rgb[55, 90]) == background
    assert tuple(rgb[30, 50]) == (10, 20, 30)
    assert rgb[2, 2] == pytest.approx(np.array(background) / 2, abs=1)


def test_a_damaged_slide_says_so_when_it_is_read():
    slide = ScannedSlide(Handle(error=openslide.OpenSlideError("bad tile")), Path("a.svs"))
    with pytest.raises(SlideError, match=r"a\.svs cannot be read \(bad tile\).*damaged"):
        slide.read_level0(Region(0, 0, 10, 10), (10, 10))


def test_a_slide_whose_tiles_lie_past_the_files_end_fails_in_a_sentence(write_pyramid, noise):
    path = write_pyramid(noise)
    with tifffile.TiffFile(path) as file:
        offsets = file.pages[0].tags["TileOffsets"]
        last = offsets.valueoffset + 4 * (offsets.count - 1)
    content = bytearray(path.read_bytes())
    content[last : last + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    slide = open_slide(path)
    assert (slide.read_level0(Region(0, 0, 50, 50), (50, 50)) == noise[:50, :50]).all()
    with pytest.raises(SlideError, match=r"pyramid\.tif cannot be read .*reopen it"):
        slide.read_level0(slide.info.bounds, (515, 389))
    with pytest.raises(SlideError, match="cannot be read"):
        slide.associated_images()


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.8, 0.999])
def test_a_truncated_slide_is_refused_in_a_sentence(svs, tmp_path, kept):
    """Its first picture may be whole: Pillow used to open it without pixel size."""
    content = svs.read_bytes()
    path = tmp_path / "cut.svs"
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(SlideError, match=r"cut\.svs cannot be .*damaged or incomplete"):
        open_slide(path)


def test_a_truncated_tiff_is_refused_in_a_sentence(write_pyramid, noise, tmp_path):
    content = write_pyramid(noise).read_bytes()
    path = tmp_path / "cut.tif"
    path.write_bytes(content[:300_000])
    with pytest.raises(SlideError, match=r"cut\.tif cannot be .*damaged or incomplete"):
        open_slide(path)


def test_text_called_a_slide_is_neither_slide_nor_image(tmp_path):
    path = tmp_path / "notes.svs"
    path.write_text("not a slide\n" * 100, encoding="utf-8")
    with pytest.raises(SlideError, match=r"notes\.svs is neither a slide .* nor an ordinary image"):
        open_slide(path)


def test_an_empty_file_is_called_empty(tmp_path):
    path = tmp_path / "empty.svs"
    path.touch()
    with pytest.raises(SlideError, match=r"empty\.svs is empty"):
        open_slide(path)


def test_a_missing_file_is_called_missing(tmp_path):
    """It named the folder, too, which a visitor of a server is not to know."""
    with pytest.raises(SlideError, match=r"there is no file gone\.svs"):
        open_slide(tmp_path / "gone.svs")


def test_a_folder_is_called_a_folder(tmp_path):
    with pytest.raises(SlideError, match="is a folder; choose one of the slide files"):
        open_slide(tmp_path)


def test_reading_past_the_raster_is_refused():
    slide = ArraySlide(np.zeros((20, 30, 3), dtype=np.uint8), mpp=0.5)
    raster = slide.raster(0.5)
    with pytest.raises(RegionError, match="reaches past its raster of 30 × 20"):
        slide.read(raster, Window(0, 0, 31, 20))


def test_reading_past_the_slide_is_refused():
    slide = ArraySlide(np.zeros((20, 30, 3), dtype=np.uint8))
    with pytest.raises(RegionError, match="reaches past the slide of 30 × 20"):
        slide.read_level0(Region(-1, 0, 5, 5), (5, 5))
    with pytest.raises(RegionError, match="a picture of 0 × 5 pixels is empty"):
        slide.read_level0(Region(0, 0, 5, 5), (0, 5))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((5, 5), dtype=np.uint8),
        np.zeros((5, 5, 4), dtype=np.uint8),
        np.zeros((5, 5, 3), dtype=np.float32),
        np.zeros((0, 5, 3), dtype=np.uint8),
    ],
)
def test_an_array_that_is_no_rgb_picture_is_refused(array):
    with pytest.raises(
        SlideError, match=r"array is an array of shape .* give \(height, width, 3\)"
    ):
        ArraySlide(array)


def test_several_threads_read_the_same_as_one(svs):
    slide = open_slide(svs)
    raster = slide.raster(0.25)
    windows = [Window(x, y, 200, 200) for x in range(0, 1600, 400) for y in range(0, 1600, 400)]
    alone = [slide.read(raster, window) for window in windows]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda window: slide.read(raster, window), windows))
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_a_large_image_gets_coarser_levels_that_show_the_same():
    y, x = np.mgrid[0:300, 0:2600]
    array = np.stack([x // 12, y // 2, x // 24 + y // 4], axis=-1).astype(np.uint8)
    slide = ArraySlide(array, mpp=0.5)
    assert slide.info.level_downsamples == (1.0, 2.0)
    shown = slide.read_level0(slide.info.bounds, (650, 75))
    box = np.asarray(Image.fromarray(array).resize((650, 75), Image.Resampling.BOX))
    assert worst_difference(shown, box) <= 2


def test_a_thumbnail_keeps_the_shape_and_is_never_enlarged():
    slide = ArraySlide(np.zeros((40, 100, 3), dtype=np.uint8))
    assert slide.thumbnail(50).shape == (20, 50, 3)
    assert slide.thumbnail(500).shape == (40, 100, 3)
    assert slide.thumbnail(1).shape == (1, 1, 3)


def test_an_image_of_one_pixel_is_read_at_any_resolution():
    slide = ArraySlide(np.full((1, 1, 3), 50, dtype=np.uint8), mpp=0.5)
    for mpp, side in ((0.125, 4), (0.5, 1), (8.0, 1)):
        raster = slide.raster(mpp)
        rgb = slide.read(raster, raster.window)
        assert rgb.shape == (side, side, 3)
        assert (rgb == 50).all()


def test_closing_a_slide_closes_its_handle():
    handle = Handle()
    ScannedSlide(handle, Path("a.svs")).close()
    assert handle.closed


def test_suffixes_are_lower_case_with_their_dot():
    assert {".svs", ".mrxs", ".ndpi", ".tif", ".png", ".dcm"} <= SLIDE_SUFFIXES
    assert all(each.startswith(".") and each == each.lower() for each in SLIDE_SUFFIXES)
