"""Pictures of single nuclei."""

from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image

from seg_core.classes import MONUSAC, rgb_of
from seg_core.picture.crops import CROP_PX, crop_nuclei
from seg_core.slide import open_slide

MPP = 0.25
WIDTH, HEIGHT = 300, 200
PINK, VIOLET = (240, 180, 210), (90, 40, 130)
SIDE = 20  # of a nucleus, level-0 pixels


@pytest.fixture
def slide(tmp_path: Path):
    """Two square nuclei, one of them in the corner of the slide."""
    rgb = np.full((HEIGHT, WIDTH, 3), PINK, dtype=np.uint8)
    for x, y in ((0, 0), (150, 100)):
        rgb[y : y + SIDE, x : x + SIDE] = VIOLET
    path = tmp_path / "two.png"
    Image.fromarray(rgb).save(path)
    with closing(open_slide(path, mpp=MPP)) as opened:
        yield opened


def nucleus_at(x: int, y: int) -> gpd.GeoDataFrame:
    row = {"nucleus_id": 1, "class_name": "lymphocyte", "class_score": 0.9}
    row |= {"x": x + SIDE / 2, "y": y + SIDE / 2}
    return gpd.GeoDataFrame([row], geometry=[shapely.box(x, y, x + SIDE, y + SIDE)])


@pytest.mark.parametrize("corner", [(0, 0), (150, 100)])
def test_a_nucleus_is_in_the_middle_of_its_picture(slide, corner: tuple[int, int]) -> None:
    """At the edge of a slide the picture was moved, and who named the middle one named a neighbour."""
    (crop,) = crop_nuclei(slide, MPP, nucleus_at(*corner), MONUSAC, outlined=False)
    assert crop.shape == (CROP_PX, CROP_PX, 3)
    rows, columns = np.nonzero(np.abs(crop.astype(int) - VIOLET).max(axis=-1) < 20)
    assert (rows.mean(), columns.mean()) == pytest.approx((CROP_PX / 2, CROP_PX / 2), abs=2)


def test_beyond_the_slide_a_picture_is_white(slide) -> None:
    (crop,) = crop_nuclei(slide, MPP, nucleus_at(0, 0), MONUSAC)
    assert (crop[: CROP_PX // 3] == 255).all()
    assert (crop[:, : CROP_PX // 3] == 255).all()
    assert not (crop[CROP_PX // 2 :, CROP_PX // 2 :] == 255).all(axis=-1).any()


def test_an_outline_is_seen_at_the_size_that_a_gallery_shows(slide) -> None:
    """It was half a pixel wide there, and dark nuclei swallowed it."""
    (crop,) = crop_nuclei(slide, MPP, nucleus_at(150, 100), MONUSAC)
    shown = np.asarray(Image.fromarray(crop).reduce(2)).astype(int)
    blue = np.asarray(rgb_of(MONUSAC.colours["lymphocyte"]))
    middle = shown[len(shown) // 2]
    drawn = np.abs(middle - blue).max(axis=-1) < 40
    assert drawn[: len(middle) // 2].any()
    assert drawn[len(middle) // 2 :].any()
