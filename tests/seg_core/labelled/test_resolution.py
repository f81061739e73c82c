import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from seg_core.geometry import Window
from seg_core.labelled.resolution import compressed, enlarge_image, enlarge_labels, seen_at
from seg_core.samples import sample_path
from seg_core.slide import ArraySlide

LABELS = arrays.arrays(
    np.int32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3)
)


@given(LABELS)
def test_enlarging_loses_no_label_and_makes_none(labels: np.ndarray) -> None:
    enlarged = enlarge_labels(labels)
    assert enlarged.shape == (2 * labels.shape[0], 2 * labels.shape[1])
    assert set(np.unique(enlarged)) == set(np.unique(labels))


@given(LABELS)
def test_at_least_half_of_each_pixel_keeps_its_label(labels: np.ndarray) -> None:
    height, width = labels.shape
    quarters = enlarge_labels(labels).reshape(height, 2, width, 2)
    kept = (quarters == labels[:, None, :, None]).sum(axis=(1, 3))
    assert (kept >= 2).all()


@given(LABELS)
def test_enlarging_does_not_care_which_way_the_image_lies(labels: np.ndarray) -> None:
    np.testing.assert_array_equal(enlarge_labels(labels.T), enlarge_labels(labels).T)
    np.testing.assert_array_equal(enlarge_labels(labels[::-1]), enlarge_labels(labels)[::-1])


def test_a_nucleus_of_one_pixel_in_width_stays_whole_and_in_one_piece() -> None:
    labels = np.zeros((9, 9), np.int32)
    labels[1:8, 4] = 1
    np.testing.assert_array_equal(enlarge_labels(labels), np.kron(labels, np.ones((2, 2), int)))
    slanted = np.pad(np.eye(9, dtype=np.int32), 1)
    enlarged = enlarge_labels(slanted)
    assert enlarged.sum() >= 4 * slanted.sum()
    assert (enlarged.diagonal()[2:-2] == 1).all()


def test_a_disc_is_rounder_than_its_pixels_and_keeps_its_size() -> None:
    y, x = np.mgrid[:40, :40] - 19.5
    fine = (np.mgrid[:80, :80] - 39.5) / 2
    truth = np.hypot(*fine) <= 12
    labels = (np.hypot(y, x) <= 12).astype(np.int32)
    smooth, blocks = enlarge_labels(labels) > 0, np.kron(labels, np.ones((2, 2))) > 0
    assert (smooth != truth).sum() < 0.8 * (blocks != truth).sum()
    assert abs(smooth.sum() / truth.sum() - 1) < 0.03


def test_an_image_is_enlarged_as_a_slide_at_20x_is_shown_to_a_network() -> None:
    image = np.asarray(Image.open(sample_path("hgsc_nest")))[:90, :120]
    slide = ArraySlide(image, mpp=0.5)
    raster = slide.raster(0.25)
    shown = slide.read(raster, Window(0, 0, 240, 180))
    apart = np.abs(enlarge_image(image).astype(int) - shown)
    assert apart.max() <= 2  # rounding: the slide reads a margin around what it shows
    assert apart.mean() < 0.3


def test_a_coarser_scan_has_lost_detail_and_nothing_else() -> None:
    image = np.asarray(Image.open(sample_path("hgsc_nest")))[:200, :240]
    seen = seen_at(image, (120, 100))
    assert seen.shape == image.shape
    np.testing.assert_allclose(seen.mean(axis=(0, 1)), image.mean(axis=(0, 1)), atol=0.5)
    assert np.diff(seen.astype(int), axis=0).std() < 0.9 * np.diff(image.astype(int), axis=0).std()


def test_compression_keeps_red_red() -> None:
    """Luminance weighs red, green and blue differently: their order matters."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[..., 0] = 200
    assert np.abs(compressed(image, 50).astype(int) - image).max() <= 4
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    errors = [np.abs(compressed(noise, q).astype(int) - noise).mean() for q in (95, 60, 30)]
    assert errors == sorted(errors)
