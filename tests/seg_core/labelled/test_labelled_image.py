from dataclasses import replace

import numpy as np
import pytest

from seg_core.classes import MONUSAC
from seg_core.errors import DataError
from seg_core.labelled.data_sets import DATA_SETS, UNKNOWN
from seg_core.labelled.labelled_image import (
    Dots,
    LabelledImage,
    consecutive,
    labelled_image,
    with_rim,
)
from seg_core.labelled.nuclei import majority_class_ids

LIZARD = DATA_SETS["lizard"]


def painted(data_set=LIZARD, shape=(60, 80)) -> LabelledImage:
    """Four nuclei: connective, eosinophil, plasma cell, neutrophil."""
    instances, class_map = np.zeros((2, *shape), np.int32)
    for number, (class_id, x) in enumerate(((6, 5), (5, 25), (4, 45), (1, 65)), start=1):
        instances[20:30, x : x + 10] = 10 * number
        class_map[20:30, x : x + 10] = class_id
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    return labelled_image("a", image, instances, class_map, None, data_set, MONUSAC)


def test_labels_are_numbered_one_by_one_and_classes_go_by_name() -> None:
    image = painted()
    assert np.unique(image.instances).tolist() == [0, 1, 2, 3, 4]
    assert image.classes.tolist() == [0, UNKNOWN, 2, 3]
    assert image.boxes[2].tolist() == [45, 20, 55, 30]
    assert image.mpp == 0.5


@pytest.mark.parametrize("labels", [[[0, 2**31 - 1, 7]], [[9, 2**31 - 1, 7]], [[2**31 - 1] * 3]])
def test_numbers_of_nuclei_may_be_as_large_as_they_can(labels: list[list[int]]) -> None:
    """A table of all numbers up to the highest, 40 GB, was once made for three pixels."""
    given = np.array(labels, np.int32)
    numbered = consecutive(given)
    assert numbered.dtype == np.int32
    assert np.unique(numbered[given > 0]).tolist() == list(range(1, len({*given[given > 0]}) + 1))
    np.testing.assert_array_equal(np.argsort(numbered), np.argsort(given))
    assert (numbered[given == 0] == 0).all()


@pytest.mark.parametrize("number", [256, 2**31 - 1])
def test_a_number_that_no_class_can_have_is_refused(number: int) -> None:
    """256 once became class 0, 257 class 1, and larger ones filled the memory."""
    with pytest.raises(DataError, match=rf"has the number {number:,} on a nucleus"):
        majority_class_ids(np.array([[1, 1, 2]]), np.array([[number, number, 1]]))
    # where there is no nucleus it says nothing
    assert majority_class_ids(np.array([[0, 1]]), np.array([[number, 3]])).tolist() == [3]


def test_nuclei_of_unknown_class_are_there_to_teach_outlines_and_are_not_scored() -> None:
    image = painted()
    assert (image.instances == 2).any()
    assert not (image.nuclei.labels == 2).any()
    np.testing.assert_array_equal(image.not_scored, image.instances == 2)
    assert image.ignore is None
    assert image.nuclei.class_ids[[0, 2, 3]].tolist() == [0, 2, 3]


def test_labels_without_classes_are_all_scored() -> None:
    image = painted()
    without = labelled_image(
        "a", image.image, image.instances, None, None, DATA_SETS["all-nuclei"], MONUSAC
    )
    assert without.nuclei.class_ids is None
    assert without.not_scored is None
    assert set(without.classes.tolist()) == {UNKNOWN}


def test_enlarged_it_shows_the_same_nuclei_on_pixels_of_half_the_size() -> None:
    image = replace(painted(), dots=Dots(np.array([[30.0, 25.0]]), np.array([1], np.uint8)))
    twice = image.at(0.25)
    assert (twice.mpp, twice.image.shape) == (0.25, (120, 160, 3))
    np.testing.assert_array_equal(twice.classes, image.classes)
    areas, before = np.bincount(twice.instances.ravel()), np.bincount(image.instances.ravel())
    np.testing.assert_allclose(areas, 4 * before, rtol=0.05)
    assert twice.instances[50, 60] == image.instances[25, 30]
    assert twice.dots.points.tolist() == [[60, 50]]
    assert twice.at(0.25) is twice


def test_an_image_of_any_other_size_is_not_guessed_at() -> None:
    with pytest.raises(DataError, match=r"a has 0\.5 µm/px, the network 0\.4"):
        painted().at(0.4)


def test_the_rim_of_a_data_set_is_ignored_on_all_four_sides() -> None:
    image = painted(
        DATA_SETS["monusac"].__class__(
            **{name: getattr(LIZARD, name) for name in ("name", "title", "ids", "meanings", "mpp")}
            | {"rim_um": 3.0}
        )
    )
    assert image.ignore is not None
    assert image.ignore[:6].all()
    assert image.ignore[:, -6:].all()
    assert not image.ignore[6:-6, 6:-6].any()


def test_a_rim_is_added_to_what_is_ignored_already() -> None:
    ignore = np.zeros((9, 9), bool)
    ignore[4, 4] = True
    framed = with_rim(ignore, (9, 9), 2)
    assert framed is not None
    assert framed.sum() == 81 - 25 + 1
    assert with_rim(ignore, (9, 9), 0) is ignore
    assert with_rim(None, (3, 3), 7).all()


def test_an_image_checks_that_its_masks_have_its_size() -> None:
    with pytest.raises(DataError, match="label mask of a has 80 × 60 pixels, its image 80 × 50"):
        replace(painted(), image=np.zeros((50, 80, 3), np.uint8))
