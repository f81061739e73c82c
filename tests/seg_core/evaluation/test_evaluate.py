"""A model is measured by what it shows on labelled images."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from painted_images import (
    CARD,
    FP32,
    REFERENCE,
    SHOWN,
    command,
    write_image,
)
from PIL import Image

from seg_core.errors import DataError
from seg_core.evaluation import card_figures
from seg_core.evaluation import evaluate as evaluate_module
from seg_core.evaluation.evaluate import evaluate, evaluate_predictions
from seg_core.evaluation.prediction import (
    predict_image,
)
from seg_core.evaluation.scan import Scan
from seg_core.model.card import read_card
from seg_core.samples import sample_path
from seg_core.slide import ArraySlide, find_tissue, fit_stain

pytestmark = pytest.mark.usefixtures("painted_model")


def test_a_model_is_measured_by_what_it_shows(data):
    result = evaluate(data, "painted", FP32)
    assert (result["images"], result["patients"]) == (2, 2)
    assert result["reference"] == {
        "epithelial": 4, "lymphocyte": 4, "neutrophil": 0, "macrophage": 2, "other": 0,
    }  # fmt: skip
    assert result["predicted"] == {
        "epithelial": 3, "lymphocyte": 4, "neutrophil": 1, "macrophage": 2, "other": 1,
    }  # fmt: skip
    assert result["instance"]["confusion"]["counts"] == [
        [3, 0, 0, 0, 0, 1],
        [0, 3, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 2, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 1, 0],
    ]
    f1 = result["instance"]["f1"]
    assert f1["epithelial"] == pytest.approx(6 / 7)
    assert f1["lymphocyte"] == pytest.approx(6 / 8)
    assert f1["neutrophil"] is None  # the reference has none
    assert result["instance"]["spurious"]["neutrophil"] == 1
    assert f1["macrophage"] == 1
    # image 1: 4 found of 5, the lymphocyte is spurious, *other* is not; image 2: all found
    assert result["instance"]["dq"] == pytest.approx((8 / 10 + 1) / 2)
    assert result["instance"]["sq"] > 0.97
    assert result["pixel"]["iou"]["macrophage"] == 1
    assert result["protocol"]["outlines"] == "named classes only"
    assert "a nucleus called other is not spurious" in result["protocol"]["explanation"]
    json.dumps(result, allow_nan=False)


def test_the_result_says_who_answered_and_how(data):
    result = evaluate(data, None, FP32)
    assert result["model"] == {"name": "painted", "sha256": "0" * 64}
    assert (result["engine"], result["precision"]) == ("painted", "fp32")
    assert result["settings"] == FP32.to_json()
    assert result["mpp"] == 0.25
    assert result["mpp_of_files"] == []
    assert result["bootstrap"] == {
        "samples": 1000, "seed": 20201, "over": "patients, then their images", "rough": True,
    }  # fmt: skip
    assert [each["name"] for each in result["per_image"]] == ["TCGA-AA-0001_1", "TCGA-AA-0002_1"]
    assert result["per_image"][1]["detection_f1"] == 1
    assert result["interval95"]["instance"]["f1"]["macrophage"] == [1, 1]


def test_images_are_normalised_where_asked_and_the_result_names_those_that_could_not_be(
    tmp_path, monkeypatch
):
    real = np.asarray(Image.open(sample_path("hgsc_nest")))[:400, :400]
    blank = np.full((400, 400, 3), 255, np.uint8)
    for name, image in (("a", real), ("b", blank)):
        write_image(tmp_path, name, SHOWN, REFERENCE)
        Image.fromarray(image[:150, :200]).save(tmp_path / "images" / f"{name}.png")
    answered = []

    def predict(image, *arguments, **options):
        answered.append(image)
        return predict_image(image, *arguments, **options)

    monkeypatch.setattr(evaluate_module, "predict_image", predict)
    result = evaluate(tmp_path, None, replace(FP32, stain="macenko"))
    slide = ArraySlide(real[:150, :200], mpp=0.25)
    fit = fit_stain(slide, find_tissue(slide), "macenko")
    assert np.array_equal(answered[0], fit.normalise(real[:150, :200]))
    assert np.array_equal(answered[1], blank[:150, :200])
    (warning,) = result["warnings"]
    assert warning.startswith("b: no stain can be learned from 0 stained pixels")
    assert evaluate(tmp_path, None, FP32)["warnings"] == []


def test_ten_patients_are_drawn_whole_and_the_interval_is_not_rough(tmp_path):
    for number in range(10):
        write_image(tmp_path, f"TCGA-AA-{number:04}_1", REFERENCE, REFERENCE)
    bootstrap = evaluate(tmp_path, None, FP32)["bootstrap"]
    assert bootstrap["over"] == "patients"
    assert not bootstrap["rough"]


def test_where_every_nucleus_is_outlined_other_counts(tmp_path):
    with_other = (*REFERENCE, (80, 90, 0))
    write_image(tmp_path, "a", SHOWN, with_other)
    result = evaluate(tmp_path, None, FP32)
    assert result["reference"]["other"] == result["predicted"]["other"] == 1
    # found: 4 of the named, and the *other*; spurious: the lymphocyte; missed: 1
    assert result["instance"]["dq"] == pytest.approx(10 / 12)
    assert result["protocol"]["class_blind_predictions"] == "all"
    assert "because the reference outlines every nucleus" in result["protocol"]["explanation"]


def test_without_classes_there_are_class_blind_figures_only(tmp_path):
    write_image(tmp_path, "a", SHOWN, REFERENCE, classes=False)
    (tmp_path / "class").rmdir()
    result = evaluate(tmp_path, None, FP32)
    assert set(result["reference"].values()) == {None}
    assert result["instance"]["mpq_plus"] is None
    assert result["instance"]["confusion"] is None
    assert set(result["pixel"]["iou"].values()) == {None}
    # 4 found of 5; the lymphocyte and the *other* are both spurious here
    assert result["instance"]["dq"] == pytest.approx(8 / 11)


def test_ids_of_another_data_set_are_named_by_an_option(tmp_path):
    # CoNSeP's 3 is epithelial, 2 lymphocyte, 4 *other*, and 1 is to be ignored
    shown = ((30, 30, 1), (80, 30, 2), (130, 30, 0), (30, 90, 2))
    reference = ((30, 30, 3), (80, 30, 2), (130, 30, 4), (30, 90, 1))
    write_image(tmp_path, "a", shown, reference)
    result = evaluate(tmp_path, None, FP32, classes="consep")
    assert result["reference"] == {
        "epithelial": 1, "lymphocyte": 1, "neutrophil": 0, "macrophage": 0, "other": 1,
    }  # fmt: skip
    assert result["instance"]["bpq"] > 0.97
    assert result["instance"]["macro_f1"] == 1
    assert result["pixel"]["class_mean_iou"] > 0.97


def test_images_at_20x_are_enlarged_and_measured_on_the_models_pixels(tmp_path):
    # Lizard's 1 is neutrophil, 2 epithelial, 4 plasma cell, 5 eosinophil, 6 connective
    shown = ((30, 30, 3), (80, 30, 1), (130, 30, 2), (30, 90, 0), (80, 90, 2))
    reference = ((30, 30, 1), (80, 30, 2), (130, 30, 4), (30, 90, 6), (80, 90, 5))
    write_image(tmp_path, "a", shown, reference)
    predictions = tmp_path / "predictions"
    result = evaluate(tmp_path, None, FP32, classes="lizard", predictions=predictions)
    assert result["mpp"] == 0.25
    assert result["protocol"]["boundary_px"] == 3
    assert result["reference"] == {
        "epithelial": 1, "lymphocyte": 1, "neutrophil": 1, "macrophage": 0, "other": 1,
    }  # fmt: skip
    assert result["instance"]["confusion"]["counts"][4][4] == 1
    assert result["instance"]["macro_f1"] == 1
    assert result["instance"]["bpq"] > 0.85
    again = evaluate_predictions(tmp_path, predictions, classes="lizard")
    assert again["instance"] == result["instance"]


def write_dots(folder, *rows):
    text = "".join(f"a,{x},{y},{name}\n" for x, y, name in rows)
    (folder / "points.csv").write_text(f"image,x_px,y_px,class\n{text}")


def test_dots_measure_what_nuclei_are_called(tmp_path, capsys):
    write_image(tmp_path, "a", SHOWN, REFERENCE)
    for kind in ("inst", "class"):
        (tmp_path / kind / "a.png").unlink()
        (tmp_path / kind).rmdir()
    write_dots(tmp_path, (30, 30, "epithelial"), (80, 30, "epithelial"), (150, 100, "lymphocyte"))
    result = evaluate(tmp_path, None, FP32, classes="brca_m2c")
    assert result["dots"]["detected"] == 1
    assert result["dots"]["recall"]["epithelial"] == pytest.approx(1 / 2)
    # two are called lymphocyte and have a dot, one of them a lymphocyte's
    assert result["dots"]["f1"]["lymphocyte"] == pytest.approx(2 / 3)
    assert result["interval95"]["dots"]["detected"] is None
    assert result["per_image"][0]["recall"]["lymphocyte"] == 1
    json.dumps(result, allow_nan=False)
    assert command("--data", tmp_path, "--classes", "brca_m2c") == 0
    assert "f1 lymphocyte           0.667" in capsys.readouterr().out


def test_figures_against_dots_are_kept_in_the_card(tmp_path, monkeypatch):
    write_image(tmp_path, "a", SHOWN, REFERENCE)
    for kind in ("inst", "class"):
        (tmp_path / kind / "a.png").unlink()
        (tmp_path / kind).rmdir()
    write_dots(tmp_path, (30, 30, "epithelial"))
    weights = tmp_path / "painted.safetensors"
    monkeypatch.setattr(card_figures, "find_model", lambda _: (CARD, weights))
    command("--data", tmp_path, "--classes", "brca_m2c", "--card-entry", "dots")
    kept = read_card(weights.with_suffix(".json")).metrics["dots"]
    assert kept["dots"]["recall"]["epithelial"] == 1
    assert kept["command"].endswith(" --classes brca_m2c")


def test_a_folder_without_dots_is_refused_where_dots_are_meant(data):
    with pytest.raises(DataError, match=r"data has no points\.csv, and dots are what BRCA-M2C has"):
        evaluate(data, None, FP32, classes="brca_m2c")


def test_images_can_be_shown_as_a_coarser_scan_with_the_same_labels(data, tmp_path):
    target = tmp_path / "figures.json"
    command("--data", data, "--reduce", 2, "--jpeg", 90, "--json", target)
    coarse, fine = json.loads(target.read_text()), evaluate(data, None, FP32)
    assert coarse["scanned"] == {"reduced": 2, "jpeg": 90}
    assert fine["scanned"] == {"reduced": 1, "jpeg": None}
    assert coarse["mpp"] == fine["mpp"] == 0.25
    assert 0.3 < coarse["instance"]["bpq"] < fine["instance"]["bpq"]
    assert evaluate(data, None, FP32, scanned=Scan(jpeg=10))["pixel"] != fine["pixel"]


def test_progress_is_told_image_by_image(data):
    told = []
    evaluate(data, None, FP32, report=lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_the_boundary_of_a_coarse_reference_is_as_thick_in_micrometres(data):
    assert evaluate(data, None, FP32)["protocol"]["boundary_px"] == 3
    assert evaluate(data, None, FP32, mpp=0.4)["protocol"]["boundary_px"] == 2
    assert evaluate(data, None, FP32, mpp=2.0)["protocol"]["boundary_px"] == 1


def test_nuclei_that_the_edge_cuts_can_be_left_out(data, tmp_path):
    cut = np.full((150, 200), 0, np.int32)
    cut[:10, :10] = 1  # 2.5 µm from the edge
    for number in ("1", "2"):
        cv2.imwrite(str(data / "inst" / f"TCGA-AA-000{number}_1.png"), cut.astype(np.uint16))
    whole = evaluate(data, "painted", FP32, edge_um=0)
    assert whole["instance"]["confusion"]["counts"][4][5] == 2
    described = evaluate(data, "painted", FP32)  # MoNuSAC outlines few of the nuclei that are cut
    assert described["protocol"]["edge_um"] == 3
    assert described["instance"]["confusion"]["counts"][4][5] == 0
    target = tmp_path / "framed.json"
    command("--data", data, "--edge", "3", "--json", target)
    framed = json.loads(target.read_text(encoding="utf-8"))
    assert np.array(framed["instance"]["confusion"]["counts"])[:5].sum() == 0
    assert framed["protocol"]["edge_um"] == 3
    write_image(tmp_path / "theirs", "a", REFERENCE, REFERENCE)
    theirs = evaluate_predictions(tmp_path / "theirs", tmp_path / "theirs", edge_um=99)
    assert theirs["instance"]["bpq"] is None
