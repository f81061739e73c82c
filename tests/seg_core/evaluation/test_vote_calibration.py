import numpy as np
import pytest

from seg_core.classes import MONUSAC, VoteWeight
from seg_core.errors import DataError
from seg_core.evaluation.calibration import (
    Votes,
    calibrate,
    likeliest,
    macro_f1,
    reliability,
    report_of,
    told,
)
from seg_core.labelled.data_sets import DATA_SETS
from seg_core.labelled.labelled_image import Dots, labelled_image
from seg_core.labelled.nuclei import Nuclei
from seg_core.nuclei.vote import calibrated


def drawn(count: int, weights: tuple[VoteWeight, ...], seed: int) -> Votes:
    """Nuclei whose true classes are as likely as the weights say."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet([0.4, 0.4, 0.4], count).astype(np.float32)
    likely = calibrated(shares, weights).astype(np.float64)
    truth = (likely.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return Votes(shares, np.minimum(truth, 2))


def test_the_weights_that_votes_were_drawn_by_are_found_again() -> None:
    truth = (VoteWeight(-1.5, 0.7), VoteWeight(0.8, 1.3))
    found = likeliest({"a": drawn(20_000, truth, 1), "b": drawn(20_000, truth, 2)})
    for each, expected in zip(found, truth, strict=True):
        assert each.bias == pytest.approx(expected.bias, abs=0.1)
        assert each.sharpness == pytest.approx(expected.sharpness, abs=0.1)


def test_a_score_means_what_it_says_afterwards() -> None:
    votes = drawn(20_000, (VoteWeight(-2.0, 0.6), VoteWeight(0.5, 1.0)), 3)
    report = report_of({"a": votes}, likeliest({"a": votes}))["a"]
    assert report["before"]["error"] > 0.08
    assert report["after"]["error"] < 0.02


def test_scores_that_are_true_stay_as_they_are() -> None:
    rng = np.random.default_rng(4)
    shares = rng.dirichlet([0.4, 0.4, 0.4], 20_000).astype(np.float32)
    truth = (shares.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    sets = {"a": Votes(shares, np.minimum(truth, 2))}
    assert calibrate(sets) is None
    report = report_of(sets, None)["a"]
    assert report["after"] == report["before"]


def test_no_set_loses_for_the_sake_of_another() -> None:
    # what is right for nine sets would be wrong for the tenth
    many = {str(k): drawn(3000, (VoteWeight(-3.0), VoteWeight(0.0)), k) for k in range(9)}
    sets = {**many, "tenth": drawn(3000, (VoteWeight(3.0), VoteWeight(0.0)), 99)}
    report = report_of(sets, calibrate(sets))
    for row in report.values():
        assert row["after"]["macro_f1"] >= row["before"]["macro_f1"]
    assert (
        report_of(sets, likeliest(sets))["tenth"]["after"]["macro_f1"]
        < 0.9 * (report["tenth"]["before"]["macro_f1"])
    )


def test_classes_with_a_handful_of_nuclei_do_not_move_the_mean() -> None:
    truth = np.repeat([0, 1, 2], [50, 50, 3])
    called = np.repeat([0, 1, 0], [50, 50, 3])
    assert macro_f1(truth, called) == pytest.approx((2 * 50 / 103 + 1) / 2)


def test_a_set_with_a_handful_of_nuclei_has_no_macro_f1_and_holds_nothing_back() -> None:
    """It was called perfect."""
    few, many = drawn(15, (VoteWeight(), VoteWeight()), 7), drawn(3000, (VoteWeight(-2.0),) * 2, 8)
    sets = {"few": few, "many": many}
    weights = calibrate(sets)
    assert weights == tuple(
        VoteWeight(round(each.bias, 4), round(each.sharpness, 4)) for each in likeliest(sets)
    )
    for when in ("before", "after"):
        assert report_of(sets, weights)["few"][when]["macro_f1"] is None


def test_every_score_falls_into_one_bin() -> None:
    scores = np.array([0.0, 0.5, 0.59, 0.95, 1.0])
    rows = reliability(scores, np.array([True, False, True, True, True]))
    assert sum(row["nuclei"] for row in rows) == 5
    assert [row["right"] for row in rows] == [1.0, 0.5, 1.0]
    assert rows[-1]["score"] == pytest.approx(0.975)


def image():
    instances, class_map = np.zeros((2, 60, 60), np.int32)
    for number, (x, class_id) in enumerate(((5, 2), (25, 5), (45, 6)), start=1):
        instances[20:30, x : x + 10], class_map[20:30, x : x + 10] = number, class_id
    return labelled_image(
        "a", np.zeros((60, 60, 3), np.uint8), instances, class_map, None,
        DATA_SETS["lizard"], MONUSAC, mpp=0.25,
    )  # fmt: skip


def test_votes_are_taken_of_nuclei_that_were_found_and_whose_class_is_known() -> None:
    outlined = image()
    predicted = np.zeros((60, 60), np.int32)
    predicted[20:30, 5:15], predicted[20:30, 25:35], predicted[50:58, 50:58] = 4, 5, 6
    labels, classes = told(outlined, Nuclei(predicted, np.zeros(6, np.uint8)))
    # the eosinophil's class is unknown, the connective nucleus is missed, the last is spurious
    assert (labels.tolist(), classes.tolist()) == ([4], [1])


def test_dots_tell_classes_too() -> None:
    dots = Dots(np.array([[10.0, 25.0], [59.0, 1.0]]), np.array([2, 1], np.uint8))
    dotted = labelled_image(
        "a", np.zeros((60, 60, 3), np.uint8), np.zeros((60, 60), np.int32), None, None,
        DATA_SETS["brca_m2c"], MONUSAC, mpp=0.25,
    )  # fmt: skip
    predicted = np.zeros((60, 60), np.int32)
    predicted[20:30, 5:15] = 7
    labels, classes = told(
        type(dotted)(**{**vars(dotted), "dots": dots}), Nuclei(predicted, np.zeros(7, np.uint8))
    )
    assert (labels.tolist(), classes.tolist()) == ([7], [2])


def test_images_without_classes_or_nuclei_cannot_calibrate() -> None:
    plain = labelled_image(
        "a", np.zeros((9, 9, 3), np.uint8), np.ones((9, 9), np.int32), None, None,
        DATA_SETS["all-nuclei"], MONUSAC,
    )  # fmt: skip
    with pytest.raises(DataError, match="a has no classes"):
        told(plain, Nuclei(np.ones((9, 9), np.int32), np.zeros(1, np.uint8)))
    with pytest.raises(DataError, match="no nucleus was found whose class is known"):
        calibrate({"a": Votes(np.zeros((0, 3), np.float32), np.zeros(0, np.intp))})
