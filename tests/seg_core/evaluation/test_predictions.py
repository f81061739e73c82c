"""What was predicted is written, read again and measured, ours and another program's."""

import cv2
import numpy as np
import pytest
from painted_images import (
    FP32,
    REFERENCE,
    SHOWN,
    PaintedEngine,
    discs,
    paint,
    write_image,
)

from seg_core.classes import BACKGROUND, BOUNDARY, INSIDE, MONUSAC
from seg_core.errors import DataError, ExportError
from seg_core.evaluation.evaluate import evaluate, evaluate_predictions
from seg_core.evaluation.prediction import (
    Prediction,
    predict_image,
    read_prediction,
    write_prediction,
)
from seg_core.labelled.nuclei import Nuclei, majority_class_ids
from seg_core.nuclei.ternary import ternary_of
from tests.files_found import files_found

pytestmark = pytest.mark.usefixtures("painted_model")


def test_predictions_of_another_program_on_20x_are_measured_on_their_own_pixels(tmp_path):
    write_image(tmp_path, "a", REFERENCE, REFERENCE)
    labels, class_ids = discs(*REFERENCE)
    write_prediction(Prediction(Nuclei(labels, class_ids)), tmp_path / "theirs", "a")
    result = evaluate_predictions(tmp_path, tmp_path / "theirs", classes="lizard")
    assert result["mpp"] == 0.5
    assert result["instance"]["bpq"] == 1


def test_predictions_written_and_read_again_give_the_same_figures(data, tmp_path):
    predictions = tmp_path / "predictions"
    result = evaluate(data, None, FP32, predictions=predictions)
    again = evaluate_predictions(data, predictions)
    assert {path.name for path in predictions.iterdir()} == {"inst", "class", "semantic", "ternary"}
    for key in again:
        assert again[key] == result[key]


@pytest.mark.parametrize("by_link", [False, True])
def test_predictions_do_not_take_the_place_of_the_labels(data, tmp_path, by_link):
    """The layout is the same: every label was lost, and the figures were those of the model."""
    before = {path: path.read_bytes() for path in files_found(data, "*/*.png")}
    folder = data / ".." / data.name
    if by_link:
        folder = tmp_path / "predictions"
        folder.mkdir()
        (folder / "class").symlink_to(data / "class")
    with pytest.raises(ExportError, match="holds the labels themselves"):
        evaluate(data, None, FP32, predictions=folder)
    assert {path: path.read_bytes() for path in files_found(data, "*/*.png")} == before


def test_predictions_of_another_program_need_no_maps(data, tmp_path):
    predictions = tmp_path / "predictions"
    result = evaluate(data, None, FP32, predictions=predictions)
    for kind in ("semantic", "ternary"):
        for path in files_found(predictions / kind, "*"):
            path.unlink()
        (predictions / kind).rmdir()
    again = evaluate_predictions(data, predictions)
    assert again["instance"] == result["instance"]
    assert again["pixel"]["iou"]["macrophage"] == pytest.approx(1, abs=0.01)


def test_the_references_themselves_are_a_perfect_prediction(shared_data):
    folder = shared_data / "monusac" / "val"
    result = evaluate_predictions(folder, folder)
    assert result["images"] == 11
    assert result["patients"] == 3
    for key in ("bpq", "bpq_plus", "aji_plus", "detection_f1", "mpq_plus", "macro_f1", "a_pq"):
        assert result["instance"][key] == 1
    assert result["pixel"]["class_mean_iou"] == 1
    assert result["pixel"]["ternary_dice"] == {"inside": 1, "boundary": 1}
    assert sum(result["reference"].values()) == 1501  # of 1559, the others lie in the rim


def test_an_image_at_another_resolution_is_answered_on_its_own_pixels():
    labels, class_ids = discs((60, 60, 1), (120, 60, 2), radius=20)
    image = paint(labels, class_ids)
    fine = predict_image(image, 0.25, 0.25, PaintedEngine(), FP32, MONUSAC)
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST)
    coarse = predict_image(half, 0.5, 0.25, PaintedEngine(), FP32, MONUSAC)
    assert coarse.nuclei.labels.shape == half.shape[:2]
    assert coarse.nuclei.class_ids.tolist() == fine.nuclei.class_ids.tolist() == [1, 2]
    agree = coarse.nuclei.class_map() == fine.nuclei.class_map()[::2, ::2]
    assert agree.mean() > 0.97


@pytest.mark.parametrize("side", [1, 31])
def test_the_smallest_images_are_ordinary_ones(side):
    prediction = predict_image(
        np.full((side, side, 3), 0, np.uint8), 0.25, 0.25, PaintedEngine(), FP32, MONUSAC
    )
    assert prediction.nuclei.labels.shape == (side, side)
    assert not prediction.nuclei.labels.any()


def test_a_prediction_survives_its_files(tmp_path):
    labels, class_ids = discs(*SHOWN)
    ternary = ternary_of(labels)
    assert set(np.unique(ternary)) == {BACKGROUND, INSIDE, BOUNDARY}
    before = Prediction(Nuclei(labels, class_ids), Nuclei(labels, class_ids).class_map(), ternary)
    write_prediction(before, tmp_path, "a")
    after = read_prediction(tmp_path, "a")
    np.testing.assert_array_equal(after.nuclei.labels, labels)
    np.testing.assert_array_equal(after.nuclei.class_ids, class_ids)
    np.testing.assert_array_equal(after.class_map, before.class_map)
    np.testing.assert_array_equal(after.ternary_map, ternary)
    np.testing.assert_array_equal(majority_class_ids(labels, after.class_map), class_ids)


def test_more_nuclei_than_a_png_can_number_are_refused(tmp_path):
    many = Nuclei(np.array([[70000]]), np.zeros(70000, np.uint8))
    with pytest.raises(ExportError, match="a has more than 65535 nuclei"):
        write_prediction(Prediction(many), tmp_path, "a")


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    nuclei = Nuclei(np.array([[1]]), np.ones(1, np.uint8))
    with pytest.raises(ExportError, match=r"a\.png cannot be written .*; choose another place"):
        write_prediction(Prediction(nuclei), tmp_path / "file", "a")


def test_masks_of_a_prediction_that_differ_in_size_are_refused(tmp_path):
    for kind, side in (("inst", 4), ("class", 5)):
        (tmp_path / kind).mkdir()
        cv2.imwrite(str(tmp_path / kind / "a.png"), np.zeros((side, side), np.uint8))
    with pytest.raises(DataError, match=r"masks of a in inst/ and class/ of .* differ in size"):
        read_prediction(tmp_path, "a")


def test_a_missing_prediction_is_named(data, tmp_path):
    with pytest.raises(DataError, match=r"inst/TCGA-AA-0001_1\.png is missing"):
        evaluate_predictions(data, tmp_path)


def test_a_prediction_of_another_size_names_its_image(data, tmp_path):
    for name in ("TCGA-AA-0001_1", "TCGA-AA-0002_1"):
        write_prediction(
            Prediction(Nuclei(np.zeros((9, 9), int), np.zeros(0, np.uint8))), tmp_path, name
        )
    with pytest.raises(DataError, match=r"TCGA-AA-0001_1: nuclei on .* cannot be compared"):
        evaluate_predictions(data, tmp_path)
