import numpy as np

from seg_core.classes import MONUSAC
from seg_core.labelled.data_sets import DATA_SETS, UNKNOWN
from seg_core.labelled.labelled_image import Dots, LabelledImage, labelled_image
from seg_core.training.dataset import targets_of
from seg_core.training.dots import named_by_dots

BRCA = DATA_SETS["brca_m2c"]


def dotted(*dots: tuple[float, float, int]) -> LabelledImage:
    nothing = np.zeros((100, 100), np.int32)
    image = labelled_image(
        "a", np.zeros((100, 100, 3), np.uint8), nothing, None, None, BRCA, MONUSAC, mpp=0.25
    )
    points = np.array([dot[:2] for dot in dots]).reshape(-1, 2)
    classes = np.array([dot[2] for dot in dots], np.uint8)
    return LabelledImage(**{**vars(image), "dots": Dots(points, classes)})


def outlines() -> np.ndarray:
    """Three squares of 20 pixels, far from each other."""
    labels = np.zeros((100, 100), np.int32)
    labels[10:30, 10:30], labels[10:30, 60:80], labels[60:80, 10:30] = 7, 8, 9
    return labels


def test_a_nucleus_has_the_class_of_its_dots_and_none_without_them() -> None:
    named = named_by_dots(dotted((20, 20, 2), (22, 25, 2), (70, 20, 0)), outlines())
    assert named.classes.tolist() == [2, 0, UNKNOWN]
    assert named.classed


def test_dots_that_disagree_teach_no_class() -> None:
    named = named_by_dots(dotted((20, 20, 2), (22, 25, 1)), outlines())
    assert named.classes.tolist() == [UNKNOWN] * 3


def test_a_dot_beside_a_nucleus_means_it_within_three_micrometres() -> None:
    # 8 px are 2 µm, 16 px are 4 µm
    near, far = (named_by_dots(dotted((30 + away, 20, 1)), outlines()) for away in (8, 16))
    assert near.classes[0] == 1
    assert far.classes[0] == UNKNOWN


def test_nothing_is_taught_where_a_dot_has_no_nucleus() -> None:
    named = named_by_dots(dotted((70, 70, 1), (20, 20, 2)), outlines())
    assert named.ignore is not None
    assert named.ignore[70, 70]
    assert not named.ignore[20, 20]
    assert not named.ignore[named.instances > 0].any()
    everything_found = named_by_dots(dotted((20, 20, 2)), outlines())
    assert not everything_found.ignore.any()


def test_outlines_of_a_model_teach_less_than_those_of_a_person_and_blank_less_still() -> None:
    named = named_by_dots(dotted((20, 20, 2)), outlines())
    taught = np.ones((100, 100), bool)
    targets = targets_of(named.instances, taught, named.classes, named.weights, BRCA, 1.0)
    assert np.isclose(targets["ternary_weight"][20, 20], BRCA.outline_weight)
    assert np.isclose(targets["ternary_weight"][50, 50], BRCA.blank_weight)
    assert (targets["classes"][12:28, 12:28] == 2).all()
    assert (targets["class_weight"][12:28, 62:78] == 0).all()  # no dot: no class


def test_an_image_whose_nuclei_the_model_all_missed_teaches_nothing_at_its_dots() -> None:
    named = named_by_dots(dotted((20, 20, 2)), np.zeros((100, 100), np.int32))
    assert len(named.classes) == 0
    assert named.ignore[20, 20]
