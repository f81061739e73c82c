import argparse
import json
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_core.classes import BACKGROUND, BOUNDARY, INSIDE, MONUSAC, OTHER
from seg_core.commands import main
from seg_core.commands.evaluate import add_evaluate
from seg_core.errors import DataError, ExportError, ModelError
from seg_core.evaluation import card_figures
from seg_core.evaluation import evaluate as evaluate_module
from seg_core.evaluation.evaluate import evaluate, evaluate_predictions
from seg_core.evaluation.metrics import intervals_of
from seg_core.evaluation.prediction import (
    Prediction,
    predict_image,
    read_prediction,
    write_prediction,
)
from seg_core.evaluation.scan import Scan
from seg_core.labelled.nuclei import Nuclei, majority_class_ids
from seg_core.model import ModelCard
from seg_core.model.card import read_card
from seg_core.nuclei.ternary import ternary_of
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide, find_tissue, fit_stain

FP32 = AnalysisSettings(precision="fp32")
CARD = ModelCard("painted", "painted.safetensors", "0" * 64, "none", 0.25, (0.5,) * 3, (0.5,) * 3)
LEVEL = 40  # grey levels between two classes, and between inside and boundary


class PaintedEngine:
    """Reads class and ternary value of a pixel from its red and green, as `paint` puts them there."""

    name, precision = "painted", "fp32"

    def run(self, tiles):
        for number, tile in tiles:
            # resampling overshoots
            values = np.minimum(np.round(tile[..., :2] / LEVEL).astype(int), [4, 2])
            semantic = np.eye(5, dtype=np.float32)[values[..., 0]]
            ternary = np.eye(3, dtype=np.float32)[values[..., 1]]
            yield number, 9 * np.concatenate([semantic, ternary], axis=2).transpose(2, 0, 1)


def paint(labels, class_ids):
    """Return the image that the painted engine answers with these nuclei."""
    class_map = Nuclei(labels, class_ids).class_map()
    return np.stack([class_map * LEVEL, ternary_of(labels) * LEVEL, class_map * 0], axis=2)


def discs(*nuclei, shape=(150, 200), radius=12):
    """Draw a disc for each (x, y, class)."""
    labels = np.zeros(shape, np.int32)
    for label, (x, y, _) in enumerate(nuclei, start=1):
        cv2.circle(labels, (x, y), radius, label, -1)
    return labels, np.array([class_id for *_, class_id in nuclei], np.uint8)


SHOWN = ((30, 30, 1), (80, 30, 2), (130, 30, 3), (30, 90, 4), (80, 90, 0), (150, 100, 2))
REFERENCE = ((30, 30, 1), (80, 30, 2), (130, 30, 2), (30, 90, 4), (170, 40, 1))
# The image shows class 3 where the reference says 2, nothing where it has its last, one *other*
# where it has nothing, and a lymphocyte too many.


def write_image(folder, name, shown, reference, classes=True):
    labels, class_ids = discs(*reference)
    for kind in ("images", "inst", "class"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    Image.fromarray(paint(*discs(*shown))).save(folder / "images" / f"{name}.png")
    cv2.imwrite(str(folder / "inst" / f"{name}.png"), labels.astype(np.uint16))
    if classes:
        cv2.imwrite(str(folder / "class" / f"{name}.png"), Nuclei(labels, class_ids).class_map())


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    write_image(folder, "TCGA-AA-0001_1", SHOWN, REFERENCE)
    write_image(folder, "TCGA-AA-0002_1", REFERENCE, REFERENCE)
    return folder


@pytest.fixture(autouse=True)
def painted_model(monkeypatch):
    def find(name):
        if name not in (None, "painted"):
            raise ModelError(f"there is no model {name!r}.")
        return CARD, None

    monkeypatch.setattr(evaluate_module, "find_model", find)
    monkeypatch.setattr(evaluate_module, "make_engine", lambda *_: PaintedEngine())
    # fewer samples than the thousand of real use, which take seconds
    monkeypatch.setattr(evaluate_module, "intervals_of", partial(intervals_of, samples=20))


def command(*arguments):
    parser = argparse.ArgumentParser()
    add_evaluate(parser.add_subparsers())
    options = parser.parse_args(["evaluate", *map(str, arguments)])
    return options.run(options)


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

    def predict(image, *arguments):
        answered.append(image)
        return predict_image(image, *arguments)

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


def test_predictions_of_another_program_on_20x_are_measured_on_their_own_pixels(tmp_path):
    write_image(tmp_path, "a", REFERENCE, REFERENCE)
    labels, class_ids = discs(*REFERENCE)
    write_prediction(Prediction(Nuclei(labels, class_ids)), tmp_path / "theirs", "a")
    result = evaluate_predictions(tmp_path, tmp_path / "theirs", classes="lizard")
    assert result["mpp"] == 0.5
    assert result["instance"]["bpq"] == 1


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


@pytest.mark.parametrize("text", ["0", "-1", "101", "two"])
def test_a_reduction_or_quality_that_cannot_be_is_wrong_use(data, text, capsys):
    for option in ("--reduce", "--jpeg"):
        with pytest.raises(SystemExit, match="2"):
            command("--data", data, f"{option}={text}")
        assert "give a whole number, 1 to 100" in capsys.readouterr().err


def test_progress_is_told_image_by_image(data):
    told = []
    evaluate(data, None, FP32, report=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_predictions_written_and_read_again_give_the_same_figures(data, tmp_path):
    predictions = tmp_path / "predictions"
    result = evaluate(data, None, FP32, predictions=predictions)
    again = evaluate_predictions(data, predictions)
    assert {path.name for path in predictions.iterdir()} == {"inst", "class", "semantic", "ternary"}
    for key in again:
        assert again[key] == result[key]


def test_predictions_of_another_program_need_no_maps(data, tmp_path):
    predictions = tmp_path / "predictions"
    result = evaluate(data, None, FP32, predictions=predictions)
    for kind in ("semantic", "ternary"):
        for path in (predictions / kind).iterdir():
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


def test_the_boundary_of_a_coarse_reference_is_as_thick_in_micrometres(data):
    assert evaluate(data, None, FP32)["protocol"]["boundary_px"] == 3
    assert evaluate(data, None, FP32, mpp=0.4)["protocol"]["boundary_px"] == 2
    assert evaluate(data, None, FP32, mpp=2.0)["protocol"]["boundary_px"] == 1


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


def test_the_command_writes_the_figures_into_a_file(data, tmp_path, capsys):
    target = tmp_path / "figures.json"
    assert command("--data", data, "--json", target, "--predictions", tmp_path / "p") == 0
    result = json.loads(target.read_text(encoding="utf-8"))
    assert result["images"] == 2
    assert (tmp_path / "p" / "inst" / "TCGA-AA-0001_1.png").is_file()
    said = capsys.readouterr().out
    assert "2 images of 2 patients; figures with 95 % intervals (rough: few patients)" in said
    assert f"bpq                     {result['instance']['bpq']:.3f}" in said
    assert "neutrophil              none in the reference, 1 spurious" in said


def test_json_alone_is_the_last_line_of_stdout(data, capsys):
    assert command("--data", data, "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["patients"] == 2


def test_figures_that_cannot_be_had_are_not_in_the_words(tmp_path, capsys):
    write_image(tmp_path, "a", SHOWN, REFERENCE, classes=False)
    (tmp_path / "class").rmdir()
    assert command("--data", tmp_path) == 0
    said = capsys.readouterr().out
    assert "detection_f1" in said
    assert "mpq_plus" not in said
    assert OTHER not in said


def test_the_command_is_in_fp32_unless_told_otherwise(data, tmp_path):
    for arguments, precision in (((), "fp32"), (("--precision", "bf16"), "bf16")):
        target = tmp_path / f"{precision}.json"
        command("--data", data, "--json", target, *arguments)
        assert json.loads(target.read_text())["settings"]["precision"] == precision


@pytest.mark.parametrize("text", ["0", "-1", "wide", "nan", "inf"])
def test_a_pixel_size_that_cannot_be_is_wrong_use(data, text, capsys):
    with pytest.raises(SystemExit, match="2"):
        command("--data", data, f"--mpp={text}")
    assert "is no size; give µm per pixel" in capsys.readouterr().err


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


@pytest.mark.parametrize("text", ["-1", "wide", "nan", "inf"])
def test_a_frame_that_cannot_be_is_wrong_use(data, text, capsys):
    with pytest.raises(SystemExit, match="2"):
        command("--data", data, f"--edge={text}")
    assert "is no width; give µm" in capsys.readouterr().err


def test_figures_are_kept_in_the_card_beside_those_it_has(data, tmp_path, monkeypatch):
    weights = tmp_path / "painted.safetensors"
    card = replace(CARD, metrics={"older": 1})
    monkeypatch.setattr(card_figures, "find_model", lambda _: (card, weights))
    result = tmp_path / "figures.json"
    command("--data", data, "--card-entry", "two", "--overlap", 128, "--json", result)
    metrics = read_card(weights.with_suffix(".json")).metrics
    assert metrics["older"] == 1
    kept, printed = metrics["two"], json.loads(result.read_text(encoding="utf-8"))
    parts = "/".join(data.parts[-2:])
    assert kept["command"] == f"python -m seg_core evaluate --data {parts} --overlap 128"
    assert kept["instance"]["bpq"] == round(printed["instance"]["bpq"], 4)
    assert kept["settings"]["overlap_px"] == 128


def test_an_unknown_model_is_the_models_own_sentence(data):
    with pytest.raises(ModelError, match="there is no model 'x'"):
        command("--data", data, "--model", "x")


def test_the_command_is_one_of_the_programs(tmp_path, capsys):
    assert main(["evaluate", "--data", str(tmp_path / "nowhere")]) == 1
    assert "there is no folder nowhere" in capsys.readouterr().err
