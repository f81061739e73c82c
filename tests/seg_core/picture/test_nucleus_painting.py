import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from seg_core.classes import (
    BACKGROUND,
    BOUNDARY,
    INSIDE,
    MONUSAC,
    OTHER,
    OTHER_COLOUR,
    UNCERTAIN_COLOUR,
    UNCERTAIN_ID,
    rgb_of,
)
from seg_core.geometry import Raster, Region, Window
from seg_core.maps import MapBand, MapName
from seg_core.nuclei.names import Names
from seg_core.picture.nucleus_painting import (
    NucleusPainter,
    paint_classes,
    paint_ternary,
    sample_map,
)
from seg_core.picture.viewport import Viewport
from seg_core.store import MapsWriter, RunMaps

# The slide's bounds begin at (100, 60) and its pixels are half as fine as the maps'.
RASTER = Raster(Region(100, 60, 900, 700), mpp=0.25, downsample=0.5)
EPITHELIAL, LYMPHOCYTE = MONUSAC.classes[0], MONUSAC.classes[1]


@pytest.fixture(scope="module")
def class_map() -> np.ndarray:
    """A class to every block of eight by eight pixels, by chance."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 5, (RASTER.height // 8, RASTER.width // 8), dtype=np.uint8)
    return np.kron(blocks, np.ones((8, 8), dtype=np.uint8))


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory, class_map: np.ndarray) -> RunMaps:
    folder = tmp_path_factory.mktemp("run") / "maps.zarr"
    with MapsWriter(folder, RASTER) as writer:
        writer.write(MapBand(RASTER.window, class_map, class_map % 3, class_map * 10))
    return RunMaps(folder)


@given(x=st.integers(0, 700), y=st.integers(0, 500))
def test_a_picture_on_the_maps_own_grid_is_the_map(
    maps: RunMaps, class_map: np.ndarray, x: int, y: int
) -> None:
    viewport = Viewport(100 + x * 0.5, 60 + y * 0.5, 0.5, 120, 80)
    wanted = class_map[y : y + 80, x : x + 120]
    names: tuple[MapName, ...] = ("class", "ternary", "score")
    for name, plane in zip(names, (wanted, wanted % 3, wanted * 10), strict=True):
        np.testing.assert_array_equal(sample_map(maps, name, RASTER, viewport), plane)


def test_an_enlarged_picture_repeats_the_map(maps: RunMaps, class_map: np.ndarray) -> None:
    sampled = sample_map(maps, "class", RASTER, Viewport(100, 60, 0.125, 160, 160))
    np.testing.assert_array_equal(
        sampled, np.kron(class_map[:40, :40], np.ones((4, 4), dtype=np.uint8))
    )


@pytest.mark.parametrize("level", [1, 2])
def test_a_coarse_picture_reads_the_coarse_level(maps: RunMaps, level: int) -> None:
    sampled = sample_map(maps, "class", RASTER, Viewport(100, 60, 0.5 * 2**level, 50, 30))
    wanted = maps.read(Window(0, 0, 50, 30), level)
    np.testing.assert_array_equal(sampled, wanted.class_map)


def test_a_picture_coarser_than_all_levels_reads_the_last(maps: RunMaps) -> None:
    sampled = sample_map(maps, "class", RASTER, Viewport(100, 60, 64, 14, 11))
    assert sampled.shape == (11, 14)


def test_beyond_the_maps_all_is_background(maps: RunMaps) -> None:
    sampled = sample_map(maps, "class", RASTER, Viewport(0, 0, 0.5, 300, 100))
    assert not sampled[:, :200].any()


def test_classes_that_are_not_shown_are_transparent() -> None:
    painted = paint_classes(np.array([[0, 1, 2, 3]], dtype=np.uint8), MONUSAC, {0, 2})
    assert painted[0, :, 3].tolist() == [0, 0, 255, 0]
    assert tuple(painted[0, 2, :3]) == LYMPHOCYTE.rgb


def test_rims_are_darker_than_insides_and_background_is_left_free() -> None:
    painted = paint_ternary(np.array([[BACKGROUND, INSIDE, BOUNDARY]], dtype=np.uint8))
    assert painted[0, 0, 3] == 0
    assert painted[0, 2, :3].sum() < painted[0, 1, :3].sum()


def nuclei(*squares: tuple[float, float, float, str]) -> gpd.GeoDataFrame:
    """Squares (x, y, side, class name) in level-0 pixels."""
    table = gpd.GeoDataFrame(
        {
            "x": [x + side / 2 for x, _, side, _ in squares],
            "y": [y + side / 2 for _, y, side, _ in squares],
            "class_name": [name for *_, name in squares],
            "class_score": np.ones(len(squares), np.float32),
        },
        geometry=[shapely.box(x, y, x + side, y + side) for x, y, side, _ in squares],
    )
    return table.astype({"class_name": "string"})


def test_an_outline_has_the_colour_of_its_class_and_an_empty_middle() -> None:
    painter = NucleusPainter(nuclei((20, 30, 40, "epithelial")), MONUSAC)
    painted = painter.paint(Viewport(0, 0, 1.0, 100, 100), {1})
    assert tuple(painted[50, 20, :3]) == EPITHELIAL.rgb
    assert painted[50, 20, 3] > 150
    assert painted[35:65, 25:55, 3].max() == 0
    assert painted[:25, :, 3].max() == 0


def test_an_outline_lies_centred_on_the_edge_of_its_nucleus() -> None:
    """Edges run between pixels: a line of two pixels colours one on either side of them."""
    painter = NucleusPainter(nuclei((20, 20, 40, "epithelial")), MONUSAC)
    alpha = painter.paint(Viewport(0, 0, 0.5, 160, 160), {1})[80, :, 3].astype(float)
    left = alpha[20:60]
    assert (left * (np.arange(20, 60) + 0.5)).sum() / left.sum() == pytest.approx(40, abs=0.5)


def test_nuclei_under_the_least_score_are_drawn_as_uncertain() -> None:
    table = nuclei((10, 10, 30, "epithelial"), (60, 10, 30, "epithelial"), (10, 60, 30, OTHER))
    table["class_score"] = np.array([0.5, 0.7, 0.5], np.float32)
    painter = NucleusPainter(table, MONUSAC)
    viewport = Viewport(0, 0, 1.0, 100, 100)
    painted = painter.paint(viewport, {0, 1, UNCERTAIN_ID}, min_score=0.6)
    colours = [tuple(painted[y, x, :3]) for x, y in ((10, 25), (60, 25), (10, 75))]
    assert colours == [rgb_of(UNCERTAIN_COLOUR), EPITHELIAL.rgb, rgb_of(OTHER_COLOUR)]
    assert not painter.paint(viewport, {1}, min_score=0.6)[:, :50].any()


def test_names_of_now_are_drawn_with_the_outlines_that_are_known() -> None:
    table = nuclei((10, 10, 30, "epithelial"), (60, 10, 30, "epithelial"), (10, 60, 30, OTHER))
    found = NucleusPainter(table, MONUSAC)
    names = Names(
        np.array(["lymphocyte", "epithelial", OTHER], object),
        np.ones(3, np.float32),
        np.array([True, True, False]),
    )
    viewport = Viewport(0, 0, 1.0, 100, 100)
    painted = found.renamed(names, MONUSAC).paint(viewport, {0, 1, 2})
    assert tuple(painted[25, 10, :3]) == LYMPHOCYTE.rgb
    assert tuple(painted[25, 60, :3]) == EPITHELIAL.rgb
    assert not painted[55:].any()
    before = found.paint(viewport, {0, 1, 2})
    assert tuple(before[25, 10, :3]) == EPITHELIAL.rgb
    assert before[55:].any()


def test_other_is_drawn_when_it_is_asked_for() -> None:
    painter = NucleusPainter(nuclei((10, 10, 30, OTHER)), MONUSAC)
    viewport = Viewport(0, 0, 1.0, 64, 64)
    assert not painter.paint(viewport, {1, 2, 3, 4}).any()
    painted = painter.paint(viewport, {0})
    assert tuple(painted[25, 10, :3]) == rgb_of(OTHER_COLOUR)


def test_nuclei_too_small_for_outlines_are_dots_and_none_is_lost() -> None:
    places = [(x * 64.0, y * 64.0) for x in range(8) for y in range(8)]
    painter = NucleusPainter(nuclei(*[(x, y, 20, "lymphocyte") for x, y in places]), MONUSAC)
    painted = painter.paint(Viewport(0, 0, 8.0, 64, 64), {2})
    assert (painted[..., 3] > 0).sum() == len(places) * 4


@given(cut=st.integers(1, 99), step=st.sampled_from([0.5, 1.0, 16.0]))
def test_two_tiles_beside_each_other_are_the_whole_picture(cut: int, step: float) -> None:
    rng = np.random.default_rng(1)
    squares = [(*rng.uniform(0, 100 * step, 2), 24.0, "lymphocyte") for _ in range(20)]
    painter = NucleusPainter(nuclei(*squares), MONUSAC)
    whole = painter.paint(Viewport(0, 0, step, 100, 100), {2})[..., 3]
    left = painter.paint(Viewport(0, 0, step, cut, 100), {2})[..., 3]
    right = painter.paint(Viewport(cut * step, 0, step, 100 - cut, 100), {2})[..., 3]
    np.testing.assert_allclose(np.hstack([left, right]), whole, atol=40)


def test_a_table_without_nuclei_paints_nothing() -> None:
    table = nuclei((0, 0, 10, "lymphocyte")).iloc[:0]
    assert not NucleusPainter(table, MONUSAC).paint(Viewport(0, 0, 1, 8, 8), {1, 2}).any()


def test_a_table_without_scores_is_painted_as_one_of_which_all_is_sure() -> None:
    table = nuclei((20, 30, 40, "epithelial")).assign(class_score=1.0)
    view = Viewport(0, 0, 1, 60, 60)
    shown = NucleusPainter(table.drop(columns="class_score"), MONUSAC).paint(view, {1})
    np.testing.assert_array_equal(shown, NucleusPainter(table, MONUSAC).paint(view, {1}))
    assert shown.any()
