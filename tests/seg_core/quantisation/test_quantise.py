import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_core.commands import main
from seg_core.commands import quantise as command
from seg_core.errors import DataError, ModelError
from seg_core.evaluation.fast_settings import (
    CARD_ENTRY,
    EXACT,
    keeps_accuracy,
    measure_fast_settings,
)
from seg_core.model import ModelCard, make_engine, read_card
from seg_core.model.openvino_engine import has_bf16
from seg_core.quantisation.quantise import quantise
from seg_core.settings import AnalysisSettings

Model = tuple[ModelCard, Path]

# nncf registers PyTorch extensions on import, by ways that newer Pythons and torch deprecate
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def tissue(side: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(-25, 25, (side, side, 3))
    return (np.array([215, 160, 200]) + noise).astype(np.uint8)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Two images of two patients, with a nucleus of each of two classes."""
    folder = tmp_path / "labelled"
    for kind in ("images", "inst", "class"):
        (folder / kind).mkdir(parents=True)
    for number in range(2):
        name = f"TCGA-AA-000{number}_1.png"
        Image.fromarray(tissue(96, number)).save(folder / "images" / name)
        instances = np.zeros((96, 96), np.uint16)
        cv2.circle(instances, (30, 30), 12, 1, -1)  # type: ignore[call-overload]
        cv2.circle(instances, (70, 60), 12, 2, -1)  # type: ignore[call-overload]
        cv2.imwrite(str(folder / "inst" / name), instances)
        cv2.imwrite(str(folder / "class" / name), instances.astype(np.uint8))
    return folder


def answer(card: ModelCard, weights: Path, precision: str) -> np.ndarray:
    settings = AnalysisSettings(engine="openvino", precision=precision)  # type: ignore[arg-type]
    engine = make_engine(card, weights, settings)
    assert engine.precision == precision
    [(_, logits)] = engine.run([(0, tissue(256, seed=9))])
    return logits


def test_the_command_makes_a_graph_measures_it_and_writes_the_card(
    tiny_model: Model,
    labelled: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, weights = tiny_model
    monkeypatch.setattr(command, "_TILES_PX", (256, 512))
    arguments = ["--calibrate", str(labelled), "--tiles", "6", "--measure", str(labelled)]
    assert main(["quantise", "--model", str(weights), *arguments]) == 0

    card = read_card(weights.with_suffix(".json"))
    assert card.int8 is not None
    assert card.int8.file == "tiny-int8.xml"
    assert card.int8.weights_sha256 == card.sha256
    assert {"mpq_plus_change", "same_class", "command"} <= card.int8.metrics.keys()
    exact, integers = (answer(card, weights, precision) for precision in ("fp32", "int8"))
    assert 0 < np.abs(exact - integers).max() < 1
    assert (exact[:5].argmax(0) == integers[:5].argmax(0)).mean() > 0.8

    rows = card.metrics[CARD_ENTRY]["rows"]
    precisions = ["fp32", *(["bf16"] if has_bf16() else []), "int8"]
    assert [(row["precision"], row["tile"]) for row in rows] == [
        (precision, tile) for precision in precisions for tile in (256, 512)
    ]
    assert rows[0]["same_class"] == 1
    for row in rows:
        lost = {scan: row[f"mpq_plus_change_{scan}"] for scan in ("40x", "20x")}
        assert row["mpq_plus_change"] == min(lost.values())
        apart = row["mpq_plus_20x"] - rows[0]["mpq_plus_20x"]
        assert lost["20x"] == pytest.approx(apart, abs=2e-4)
    out = capsys.readouterr().out
    assert "tiny-int8.xml and its .bin written" in out
    assert "int8   256" in out
    assert str(labelled.parent) not in card.metrics[CARD_ENTRY]["command"]

    quantise(str(weights), [tissue(64, seed=1)])
    again = read_card(weights.with_suffix(".json"))
    assert again.int8 is not None
    assert not again.int8.keeps_accuracy, "the new graph has not been measured"
    assert CARD_ENTRY not in again.metrics


def test_the_ends_can_stay_in_floating_point(tiny_model: Model) -> None:
    """Then the head is a convolution of floats, whose input is not rounded to 256 steps."""
    _, weights = tiny_model
    tiles = [tissue(64, seed) for seed in range(3)]
    counts = []
    for floating in ("none", "ends"):
        path = quantise(str(weights), tiles, floating=floating)  # type: ignore[arg-type]
        counts.append(path.read_text("utf-8").count('type="FakeQuantize"'))
        assert path.with_suffix(".bin").stat().st_size > 0
    assert counts[0] > counts[1] > 0


def test_without_nncf_it_says_what_to_install(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ModelError, match=r"nncf, .* is not installed .*tests/requirements.txt"):
        quantise(str(tiny_model[1]), [tissue(64, seed=0)])


def test_images_without_classes_cannot_tell_what_is_lost(tiny_model: Model, labelled: Path) -> None:
    for path in (labelled / "class").iterdir():
        path.unlink()
    (labelled / "class").rmdir()
    with pytest.raises(DataError, match=r"these images have none; give a folder .* with class/"):
        measure_fast_settings(labelled, str(tiny_model[1]), [])


def test_a_setting_keeps_accuracy_where_these_weights_were_measured_to(tiny_model: Model) -> None:
    card, _ = tiny_model
    assert keeps_accuracy(card, "fp32", EXACT.tile_px)
    assert not keeps_accuracy(card, "int8", EXACT.tile_px)
    rows = [
        {"precision": "int8", "tile": 256, "mpq_plus_change": -0.005},
        {"precision": "int8", "tile": 512, "mpq_plus_change": -0.006},
    ]
    card.metrics[CARD_ENTRY] = {"weights_sha256": card.sha256, "rows": rows}
    assert [keeps_accuracy(card, "int8", tile) for tile in (256, 512, 1024)] == [True, False, False]
    card.metrics[CARD_ENTRY]["weights_sha256"] = "of other weights"
    assert not keeps_accuracy(card, "int8", 256)


def test_a_number_of_tiles_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["quantise", "--calibrate", ".", "--tiles", "0"])
    assert "'0' is no number of tiles; give 100" in capsys.readouterr().err
