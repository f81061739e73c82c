import io

import numpy as np
import pytest
import shapely
from PIL import Image

from seg_core.errors import RegionError, ResolutionError
from seg_core.geometry import Raster, Region, Window
from seg_core.roi import Roi
from seg_core.samples import sample_path
from seg_core.slide import ArraySlide, TissueMask, find_tissue, open_slide

GLASS = (240, 240, 240)
STROMA = (238, 214, 230)  # pale


def share(slide):
    info = slide.info
    return find_tissue(slide).area_um2() / (info.width * info.height * info.mpp**2)


def painted(colour, width=400, height=400):
    return np.full((height, width, 3), colour, dtype=np.uint8)


def jpeg(array, quality):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


@pytest.mark.parametrize(
    "colour", [(255, 255, 255), GLASS, (215, 216, 219), (234, 230, 234), (246, 244, 236)]
)
def test_glass_of_any_tint_is_no_tissue(colour):
    assert share(ArraySlide(painted(colour), mpp=0.5)) == 0


@pytest.mark.parametrize("mpp", [0.25, 2.0, 8.0])
@pytest.mark.parametrize("quality", [30, 80])
def test_noise_of_jpeg_on_glass_is_no_tissue(mpp, quality):
    noise = np.random.default_rng(2).normal(0, 3, (400, 400, 1))
    glass = np.clip(painted(GLASS) + noise, 0, 255).astype(np.uint8)
    assert share(ArraySlide(jpeg(glass, quality), mpp=mpp)) == 0


def test_pale_stroma_is_tissue():
    assert share(ArraySlide(painted(STROMA), mpp=0.5)) == pytest.approx(1)


@pytest.mark.parametrize("side", [1, 2, 7])
def test_the_smallest_images_are_all_or_nothing(side):
    assert share(ArraySlide(painted(STROMA, side, side), mpp=0.25)) == pytest.approx(1)
    assert share(ArraySlide(painted(GLASS, side, side), mpp=0.25)) == 0


@pytest.mark.parametrize("name", ["hgsc_nest", "hgsc_stromal_he"])
def test_a_picture_full_of_tissue_is_all_tissue(name):
    assert share(open_slide(sample_path(name), mpp=0.5)) >= 0.97
    assert share(open_slide(sample_path(name), mpp=0.25)) >= 0.97


def test_tiles_of_seven_organs_are_all_tissue(shared_data):
    files = sorted((shared_data / "kumar" / "images").iterdir())
    assert min(share(open_slide(file, mpp=0.25)) for file in files[::3]) >= 0.97


def test_the_sample_slide_is_tissue_and_glass(svs):
    tissue = find_tissue(open_slide(svs))
    assert tissue.mask.shape == (tissue.raster.height, tissue.raster.width) == (186, 139)
    # Two fifths: the mask's outline was looked at over the picture when this was written.
    assert tissue.area_um2() / (2220 * 2967 * 0.499**2) == pytest.approx(0.40, abs=0.03)
    assert not tissue.mask[120:, :30].any()
    assert tissue.mask[140:160, 60:80].all()


def hole(side_um):
    picture = painted((200, 120, 170), 600, 600)
    half = round(side_um / 2 / 0.5)
    picture[300 - half : 300 + half, 300 - half : 300 + half] = 255
    return find_tissue(ArraySlide(picture, mpp=0.5))


def test_a_small_lumen_belongs_to_the_tissue_and_a_large_one_does_not():
    assert hole(40).area_um2() == pytest.approx(300**2)
    assert hole(120).area_um2() == pytest.approx(300**2 - 120**2, rel=0.05)  # round corners


def test_small_pieces_of_tissue_are_kept():
    picture = painted(GLASS)
    picture[192:224, 192:224] = (180, 100, 160)
    assert find_tissue(ArraySlide(picture, mpp=0.5)).area_um2() > 0


def test_the_resolution_of_the_mask_hardly_changes_the_area(svs):
    slide = open_slide(svs)
    areas = [find_tissue(slide, mpp).area_um2() for mpp in (4.0, 8.0, 16.0)]
    assert max(areas) / min(areas) < 1.15


def test_a_slide_of_unknown_resolution_is_asked_for_it():
    with pytest.raises(ResolutionError, match="how large a pixel is"):
        find_tissue(ArraySlide(painted(STROMA)))


@pytest.fixture
def half():
    """Tissue in the left half of a slide, which begins at 100, 60."""
    raster = Raster(Region(100, 60, 64, 32), mpp=4.0, downsample=8.0)
    mask = np.zeros((4, 8), dtype=bool)
    mask[:, :4] = True
    return TissueMask(raster, mask)


def test_a_window_of_another_raster_is_asked_for_tissue(half):
    fine = Raster(Region(100, 60, 64, 32), mpp=0.25, downsample=0.5)
    assert half.touches(fine, Window(0, 0, 10, 10))
    assert half.touches(fine, Window(60, 10, 8, 8))
    assert not half.touches(fine, Window(64, 0, 64, 64))
    assert half.touches(fine, Window(-20, -20, 25, 25))
    assert not half.touches(fine, Window(-20, -20, 10, 10))
    assert not half.touches(fine, Window(128, 0, 10, 10))


@pytest.mark.parametrize(
    ("region", "px"),
    [
        (None, 32 * 32),
        (Region(100, 60, 64, 32), 32 * 32),
        (Region(103, 61, 5, 3), 15),
        (Region(130, 60, 10, 10), 20),
        (Region(140, 60, 10, 10), 0),
        (Region(0, 0, 110, 70), 100),
        (Region(500, 500, 10, 10), 0),
    ],
)
def test_the_area_in_a_region_counts_parts_of_mask_pixels(half, region, px):
    assert half.area_um2(region) == pytest.approx(px * 0.5**2)


def test_the_area_in_a_roi_follows_its_outline(half):
    triangle = shapely.Polygon([(100, 60), (132, 60), (100, 92)])
    assert half.area_um2(Roi("triangle", triangle)) == pytest.approx(32 * 32 / 2 * 0.5**2)
    ring = shapely.box(100, 60, 164, 92).difference(shapely.box(104, 64, 114, 74))
    assert half.area_um2(Roi("ring", ring)) == pytest.approx((32 * 32 - 100) * 0.5**2)


def test_a_mask_that_does_not_fit_its_raster_is_refused(half):
    with pytest.raises(RegionError, match="does not fit a raster of 8 × 4"):
        TissueMask(half.raster, np.zeros((3, 8), dtype=bool))
