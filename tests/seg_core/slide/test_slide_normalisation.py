import subprocess
import sys
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchstain.numpy.normalizers import NumpyMacenkoNormalizer, NumpyReinhardNormalizer

from seg_core.errors import StainError
from seg_core.geometry import Region, Window
from seg_core.samples import sample_path
from seg_core.slide import (
    ArraySlide,
    NormalisedSlide,
    StainMethod,
    TissueMask,
    find_tissue,
    fit_stain,
    open_slide,
)
from seg_core.slide.normalisation import (
    MACENKO_TARGET,
    REINHARD_TARGET,
    MacenkoFit,
    ReinhardFit,
    fit_colours,
    stain_from_json,
    tissue_colours,
)

METHODS = get_args(StainMethod)


@pytest.fixture(scope="module")
def nest():
    return open_slide(sample_path("hgsc_nest"), mpp=0.25)


@pytest.fixture(scope="module")
def picture(nest):
    return nest.read(nest.raster(0.25), Window(300, 400, 500, 400))


def fit_of(slide, method):
    return fit_stain(slide, find_tissue(slide), method)


def test_macenko_is_torchstains_own_answer_on_the_picture_it_was_fitted_on(picture):
    theirs = NumpyMacenkoNormalizer()
    theirs.HERef, theirs.maxCRef = MACENKO_TARGET.mixing, np.array(MACENKO_TARGET.strengths)
    expected, _, _ = theirs.normalize(picture, stains=False)
    ours = fit_colours(picture.reshape(-1, 3), "macenko").normalise(picture)
    assert np.abs(ours.astype(int) - expected).max() <= 1  # torchstain cuts fractions off


def test_reinhard_is_torchstains_own_answer_on_the_picture_it_was_fitted_on(picture):
    theirs = NumpyReinhardNormalizer()
    theirs.target_means, theirs.target_stds = REINHARD_TARGET.means, REINHARD_TARGET.spreads
    expected = theirs.normalize(picture)
    ours = fit_colours(picture.reshape(-1, 3), "reinhard").normalise(picture)
    assert np.abs(ours.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_what_has_the_targets_stain_already_hardly_changes(nest, picture, method):
    once = fit_of(nest, method)
    there = ArraySlide(once.normalise(nest.read_level0(nest.info.bounds, (1500, 1500))), mpp=0.25)
    again = fit_of(there, method)
    change = again.normalise(once.normalise(picture)).astype(int) - once.normalise(picture)
    assert np.abs(change).mean() < 6
    assert again.gains == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize("method", METHODS)
def test_two_stainings_of_one_tissue_come_near_to_each_other(nest, picture, method):
    """A slide twice as pale, with a colder light, as it leaves another laboratory."""

    def restained(rgb):
        return (255 * (rgb / 255) ** 0.5 * (0.92, 0.97, 1.0)).astype(np.uint8)

    whole = nest.read_level0(nest.info.bounds, (1500, 1500))
    other = fit_of(ArraySlide(restained(whole), mpp=0.25), method)
    before = np.abs(restained(picture).astype(int) - picture).mean()
    one = fit_of(nest, method).normalise(picture).astype(int)
    assert np.abs(other.normalise(restained(picture)) - one).mean() < before / 4


@pytest.mark.parametrize("method", METHODS)
def test_a_tile_has_the_same_colours_whatever_is_around_it(nest, method):
    shown = NormalisedSlide(nest, fit_of(nest, method))
    raster = shown.raster(0.25)
    whole = shown.read(raster, Window(100, 200, 300, 300))
    tile = shown.read(raster, Window(250, 250, 64, 64))
    assert np.array_equal(whole[50:114, 150:214], tile)


def test_a_normalised_slide_is_a_slide(nest):
    fit = fit_of(nest, "macenko")
    shown = NormalisedSlide(nest, fit)
    assert shown.info == nest.info
    assert shown.associated_images() == {}
    assert np.array_equal(shown.thumbnail(200), fit.normalise(nest.thumbnail(200)))
    region = Region(10, 20, 300, 200)
    expected = fit.normalise(nest.read_level0(region, (150, 100)))
    assert np.array_equal(shown.read_level0(region, (150, 100)), expected)
    shown.close()


@pytest.mark.parametrize("method", METHODS)
def test_the_same_tissue_gives_the_same_fit_and_the_file_keeps_it(nest, method):
    fit = fit_of(nest, method)
    assert fit_of(nest, method) == fit
    assert stain_from_json(fit.to_json()) == fit


def test_a_bounded_number_of_pixels_is_drawn_from_all_over_the_tissue(svs):
    slide = open_slide(svs)
    tissue = find_tissue(slide)
    colours = tissue_colours(slide, tissue)
    assert 100_000 < len(colours) <= 400 * 33**2
    half = TissueMask(tissue.raster, tissue.mask & (np.arange(tissue.raster.width) < 70))
    assert not np.array_equal(tissue_colours(slide, half), colours)


def noise(colour, spread, size=(300, 300)):
    values = np.random.default_rng(1).normal(colour, spread, (*size, 3))
    return np.clip(values, 0, 255).astype(np.uint8)


PEN_ON_GLASS = np.full((800, 800, 3), 243, np.uint8)
cv2.line(PEN_ON_GLASS, (60, 100), (740, 660), (30, 60, 150), 180)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (np.full((300, 300, 3), 243, np.uint8), "from 0 stained pixels, at least 10,000"),
        (np.full((1, 1, 3), (160, 90, 150), np.uint8), "from 1 stained pixels"),
        (np.full((90, 90, 3), (160, 90, 150), np.uint8), "from 8,100 stained pixels"),
        (PEN_ON_GLASS, "from 0 stained pixels"),
        (np.full((300, 300, 3), (160, 90, 150), np.uint8), "one; use|single colour"),
        (np.full((300, 300, 3), 0, np.uint8), "from 0 stained pixels|one; use|single colour"),
    ],
    ids=["blank", "1 px", "tiny", "pen only", "one colour", "black"],
)
def test_what_has_no_two_stains_is_refused_in_words(picture, sentence, method):
    with pytest.raises(StainError, match=sentence):
        fit_of(ArraySlide(picture, mpp=0.25), method)


@given(
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    spread=st.sampled_from([0.0, 0.4, 3.0, 60.0]),
    method=st.sampled_from(METHODS),
)
def test_whatever_the_colours_a_fit_is_usable_or_refused(colour, spread, method):
    picture = noise(colour, spread, (110, 110))
    try:
        fit = fit_colours(picture.reshape(-1, 3), method)
    except StainError:
        return
    assert np.isfinite(fit.gains).all()
    assert fit.normalise(picture).shape == picture.shape


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: MacenkoFit((0.6, 0.7, 0.4), (0.2, 0.8, 0.5), (2.0, float("nan"))), "no number"),
        (lambda: MacenkoFit((0.6, 0.7, 0.4), (0.2, 0.8, 0.5), (2.0, 0.0)), "single colour"),
        (lambda: MacenkoFit((0.6, 0.0, 0.8), (0.6, 0.0, 0.8), (2.0, 1.0)), "0.0° apart"),
        (lambda: ReinhardFit((60.0, float("inf"), 0.0), (1.0, 1.0, 1.0)), "no number"),
        (lambda: ReinhardFit((60.0, 10.0, 0.0), (1.0, 0.0, 1.0)), "single colour"),
    ],
)
def test_a_degenerate_fit_cannot_be_made(make, sentence):
    with pytest.raises(StainError, match=sentence):
        make()


@pytest.mark.parametrize("method", METHODS)
def test_stain_that_is_no_haematoxylin_and_eosin_is_refused(method):
    faint = noise((200, 180, 195), 0.6)
    with pytest.raises(StainError, match=r"8 times or more|apart"):
        fit_colours(faint.reshape(-1, 3), method)


def test_normalising_does_not_load_torch():
    program = "import sys, seg_core.slide; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
