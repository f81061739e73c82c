"""Pen marks and blur painted on real tissue are found, and real tissue is not taken for either."""

import cv2
import numpy as np
import pytest

from seg_core.geometry import Raster, Region, Window
from seg_core.roi import Roi, roi_of_region
from seg_core.samples import sample_path
from seg_core.slide import (
    ArraySlide,
    SlideQuality,
    TissueMask,
    assess_quality,
    find_tissue,
    open_slide,
)
from seg_core.slide.focus import find_out_of_focus
from seg_core.slide.pen import is_ink
from tests.files_found import files_found

INKS = {
    "blue": (35, 60, 150),
    "green": (20, 120, 80),
    "black": (25, 24, 28),
    "red": (225, 35, 40),
}


@pytest.fixture(scope="module")
def sample():
    """A real slide, 0.499 µm/px: 2 fifths tissue, with specks of green ink at one edge."""
    slide = open_slide(sample_path("cmu_small_region"))
    return slide.read_level0(slide.info.bounds, (slide.info.width, slide.info.height))


def slide_of(picture):
    return ArraySlide(picture, mpp=0.499)


def marked(picture, ink, mpp=0.499):
    """Draw a stroke 150 µm thick across tissue and glass, as a felt pen does: it lets light through."""
    strokes = np.zeros(picture.shape[:2], np.uint8)
    cv2.line(strokes, (200, 2300), (2000, 1900), 1, round(150 / mpp))
    through = picture * (np.array(INKS[ink]) / 255)
    return np.where(strokes[..., None] > 0, through, picture).astype(np.uint8), strokes > 0


def on_mask(mask, raster):
    """Resample a mask of the sample to the raster of the tissue."""
    small = cv2.resize(
        mask.astype(np.float32), (raster.width, raster.height), interpolation=cv2.INTER_AREA
    )
    return small > 0.5


@pytest.mark.parametrize("ink", INKS)
def test_a_pen_mark_on_a_real_slide_is_found_and_is_no_tissue(sample, ink):
    picture, drawn = marked(sample, ink)
    before = assess_quality(slide_of(sample))
    quality = assess_quality(slide_of(picture))
    drawn = on_mask(drawn, quality.raster)
    # red ink over dark nuclei has no colour of its own
    assert (quality.pen & drawn).sum() > (0.75 if ink == "red" else 0.95) * drawn.sum()
    assert not (
        quality.pen & ~cv2.dilate(drawn.astype(np.uint8), np.ones((13, 13))).astype(bool)
    ).any()
    assert not (quality.pen & quality.tissue.mask).any()
    far = ~cv2.dilate(drawn.astype(np.uint8), np.ones((13, 13))).astype(bool)
    assert np.array_equal(quality.tissue.mask & far, before.tissue.mask & far)
    (sentence,) = (each for each in quality.warnings(quality.raster.region) if "pen" in each)
    assert "were not analysed and are not counted as tissue" in sentence


def test_pen_marks_are_tissue_where_one_says_so(sample):
    picture, drawn = marked(sample, "blue")
    kept = find_tissue(slide_of(picture), keep_pen=True)
    assert (kept.mask & on_mask(drawn, kept.raster)).sum() > 0.95 * on_mask(
        drawn, kept.raster
    ).sum()


def test_a_pen_mark_on_glass_alone_leaves_no_tissue():
    glass = np.full((1200, 1200, 3), 243, np.uint8)
    cv2.circle(glass, (600, 600), 400, INKS["blue"], 120)
    quality = assess_quality(slide_of(glass))
    assert quality.pen.any()
    assert not quality.tissue.mask.any()


@pytest.mark.parametrize("name", ["hgsc_nest", "hgsc_stromal_he"])
@pytest.mark.parametrize("mpp", [0.25, 0.5])
def test_a_sharp_picture_full_of_tissue_is_all_tissue_and_nothing_else(name, mpp):
    quality = assess_quality(open_slide(sample_path(name), mpp=mpp))
    assert quality.tissue.mask.mean() >= 0.97
    assert not quality.pen.any()
    assert not quality.out_of_focus.any()
    assert quality.warnings(quality.raster.region) == []


def test_the_sample_slide_is_sharp_and_not_drawn_on(sample):
    quality = assess_quality(slide_of(sample))
    assert not quality.pen.any()
    assert not quality.out_of_focus.any()


@pytest.mark.parametrize(
    "colour", [(255, 255, 255), (243, 243, 243), (215, 216, 219)], ids=["white", "pale", "grey"]
)
def test_blank_glass_is_none_of_all(colour):
    quality = assess_quality(ArraySlide(np.full((900, 900, 3), colour, np.uint8), mpp=0.5))
    assert not (quality.tissue.mask | quality.pen | quality.out_of_focus).any()
    assert quality.warnings(Region(0, 0, 900, 900)) == []


@pytest.mark.parametrize("side", [1, 2, 40])
def test_the_smallest_pictures_are_tissue_and_too_small_to_be_judged(side):
    quality = assess_quality(
        ArraySlide(np.full((side, side, 3), (180, 90, 160), np.uint8), mpp=0.25)
    )
    assert quality.tissue.mask.all()
    assert not quality.out_of_focus.any()


def test_tiles_of_many_laboratories_are_sharp_tissue_without_pen(shared_data):
    for file in files_found(shared_data / "tiles", "*"):
        quality = assess_quality(open_slide(file, mpp=0.25))
        # the one with fat and lumens, a fifth of it glass
        least = 0.75 if file.name == "HE_example.tif" else 0.97
        assert quality.tissue.mask.mean() >= least, file.name
        assert not quality.pen.any(), file.name
        assert not quality.out_of_focus.any(), file.name


def test_real_ink_is_found_and_real_blood_is_not(shared_data):
    inked = assess_quality(open_slide(shared_data / "consep/images/train_12.webp", mpp=0.25))
    assert 0.05 < inked.pen.mean() < 0.25
    for file in files_found(shared_data / "kumar/images", "Kidney*"):
        assert not assess_quality(open_slide(file, mpp=0.25)).pen.any(), file.name


def test_colours_of_tissue_are_no_ink():
    tissue = [(90, 60, 130), (200, 120, 180), (180, 60, 70), (70, 40, 90), (110, 70, 50)]
    assert not is_ink(np.array([tissue], dtype=np.uint8)).any()
    assert is_ink(np.array([list(INKS.values())], dtype=np.uint8)).all()


def blurred_half(picture, sigma_um):
    """Blur what is below the middle, and let the camera add its noise."""
    picture = picture.copy()
    half = picture[picture.shape[0] // 2 :]
    soft = cv2.GaussianBlur(half, (0, 0), sigma_um / 0.499)
    soft = soft + np.random.default_rng(3).normal(0, 2, soft.shape)
    half[:] = np.clip(soft, 0, 255).astype(np.uint8)
    return picture


@pytest.mark.parametrize("sigma_um", [1.5, 2.0, 5.0, 10.0])
def test_the_blurred_half_of_a_real_slide_is_found_and_the_sharp_half_is_not(sample, sigma_um):
    quality = assess_quality(slide_of(blurred_half(sample, sigma_um)))
    middle = quality.raster.height // 2
    squares = quality.tissue.mask & (find_out_of_focus_everywhere(quality))
    below = slice(middle + 16, None)
    assert not quality.out_of_focus[: middle - 16].any()
    found = quality.out_of_focus[below].sum() / squares[below].sum()
    assert found > 0.9
    (sentence,) = quality.warnings(quality.raster.region)
    assert "% of the tissue is out of focus" in sentence


def find_out_of_focus_everywhere(quality):
    """Return the squares that can be judged: a picture without detail fails in all of them."""
    raster = quality.raster
    flat = np.full((raster.region.height, raster.region.width, 3), (200, 120, 180), np.uint8)
    return find_out_of_focus(ArraySlide(flat, mpp=0.499), quality.tissue)


def test_a_part_is_judged_as_in_the_whole(sample):
    slide = slide_of(blurred_half(sample, 3.0))
    whole = assess_quality(slide)
    region = Region(700, 1400, 900, 700)
    part = assess_quality(slide, region)
    inside = whole.raster.window_of(region).slices()
    assert whole.out_of_focus[inside].any()
    assert np.array_equal(part.out_of_focus[inside], whole.out_of_focus[inside])
    assert np.array_equal(part.tissue.mask, whole.tissue.mask)
    assert part.out_of_focus.sum() < whole.out_of_focus.sum()


def test_a_coarse_scan_cannot_be_judged_and_is_not(sample):
    coarse = cv2.resize(sample, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(coarse, (0, 0), 3.0)
    assert not assess_quality(ArraySlide(soft, mpp=0.998)).out_of_focus.any()


def test_shares_are_those_of_the_part_that_was_asked():
    raster = Raster(Region(0, 0, 4000, 4000), mpp=8.0, downsample=40.0)
    everything = np.ones((100, 100), dtype=bool)
    pen, blurred = np.zeros((2, 100, 100), dtype=bool)
    pen[:10, :10] = True
    blurred[:, 50:] = True
    quality = SlideQuality(TissueMask(raster, everything & ~pen), pen, blurred)
    assert quality.warnings(Region(2000, 0, 2000, 4000)) == [
        "100 % of the tissue is out of focus; nuclei are found less surely there."
    ]
    assert quality.warnings(roi_of_region(Region(0, 0, 2000, 400))) == [
        "pen marks or ink cover 0.0064 mm²; they were not analysed and are not counted as tissue."
    ]
    half = Roi("half", roi_of_region(Region(1000, 2000, 2000, 500)).polygon)
    assert quality.warnings(half)[0].startswith("50 % of the tissue")
    assert quality.warnings(Region(0, 3000, 1000, 1000)) == []
    assert raster.window == Window(0, 0, 100, 100)
