"""The command that measures a model, and what it keeps in the card."""

import json
from dataclasses import replace

import pytest
from painted_images import CARD, REFERENCE, SHOWN, command, write_image

from seg_core.classes import OTHER
from seg_core.commands import main
from seg_core.errors import ModelError
from seg_core.evaluation import card_figures
from seg_core.model.card import read_card

pytestmark = pytest.mark.usefixtures("painted_model")


@pytest.mark.parametrize("text", ["0", "-1", "101", "two"])
def test_a_reduction_or_quality_that_cannot_be_is_wrong_use(data, text, capsys):
    for option in ("--reduce", "--jpeg"):
        with pytest.raises(SystemExit, match="2"):
            command("--data", data, f"{option}={text}")
        assert "give a whole number, 1 to 100" in capsys.readouterr().err


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
