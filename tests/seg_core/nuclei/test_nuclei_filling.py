"""Outlines filled again give the pixels they were drawn round."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from painted_maps import read_labels
from scipy import ndimage

from seg_core.geometry import Raster, Region
from seg_core.nuclei.contours import outline_polygons
from seg_core.nuclei.filling import fill_polygons


def filled(labels: np.ndarray, raster: Raster | None = None) -> np.ndarray:
    count = int(labels.max())
    polygons = outline_polygons(labels.astype(np.int32), count)
    if raster is not None:
        polygons = shapely.transform(polygons, raster.to_level0)
        polygons = shapely.transform(polygons, raster.from_level0)
    answer = np.zeros(labels.shape, np.uint32)
    fill_polygons(polygons, np.arange(1, count + 1, dtype=np.uint32), answer)
    return answer


@given(arrays(np.bool_, (9, 11)))
def test_filling_undoes_outlining(mask: np.ndarray) -> None:
    labels, _ = ndimage.label(mask)
    np.testing.assert_array_equal(filled(labels), labels)


@given(st.floats(0.1, 9), st.integers(0, 200_000))
def test_filling_undoes_outlining_after_a_way_through_level0(step: float, corner: int) -> None:
    mask = np.random.default_rng(0).random((40, 50)) > 0.4
    labels, _ = ndimage.label(mask)
    raster = Raster(Region(corner, corner // 3, 500, 400), mpp=0.25, downsample=step)
    np.testing.assert_array_equal(filled(labels, raster), labels)


def test_real_nuclei_come_back_pixel_by_pixel(shared_data) -> None:
    path = min((shared_data / "monusac" / "val" / "inst").glob("*.png"))
    labels = read_labels(path)
    assert labels.max() > 100
    np.testing.assert_array_equal(filled(labels), labels)


@pytest.mark.parametrize("shift", [(-3, 0), (0, -3), (3, 0), (0, 3), (40, 0)])
def test_what_reaches_past_the_edges_is_cut_off(shift: tuple[int, int]) -> None:
    labels = np.zeros((8, 8), np.uint32)
    dx, dy = shift
    box = shapely.box(2 + dx, 2 + dy, 6 + dx, 6 + dy)
    fill_polygons(np.array([box]), np.array([9], np.uint32), labels)
    whole = np.zeros((100, 100), np.uint32)
    whole[42 + dy : 46 + dy, 42 + dx : 46 + dx] = 9
    np.testing.assert_array_equal(labels, whole[40:48, 40:48])


def test_no_polygons_leave_everything_as_it_was() -> None:
    labels = np.full((3, 3), 5, np.uint32)
    fill_polygons(np.empty(0, np.object_), np.empty(0, np.uint32), labels)
    assert (labels == 5).all()
