import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from painted_maps import EVERYTHING, discs, noise_maps, read_labels
from scipy import ndimage
from shapely.geometry import polygon as shapely_polygon

from seg_core.maps import Maps
from seg_core.nuclei import outline_polygons
from seg_core.nuclei.growth import grow_seeds
from seg_core.nuclei.seeds import find_seeds


def rasterised(polygon: shapely.Polygon, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre a polygon covers."""
    y, x = np.indices(shape) + 0.5
    return shapely.contains_xy(polygon, x, y)


@given(noise_maps(largest=60), st.integers(0, 5))
def test_outlines_are_valid_and_hold_exactly_the_centres_of_their_pixels(maps: Maps, steps: int):
    """Speckle, bridges, holes, holes that touch the rim at a corner: whatever noise has."""
    seeds = find_seeds(maps.ternary_map, 0.25, EVERYTHING).labels
    labels = grow_seeds(seeds, maps.ternary_map > 0, steps)
    polygons = outline_polygons(labels, int(labels.max()))
    assert shapely.is_valid(polygons).all()
    for label, polygon in enumerate(polygons, start=1):
        np.testing.assert_array_equal(rasterised(polygon, labels.shape), labels == label)


def test_outlines_of_real_nuclei_keep_area_and_shape(shared_data):
    labels = read_labels(shared_data / "kumar/inst/Breast_TCGA-A7-A13E-01Z-00-DX1.png")
    polygons = outline_polygons(labels, int(labels.max()))
    pixels = np.bincount(labels.ravel())[1:]
    large = pixels >= 120
    assert large.sum() > 200
    assert (np.abs(shapely.area(polygons) / pixels - 1)[large] <= 0.02).all()
    assert shapely.is_valid(polygons).all()
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        corner = (box[1].start, box[0].start)
        here = shapely.transform(polygons[label - 1], lambda points, at=corner: points - at)
        mask = labels[box] == label
        covered = rasterised(here, mask.shape)
        assert (mask & covered).sum() / (mask | covered).sum() >= 0.97


@pytest.mark.parametrize(
    ("mask", "area", "holes"),
    [
        (["#"], 0.5, 0),
        (["###"], 2.5, 0),
        (["##", "##"], 3.5, 0),
        (["#.", "##"], 2.5, 0),
        (["###", "#.#", "###"], 9 - 0.5 - 0.5, 1),  # the hole is a diamond of half a pixel
        (["###", "#..", "#.#", "###"], 9 - 0.5, 0),
        # pixels of a nucleus that touch at a corner are cut apart, so its two holes are one
        (["####", "#.##", "##.#", "####"], 16 - 0.5 - 1.5, 1),
    ],
)
def test_area_is_the_pixels_less_half_of_one(mask: list[str], area: float, holes: int):
    labels = np.array([[letter == "#" for letter in row] for row in mask]).astype(np.int32)
    (polygon,) = outline_polygons(labels, 1)
    assert polygon.is_valid
    assert len(polygon.interiors) == holes
    assert polygon.area == pytest.approx(area)


def test_the_perimeter_of_a_disc_has_no_stairs():
    labels = discs([(50, 50)], 40, (100, 100))
    (polygon,) = outline_polygons(labels, 1)
    # outlines along the pixels' sides are 27 % too long; eight directions cost up to 8 %
    assert 1 < polygon.length / (2 * np.pi * 40) < 1.06


def test_straight_and_slanting_sides_have_points_at_their_ends_only():
    labels = np.zeros((12, 12), np.int32)
    labels[2:10, 3:9] = 1
    (square,) = outline_polygons(labels, 1)
    assert shapely.get_num_coordinates(square) == 8 + 1
    triangle = np.tril(np.ones((10, 10), np.int32))
    (outline,) = outline_polygons(triangle, 1)
    assert shapely.get_num_coordinates(outline) == 6 + 1


def test_nuclei_at_the_border_and_touching_nuclei_have_outlines_of_their_own():
    labels = np.array([[1, 1, 2, 2], [1, 1, 2, 2]], dtype=np.int32)
    first, second = outline_polygons(labels, 2)
    assert first.bounds == (0, 0, 2, 2)
    assert second.bounds == (2, 0, 4, 2)
    assert first.intersection(second).area == 0


def test_a_nucleus_in_the_hole_of_another():
    labels = np.ones((7, 7), np.int32)
    labels[2:5, 2:5] = 2
    around, within = outline_polygons(labels, 2)
    assert len(around.interiors) == 1
    assert within.bounds == (2, 2, 5, 5)
    assert around.intersection(within).area < 1


def test_exteriors_run_as_geojson_wants_them():
    labels = np.ones((5, 5), np.int32)
    labels[2, 2] = 0
    (polygon,) = outline_polygons(labels, 1)
    assert polygon.equals_exact(shapely_polygon.orient(polygon, 1.0))


def test_an_outline_begins_at_its_first_pixel_wherever_it_lies():
    labels = np.zeros((40, 60), np.int32)
    labels[10:17, 20:31] = 1
    (here,) = outline_polygons(labels, 1)
    (there,) = outline_polygons(np.roll(labels, (7, 11), axis=(0, 1)), 1)
    np.testing.assert_array_equal(
        shapely.get_coordinates(there) - [11, 7], shapely.get_coordinates(here)
    )


def test_no_labels_no_outlines():
    assert len(outline_polygons(np.zeros((3, 3), np.int32), 0)) == 0


def test_a_label_in_parts_is_refused():
    with pytest.raises(ValueError, match="in several parts"):
        outline_polygons(np.array([[1, 0, 1]], dtype=np.int32), 1)


def test_a_missing_label_is_refused():
    with pytest.raises(ValueError, match="2 labels are announced"):
        outline_polygons(np.array([[2, 0, 2]], dtype=np.int32), 2)
