import json

import numpy as np
import pytest

from seg_core.classes import MONUSAC
from seg_core.errors import DataError
from seg_core.evaluation.metrics import (
    DETECTION_RADIUS_UM,
    figures_of,
    intervals_of,
    score_image,
)
from seg_core.labelled.nuclei import Nuclei

SQUARES = ((0, 4, 0, 4), (0, 4, 10, 14), (0, 4, 20, 24))


def squares(*boxes, classes=None, shift=0):
    labels = np.zeros((12, 40), np.int32)
    for label, (y0, y1, x0, x1) in enumerate(boxes, start=1):
        labels[y0:y1, x0 + shift : x1 + shift] = label
    return Nuclei(labels, None if classes is None else np.array(classes, np.uint8))


def score(reference, predicted, *, patient="p", count_other=True, mpp=0.25, **maps):
    return score_image(
        reference, predicted, MONUSAC, patient=patient, count_other=count_other, mpp=mpp, **maps
    )


def figures(*scores):
    return figures_of(scores, MONUSAC)


def leaves(tree, path=()):
    if isinstance(tree, dict):
        for name, branch in tree.items():
            yield from leaves(branch, (*path, name))
    else:
        yield path, tree


PERFECT = squares(*SQUARES, classes=[1, 2, 0])


def test_figures_have_the_keys_other_programs_rely_on():
    result = figures(score(PERFECT, PERFECT))
    names = set(MONUSAC.names)
    assert set(result) == {"pixel", "instance"}
    assert set(result["pixel"]) == {
        "iou", "class_mean_iou", "class_mean_iou_with_absent", "dice", "ternary_dice",
        "patch_miou_macro",
    }  # fmt: skip
    assert set(result["instance"]) == {
        "bpq", "bpq_plus", "dq", "dq_plus", "sq", "sq_plus", "aji", "aji_plus", "detection_f1",
        "detection_f1_hovernet", "pq_plus", "mpq_plus", "mpq_plus_with_absent", "f1", "macro_f1",
        "macro_f1_with_absent", "class_detection_f1", "class_detection_f1_hovernet", "a_pq",
        "a_pq_challenge", "confusion", "vote_confusion", "spurious",
    }  # fmt: skip
    assert set(result["pixel"]["iou"]) == set(result["pixel"]["dice"]) == names | {"background"}
    assert set(result["pixel"]["ternary_dice"]) == {"inside", "boundary"}
    for by_class in ("pq_plus", "f1", "class_detection_f1", "class_detection_f1_hovernet"):
        assert set(result["instance"][by_class]) == names
    json.dumps(result, allow_nan=False)


def test_identity_gives_one_and_what_is_not_there_gives_null():
    result = figures(score(PERFECT, PERFECT))
    assert result["instance"].pop("spurious") == dict.fromkeys(MONUSAC.names, 0)
    absent = {"neutrophil", "macrophage"}
    for path, value in leaves(result):
        if path[-1] in absent:
            assert value is None
        elif path[-1] not in {"rows", "columns", "counts"}:
            assert value == 1
    assert result["instance"]["confusion"] == {
        "rows": ["epithelial", "lymphocyte", "neutrophil", "macrophage", "other", "spurious"],
        "columns": ["epithelial", "lymphocyte", "neutrophil", "macrophage", "other", "missed"],
        "counts": np.diag([1, 1, 0, 0, 1, 0]).tolist(),
    }
    assert result["instance"]["vote_confusion"] == {
        "rows": [*MONUSAC.names, "other"],
        "columns": [*MONUSAC.names, "other"],
        "counts": np.diag([1, 1, 0, 0, 1]).tolist(),
    }


def test_binary_figures_are_means_over_images_and_class_figures_are_pooled():
    big = squares(*SQUARES, classes=[1, 1, 1])
    small, missed = squares((0, 4, 0, 4), classes=[1]), squares(classes=[])
    result = figures(score(big, big), score(small, missed))["instance"]
    # images: PQ 1 and 0
    assert result["bpq"] == 0.5
    assert result["dq"] == 0.5
    assert result["sq"] == 0.5
    assert result["aji_plus"] == 0.5
    # pooled: 3 found, 1 missed
    assert result["bpq_plus"] == pytest.approx(3 / 3.5)
    assert result["pq_plus"]["epithelial"] == pytest.approx(3 / 3.5)
    assert result["f1"]["epithelial"] == pytest.approx(6 / 7)
    assert result["detection_f1"] == pytest.approx(6 / 7)
    assert result["mpq_plus"] == result["pq_plus"]["epithelial"]


def test_pooled_qualities_weigh_nuclei_and_means_weigh_images():
    moved = squares(SQUARES[0], shift=1)  # IoU 12 / 20
    result = figures(score(squares(*SQUARES), squares(*SQUARES)), score(moved, squares(SQUARES[0])))
    result = result["instance"]
    assert result["sq"] == pytest.approx((1 + 0.6) / 2)
    assert result["sq_plus"] == pytest.approx((3 + 0.6) / 4)
    missed = figures(score(squares(*SQUARES), squares(*SQUARES)), score(moved, squares()))
    assert missed["instance"]["dq"] == pytest.approx((1 + 0) / 2)
    assert missed["instance"]["dq_plus"] == pytest.approx(6 / 7)
    for each in (result, missed["instance"]):
        assert each["bpq_plus"] == pytest.approx(each["dq_plus"] * each["sq_plus"])


def test_a_class_without_reference_nuclei_has_no_figure_and_no_say_in_the_means():
    """Three spurious nuclei used to halve mPQ+ of a set without a nucleus of their class."""
    reference = squares(*SQUARES[:2], classes=[1, 2])
    predicted = squares(*SQUARES[:2], (6, 10, 0, 4), (6, 10, 10, 14), classes=[1, 2, 3, 3])
    result = figures(score(reference, predicted))
    instance, pixel = result["instance"], result["pixel"]
    for figure in ("pq_plus", "f1", "class_detection_f1", "class_detection_f1_hovernet"):
        assert instance[figure] == {
            "epithelial": 1, "lymphocyte": 1, "neutrophil": None, "macrophage": None,
        }  # fmt: skip
    assert instance["spurious"] == {
        "epithelial": 0, "lymphocyte": 0, "neutrophil": 2, "macrophage": 0,
    }  # fmt: skip
    assert (instance["mpq_plus"], instance["macro_f1"]) == (1, 1)
    assert instance["mpq_plus_with_absent"] == pytest.approx(2 / 3)
    assert instance["macro_f1_with_absent"] == pytest.approx(2 / 3)
    assert pixel["iou"]["neutrophil"] is None
    assert pixel["dice"]["neutrophil"] is None
    background = (480 - 64) / (480 - 32)
    assert pixel["class_mean_iou"] == pytest.approx((background + 2) / 3)
    assert pixel["class_mean_iou_with_absent"] == pytest.approx((background + 2) / 4)


def test_a_class_is_left_out_of_the_bootstrap_samples_that_do_not_hold_it():
    """A sample without a rare class used to count it as 0: the interval had two peaks."""
    common = squares(SQUARES[0], classes=[1])
    rare = squares(*SQUARES[:2], classes=[1, 2])
    spurious = squares(*SQUARES[:2], classes=[1, 2])
    scores = [score(common, spurious, patient=str(number)) for number in range(11)]
    scores.append(score(rare, rare, patient="rare"))
    intervals = intervals_of(scores, MONUSAC, samples=200)["instance"]
    # with the rare class: its PQ is at most 1 / (1 + 11 / 2); without it only epithelium counts
    assert intervals["mpq_plus"][1] == 1
    assert intervals["mpq_plus_with_absent"][0] == pytest.approx(0.5)
    assert intervals["mpq_plus"][0] > 0.5
    # every sample that says something of the class holds it
    assert intervals["pq_plus"]["lymphocyte"][0] > 0
    assert intervals["spurious"] is None


def test_a_frame_along_the_edges_is_left_out_on_both_sides():
    # 12 × 40 px of 1 µm; the frame is 3 px wide
    inner = (5, 8, 15, 25)
    reference = squares((0, 4, 10, 14), inner, classes=[1, 1])  # 12 of 16 px in the frame
    predicted = squares((9, 12, 10, 14), inner, classes=[2, 1])
    whole = figures(score(reference, predicted, mpp=1.0))
    assert whole["instance"]["bpq"] == pytest.approx(1 / 2)
    framed = score_image(
        reference, predicted, MONUSAC, patient="p", count_other=True, mpp=1.0, edge_um=3.0
    )
    result = figures(framed)
    assert result["instance"]["bpq"] == 1
    assert result["instance"]["pq_plus"]["lymphocyte"] is None
    assert result["pixel"]["iou"]["epithelial"] == pytest.approx(30 / 34)  # a row of the cut one
    assert framed.by_class.pixels.sum() == 6 * 34


def test_a_frame_adds_to_what_is_ignored_and_may_cover_all():
    ignore = np.zeros((12, 40), bool)
    ignore[:, 20:] = True
    given = {"patient": "p", "count_other": True, "mpp": 1.0, "ignore": ignore}
    assert score_image(PERFECT, PERFECT, MONUSAC, edge_um=2.0, **given).ternary.sum() == 8 * 18
    assert score_image(PERFECT, PERFECT, MONUSAC, edge_um=99.0, **given).ternary.sum() == 0
    assert ignore.sum() == 12 * 20  # what was given is as it was
    with pytest.raises(DataError, match="cannot be compared"):
        score_image(PERFECT, PERFECT, MONUSAC, edge_um=2.0, **given | {"ignore": ignore[:5]})


def test_an_image_without_nuclei_on_either_side_is_not_in_the_mean_over_images():
    empty = squares(classes=[])
    assert figures(score(PERFECT, PERFECT), score(empty, empty))["instance"]["bpq"] == 1
    assert figures(score(PERFECT, PERFECT), score(empty, PERFECT))["instance"]["bpq"] == 0.5


def test_a_pq_pools_a_patients_images_and_counts_every_class_that_occurs():
    one = squares(*SQUARES, classes=[1, 1, 1])
    nothing = squares(classes=[])
    invented = squares((0, 4, 0, 4), classes=[2])
    scores = [
        score(one, one, patient="a"),  # class 1: 3 found
        score(one, nothing, patient="a"),  # class 1: 3 missed → pooled 3 / (3 + 1.5)
        score(one, one, patient="b"),  # class 1: 1
        score(nothing, invented, patient="b"),  # class 2: 0 → patient b: (1 + 0) / 2
    ]
    result = figures_of(scores, MONUSAC)["instance"]
    assert result["a_pq"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    # the challenge: a mean over images, and the last has nothing in its reference
    assert result["a_pq_challenge"] == pytest.approx((1 + 0 + 1) / 3)


def test_a_pq_is_made_of_panoptic_quality_not_of_detection():
    # each square shifted by one of its 4 columns: IoU 12 / 20
    shifted = squares(*SQUARES, classes=[1, 2, 0], shift=1)
    result = figures(score(PERFECT, shifted))["instance"]
    assert result["a_pq"] == pytest.approx(0.6)
    assert result["a_pq_challenge"] == pytest.approx(0.6)


def test_the_class_mean_takes_in_background():
    shifted = squares(*SQUARES, classes=[1, 2, 0], shift=1)
    pixel = figures(score(PERFECT, shifted))["pixel"]
    # 480 pixels; two squares of 16 have a class, 4 columns of 4 pixels differ on each side
    background = (480 - 32 - 8) / (480 - 32 + 8)
    assert pixel["iou"]["background"] == pytest.approx(background)
    assert pixel["class_mean_iou"] == pytest.approx((background + 0.6 + 0.6) / 3)
    assert pixel["dice"]["lymphocyte"] == pytest.approx(24 / 32)


def test_patches_weigh_alike_whichever_image_they_are_of():
    large = Nuclei(np.ones((256, 512), np.int32), np.ones(1, np.uint8))  # 3 patches
    small = Nuclei(np.ones((40, 40), np.int32), np.ones(1, np.uint8))  # 1 patch
    wrong = Nuclei(np.zeros((40, 40), np.int32), np.ones(1, np.uint8))
    pixel = figures(score(large, large), score(small, wrong))["pixel"]
    assert pixel["patch_miou_macro"] == pytest.approx(3 / 4)


def test_other_is_neither_right_nor_wrong_where_not_every_nucleus_is_outlined():
    reference = squares(*SQUARES[:2], classes=[1, 2])
    vague = squares(*SQUARES[:2], SQUARES[2], classes=[1, 0, 0])
    everything = score(reference, vague, count_other=True)
    named = score(reference, vague, count_other=False)
    # all predictions: both nuclei found, one spurious
    assert figures(everything)["instance"]["bpq"] == pytest.approx(2 / 2.5)
    # predictions of the four classes: one found; the one called *other* is missed, the *other*
    # nucleus elsewhere is not spurious
    assert figures(named)["instance"]["bpq"] == pytest.approx(1 / 1.5)
    assert figures(named)["instance"]["detection_f1"] == pytest.approx(2 / 3)
    # figures by class do not depend on it, and the confusion matrix shows all
    assert figures(named)["instance"]["f1"] == figures(everything)["instance"]["f1"]
    confusion = np.array(figures(named)["instance"]["confusion"]["counts"])
    assert confusion[1, 4] == 1  # a lymphocyte called *other*
    assert confusion[5, 4] == 1  # an *other* where the reference has nothing


def test_a_four_class_prediction_on_an_other_nucleus_is_a_false_positive_of_its_class():
    reference = squares(*SQUARES[:2], classes=[2, 0])
    predicted = squares(*SQUARES[:2], classes=[2, 2])
    result = figures(score(reference, predicted))["instance"]
    assert result["f1"]["lymphocyte"] == pytest.approx(2 / 3)
    assert result["bpq"] == 1
    assert np.array(result["confusion"]["counts"])[4, 1] == 1


def test_a_reference_without_classes_gives_the_class_blind_figures_only():
    result = figures(score(squares(*SQUARES), PERFECT))
    for path, value in leaves(result):
        blind = path[1] in {
            "bpq", "bpq_plus", "dq", "dq_plus", "sq", "sq_plus", "aji", "aji_plus",
            "detection_f1", "detection_f1_hovernet", "ternary_dice",
        }  # fmt: skip
        assert value == (1 if blind else None)
    assert set(result["instance"]["pq_plus"]) == set(MONUSAC.names)


def test_detection_counts_within_three_micrometres_whatever_the_pixel():
    assert DETECTION_RADIUS_UM == 3
    moved = squares(*SQUARES, classes=[1, 2, 0], shift=5)
    # 5 px are 1.25 µm at 0.25 µm/px and 5 µm at 1 µm/px
    assert figures(score(PERFECT, moved, mpp=0.25))["instance"]["detection_f1"] == 1
    assert figures(score(PERFECT, moved, mpp=1.0))["instance"]["detection_f1"] == 0


def test_the_networks_own_maps_win_over_painted_nuclei():
    class_map = np.zeros((12, 40), np.uint8)
    ternary_map = np.zeros((12, 40), np.uint8)
    result = figures(score(PERFECT, PERFECT, class_map=class_map, ternary_map=ternary_map))
    assert result["pixel"]["iou"]["epithelial"] == 0
    assert result["pixel"]["ternary_dice"]["boundary"] == 0
    assert result["instance"]["bpq"] == 1


def test_ignored_pixels_are_out_of_all_pixel_figures():
    ignore = np.zeros((12, 40), bool)
    ignore[:, 8:] = True
    wrong = squares(SQUARES[0], (0, 4, 10, 14), (6, 12, 15, 25), classes=[1, 1, 1])
    result = figures(score(PERFECT, wrong, ignore=ignore))
    assert result["pixel"]["iou"]["epithelial"] == 1
    assert result["pixel"]["iou"]["background"] == 1
    assert result["pixel"]["ternary_dice"]["boundary"] == 1
    assert result["instance"]["bpq"] == 1


def noisy_scores(patients, images=2):
    rng = np.random.default_rng(5)
    scores = []
    for patient in range(patients):
        for _ in range(images):
            predicted = squares(*SQUARES, classes=rng.integers(0, 3, 3), shift=rng.integers(0, 3))
            scores.append(score(PERFECT, predicted, patient=str(patient)))
    return scores


@pytest.mark.parametrize("patients", [2, 12])
def test_intervals_have_the_figures_keys_and_hold_the_figure(patients):
    scores = noisy_scores(patients)
    result, intervals = figures_of(scores, MONUSAC), intervals_of(scores, MONUSAC, samples=200)
    for table in ("confusion", "vote_confusion", "spurious"):
        assert intervals["instance"].pop(table) is None
        result["instance"].pop(table)
    values = dict(leaves(result))
    assert dict(leaves(intervals)).keys() == values.keys()
    for path, interval in leaves(intervals):
        if values[path] is None:
            continue
        low, high = interval
        assert low <= values[path] <= high


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    scores = noisy_scores(3)
    first = intervals_of(scores, MONUSAC, samples=50, seed=1)
    assert first == intervals_of(scores, MONUSAC, samples=50, seed=1)
    assert first != intervals_of(scores, MONUSAC, samples=50, seed=2)


def test_samples_without_any_nucleus_have_no_say_in_the_interval():
    nothing = score(squares(classes=[]), squares(classes=[]), patient="nobody")
    scores = [score(PERFECT, PERFECT, patient="somebody"), nothing]
    intervals = intervals_of(scores, MONUSAC, samples=50)
    assert intervals["instance"]["bpq"] == [1, 1]
    assert intervals["instance"]["a_pq"] == [1, 1]
    assert intervals["pixel"]["patch_miou_macro"] == [1, 1]


def test_one_image_has_no_interval():
    intervals = intervals_of([score(PERFECT, PERFECT)], MONUSAC, samples=10)
    assert {value for _, value in leaves(intervals)} == {None}


def test_no_image_is_refused():
    with pytest.raises(DataError, match="there is no image to make figures of"):
        figures_of([], MONUSAC)


def test_images_with_and_without_classes_are_not_mixed():
    mixed = [score(PERFECT, PERFECT), score(squares(*SQUARES), PERFECT)]
    with pytest.raises(DataError, match="only 1 of 2 images have classes"):
        figures_of(mixed, MONUSAC)
