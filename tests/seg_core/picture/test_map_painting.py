"""Maps at any enlargement: what is seen from afar is the mean of what is seen close up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.classes import MONUSAC, rgb_of
from seg_core.geometry import Raster, Region
from seg_core.maps import MapBand
from seg_core.picture.map_painting import (
    SCORE_RANGE,
    paint_shares,
    render_boundaries,
    render_classes,
    render_scores,
    sample_shares,
    score_colours,
)
from seg_core.picture.viewport import Viewport
from seg_core.store import MapsWriter, RunMaps

# The slide's bounds begin at (100, 60) and its pixels are half as fine as the maps'.
RASTER = Raster(Region(100, 60, 1024, 768), mpp=0.25, downsample=0.5)
LYMPHOCYTE = MONUSAC.classes[1]
ALL = {1, 2, 3, 4}


@pytest.fixture(scope="module")
def class_map() -> np.ndarray:
    """Lymphocytes of 12 pixels, the more of them the further right; one macrophage."""
    rng = np.random.default_rng(0)
    cells = rng.random((RASTER.height // 16, RASTER.width // 16))
    lymphocytes = cells < np.linspace(0, 1, cells.shape[1])
    nuclei = np.kron(lymphocytes, np.pad(np.full((12, 12), 2), 2)).astype(np.uint8)
    nuclei[:16, :16] = 0
    nuclei[2:14, 2:14] = 4
    return nuclei


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory, class_map: np.ndarray) -> RunMaps:
    folder = tmp_path_factory.mktemp("run") / "maps.zarr"
    score = np.where(class_map == 4, 102, 204).astype(np.uint8)
    with MapsWriter(folder, RASTER) as writer:
        writer.write(MapBand(RASTER.window, class_map, np.minimum(class_map, 1), score))
    return RunMaps(folder)


def whole(step: float) -> Viewport:
    width, height = RASTER.region.width / step, RASTER.region.height / step
    return Viewport(100, 60, step, int(width), int(height))


@pytest.mark.parametrize("step", [1, 2, 4, 16, 64])
def test_shares_are_means_of_what_is_seen_close_up(
    maps: RunMaps, class_map: np.ndarray, step: int
) -> None:
    found = sample_shares(maps, "class", RASTER, whole(step))
    side = step * 2
    blocks = (class_map == 2).reshape(class_map.shape[0] // side, side, -1, side)
    np.testing.assert_allclose(found[1], blocks.mean(axis=(1, 3)) * 255, atol=4)


@given(x=st.floats(0, 400), y=st.floats(0, 300), step=st.floats(0.6, 20))
def test_whatever_the_grid_no_nucleus_is_lost_or_invented(
    maps: RunMaps, class_map: np.ndarray, x: float, y: float, step: float
) -> None:
    viewport = Viewport(100 + x, 60 + y, step, int(450 / step), int(400 / step))
    found = sample_shares(maps, "class", RASTER, viewport)[1].mean() / 255
    left, top, right, bottom = (np.array(viewport.box) - (100, 60, 100, 60)) * 2
    part = class_map[round(top) : round(bottom), round(left) : round(right)]
    # A pixel counts whole where its centre lies, which nuclei in rows like these resonate with: up
    # to 0.035 in thousands of grids, below 0.001 in half of them.
    assert found == pytest.approx((part == 2).mean(), abs=0.05)


def test_two_tiles_beside_each_other_are_the_whole_picture(maps: RunMaps) -> None:
    both = render_classes(maps, RASTER, Viewport(100, 60, 3.0, 100, 50), MONUSAC, ALL)
    left = render_classes(maps, RASTER, Viewport(100, 60, 3.0, 40, 50), MONUSAC, ALL)
    right = render_classes(maps, RASTER, Viewport(220, 60, 3.0, 60, 50), MONUSAC, ALL)
    np.testing.assert_array_equal(np.hstack([left, right]), both)


def test_from_afar_more_lymphocytes_are_a_stronger_blue(maps: RunMaps) -> None:
    painted = render_classes(maps, RASTER, whole(64), MONUSAC, {2})
    strength = painted[..., 3].mean(axis=0)
    assert (np.diff(strength[::4]) > 0).all()
    assert tuple(painted[3, -1, :3]) == LYMPHOCYTE.rgb
    assert 0 < strength[4] < strength[-1] < 255


def test_a_class_switched_off_leaves_its_part_free_at_every_size(maps: RunMaps) -> None:
    for step in (0.5, 2, 64):
        painted = render_classes(maps, RASTER, whole(step), MONUSAC, {4})
        assert painted[..., 3].any()
        assert not painted[:, painted.shape[1] // 4 :, 3].any()


def test_boundaries_fade_into_a_veil(maps: RunMaps) -> None:
    close = render_boundaries(maps, RASTER, whole(0.5))[..., 3].astype(float)
    far = render_boundaries(maps, RASTER, whole(16))[..., 3].astype(float)
    assert far.mean() == pytest.approx(close.mean(), rel=0.05)


@pytest.mark.parametrize("step", [0.5, 1, 4, 8])
def test_the_score_of_nuclei_is_not_diluted_by_the_gaps_between_them(
    maps: RunMaps, step: float
) -> None:
    painted = render_scores(maps, RASTER, whole(step))
    low, high = SCORE_RANGE
    scale = score_colours(256)
    middle = int(4 / step)  # of the first nucleus, and of the last one from the other end
    for place, score in ((middle, 102 / 255), (-1 - middle, 204 / 255)):
        colour = scale[round((score - low) / (high - low) * 255)]
        np.testing.assert_allclose(painted[place, place, :3], rgb_of(colour), atol=6)
        assert painted[place, place, 3] > 100


def test_nothing_shared_is_transparent() -> None:
    assert not paint_shares(np.zeros((2, 3, 3), np.uint8), [(1, 2, 3, 255)] * 2).any()
    assert not paint_shares(np.zeros((0, 3, 3), np.uint8), []).any()
