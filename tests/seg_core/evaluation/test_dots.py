from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.classes import MONUSAC
from seg_core.errors import DataError
from seg_core.evaluation.dots import (
    DotScore,
    dot_differences,
    dot_figures,
    dot_intervals,
    score_dots,
)
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.labelled_image import Dots
from seg_core.labelled.nuclei import Nuclei


def dots(*several: tuple[float, float, int]) -> Dots:
    points = np.array([each[:2] for each in several], float).reshape(-1, 2)
    return Dots(points, np.array([each[2] for each in several], np.uint8))


def squares(*several: tuple[int, int, int]) -> Nuclei:
    """Squares of 10 px, each at (x, y) and of a class."""
    labels = np.zeros((100, 100), np.int32)
    for number, (x, y, _) in enumerate(several, start=1):
        labels[y : y + 10, x : x + 10] = number
    return Nuclei(labels, np.array([each[2] for each in several], np.uint8))


def scored(told: Dots, predicted: Nuclei) -> DotScore:
    return score_dots(told, predicted, MONUSAC, mpp=0.25, patient="p")


def test_dots_are_counted_by_what_they_are_and_what_they_are_called() -> None:
    score = scored(
        dots((15, 15, 2), (45, 15, 2), (75, 15, 0), (15, 75, 1), (90, 90, 1)),
        squares((10, 10, 2), (40, 10, 1), (70, 10, 0), (10, 70, 1), (40, 40, 2)),
    )
    figures = dot_figures([score], MONUSAC)
    assert figures["called"]["counts"][1] == [1, 1, 0, 0, 0, 0]
    assert figures["called"]["counts"][4] == [0, 0, 0, 0, 1, 0]
    assert figures["called"]["counts"][0] == [1, 0, 0, 0, 0, 1]
    assert figures["detected"] == pytest.approx(4 / 5)
    assert figures["recall"]["lymphocyte"] == pytest.approx(1 / 2)
    # one of two lymphocytes has a lymphocyte's dot; the other has none at all
    assert figures["precision"]["lymphocyte"] == pytest.approx(1 / 2)
    assert figures["f1"]["lymphocyte"] == pytest.approx(1 / 2)
    assert figures["f1"]["other"] == 1
    assert figures["f1"]["neutrophil"] is None
    assert figures["predicted"] == {
        "epithelial": 2, "lymphocyte": 2, "neutrophil": 0, "macrophage": 0, "other": 1,
    }  # fmt: skip


def test_a_class_without_dots_has_no_precision_however_often_it_is_called() -> None:
    """It had one of 0, as if all of its nuclei were known to be wrong."""
    told = dots((15, 15, 2))
    without, with_calls = (
        scored(told, squares((10, 10, 2), *more)) for more in ([], [(40, 40, 3), (60, 60, 0)])
    )
    figures = dot_figures([with_calls], MONUSAC)
    assert figures["predicted"]["neutrophil"] == 1
    for kind in ("recall", "precision", "f1"):
        assert figures[kind] == dot_figures([without], MONUSAC)[kind]
        assert [figures[kind][name] for name in ("neutrophil", "other")] == [None, None]
        assert figures[kind]["lymphocyte"] == 1
    several = [replace(with_calls, patient=str(number)) for number in range(12)]
    assert dot_intervals(several, MONUSAC, samples=20)["precision"]["neutrophil"] is None


def test_a_nucleus_is_found_by_one_dot_only_and_that_is_the_nearest_to_its_middle() -> None:
    score = scored(dots((11, 11, 1), (15, 15, 2)), squares((10, 10, 2)))
    assert score.called[1].tolist() == [0, 1, 0, 0, 0, 0]
    assert score.called[0].tolist() == [0, 0, 0, 0, 0, 1]


def test_a_dot_finds_a_nucleus_within_three_micrometres() -> None:
    for away, found in ((11, 1), (14, 0)):
        score = scored(dots((19.5 + away, 15.5, 2)), squares((10, 10, 2)))
        assert score.called[1, 1] == found


def test_dots_of_unknown_class_do_not_count_and_no_nucleus_is_an_answer() -> None:
    score = scored(dots((15, 15, UNKNOWN), (50, 50, 1)), squares((10, 10, 2)))
    assert score.called.sum() == 1
    nothing = Nuclei(np.zeros((100, 100), np.int32), np.zeros(0, np.uint8))
    assert dot_figures([scored(dots((15, 15, 1)), nothing)], MONUSAC)["detected"] == 0


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=9, unique=True), st.data()
)
def test_dots_in_the_middle_of_every_nucleus_are_all_right(places, data) -> None:
    kinds = [data.draw(st.integers(0, 4)) for _ in places]
    told = dots(*[(11 * x + 5, 11 * y + 5, k) for (x, y), k in zip(places, kinds, strict=True)])
    predicted = squares(*[(11 * x, 11 * y, k) for (x, y), k in zip(places, kinds, strict=True)])
    score = scored(told, predicted)
    assert score.called[:, :-1].trace() == len(places) == score.predicted.sum()


def test_intervals_hold_the_figure_and_narrow_with_more_patients() -> None:
    rng = np.random.default_rng(3)

    def patients(count: int) -> list[DotScore]:
        scores = []
        for number in range(count):
            called = np.zeros((5, 6), np.int64)
            called[1] = rng.multinomial(40, [0.1, 0.8, 0, 0, 0.05, 0.05])
            scores.append(DotScore(str(number), called, called[:, :5].sum(axis=0)))
        return scores

    widths = []
    for count in (5, 40):
        scores = patients(count)
        low, high = dot_intervals(scores, MONUSAC, samples=200)["recall"]["lymphocyte"]
        assert low < dot_figures(scores, MONUSAC)["recall"]["lymphocyte"] < high
        widths.append(high - low)
    assert widths[1] < widths[0]
    assert dot_intervals(scores[:1], MONUSAC)["detected"] is None


def patients_with(right: list[int], *, of: int = 40) -> list[DotScore]:
    """A patient an entry: lymphocytes, so many of them called so and the others missed."""
    scores = []
    for number, hits in enumerate(right):
        called = np.zeros((5, 6), np.int64)
        called[1, [1, 5]] = hits, of - hits
        scores.append(DotScore(str(number), called, called[:, :5].sum(axis=0)))
    return scores


def test_a_difference_on_dots_is_paired_so_what_is_hard_for_both_cancels() -> None:
    """Ten patients from easy to hard; the second answer finds four dots more in each of them."""
    hits = [3 * number for number in range(1, 11)]
    first, second = patients_with(hits), patients_with([each + 4 for each in hits])
    difference, interval = dot_differences(first, second, MONUSAC, samples=200)
    assert difference["detected"] == pytest.approx(4 / 40)
    assert difference["recall"]["lymphocyte"] == pytest.approx(4 / 40)
    assert interval["detected"] == pytest.approx([4 / 40, 4 / 40])
    low, high = dot_intervals(first, MONUSAC, samples=200)["detected"]
    assert high - low > 0.2, "unpaired the patients differ"
    assert difference["f1"]["neutrophil"] is None
    assert interval["f1"]["neutrophil"] is None


def test_a_difference_on_dots_needs_the_same_images_and_several_for_an_interval() -> None:
    one = patients_with([20])
    assert dot_differences(one, one, MONUSAC)[1]["detected"] is None
    with pytest.raises(DataError, match="on the same images"):
        dot_differences(one, patients_with([20, 30]), MONUSAC)


def test_a_nucleus_that_a_dot_of_unknown_class_finds_is_neither_right_nor_wrong() -> None:
    """It counted as one without a dot, which cost precision and the F1 of detection."""
    score = scored(
        dots((15, 15, 2), (45, 15, UNKNOWN), (12, 12, UNKNOWN)),
        squares((10, 10, 2), (40, 10, 2)),
    )
    figures = dot_figures([score], MONUSAC)
    assert figures["predicted"]["lymphocyte"] == 1
    assert figures["precision"]["lymphocyte"] == figures["detection_f1"] == 1
