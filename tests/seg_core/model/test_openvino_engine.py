import itertools
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from seg_core.errors import ModelError
from seg_core.geometry import Window
from seg_core.model import ModelCard, available_models, engine_choice, find_model, make_engine
from seg_core.model import openvino_engine as room
from seg_core.model.openvino_engine import OpenVinoEngine
from seg_core.model.torch_engine import TorchEngine
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.slide import open_slide

Model = tuple[ModelCard, Path]
Tiles = list[tuple[int, np.ndarray]]

HAS_BF16 = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
needs_bf16 = pytest.mark.skipif(not HAS_BF16, reason="the processor does not multiply in bf16")


def noise(count: int, side: int = 64) -> Tiles:
    generator = np.random.default_rng(0)
    return [(k, generator.integers(0, 256, (side, side, 3), dtype=np.uint8)) for k in range(count)]


def tissue(side: int) -> Tiles:
    """Two tiles of the shipped slide where it is dense."""
    with closing(open_slide(sample_path("cmu_small_region"))) as slide:
        raster = slide.raster(0.25)
        corners = [(1800, 1800), (2300, 900)]
        windows = [Window(x, y, side, side) for x, y in corners]
        return [(k, slide.read(raster, window)) for k, window in enumerate(windows)]


def agreement(model: Model, precision: str, tiles: Tiles) -> tuple[float, float]:
    """Largest difference of a logit to those of torch in fp32, and share of equal classes."""
    exact = dict(TorchEngine(*model, precision="fp32", device="cpu").run(tiles))
    found = dict(OpenVinoEngine(*model, precision=precision).run(tiles))  # type: ignore[arg-type]
    assert exact.keys() == found.keys()
    one, other = (np.stack([answers[k] for k in sorted(exact)]) for answers in (exact, found))
    assert (one.shape, one.dtype) == (other.shape, other.dtype)
    same = one[:, :5].argmax(1) == other[:, :5].argmax(1)
    return float(np.abs(one - other).max()), float(same.mean())


@pytest.mark.parametrize("side", [256, 512])
def test_fp32_answers_what_torch_answers(tiny_model: Model, side: int) -> None:
    difference, same = agreement(tiny_model, "fp32", tissue(side))
    assert difference < 1e-3
    assert same >= 0.999


@needs_bf16
def test_bf16_nearly_does(tiny_model: Model) -> None:
    difference, same = agreement(tiny_model, "bf16", tissue(256))
    assert 1e-6 < difference < 0.2
    assert same >= 0.985


@pytest.mark.weights
@pytest.mark.parametrize(
    ("precision", "least"), [("fp32", 0.999), pytest.param("bf16", 0.985, marks=needs_bf16)]
)
def test_the_shipped_model_answers_as_in_torch(precision: str, least: float) -> None:
    if not available_models():
        pytest.skip("weights/ holds no model")
    _, same = agreement(find_model(), precision, tissue(256))
    assert same >= least


def test_the_card_says_how_pixels_are_normalised(tiny_model: Model) -> None:
    """Also where the weights are the same: the cache must not answer for another card."""
    card, weights = tiny_model
    brighter = replace(card, mean=(0.2, 0.2, 0.2))
    (_, one), (_, other) = (
        next(OpenVinoEngine(each, weights, precision="fp32").run(noise(1)))
        for each in (card, brighter)
    )
    assert np.abs(one - other).max() > 1e-3
    assert agreement((brighter, weights), "fp32", noise(1))[0] < 1e-3


def test_every_tile_is_answered_once_whatever_its_size(tiny_model: Model) -> None:
    answering = OpenVinoEngine(*tiny_model, precision="fp32")
    tiles = [*noise(7), *[(k + 7, image) for k, image in noise(3, side=96)]]
    answers = dict(answering.run(tiles))
    assert sorted(answers) == list(range(10))
    assert [answers[k].shape for k in (0, 9)] == [(8, 64, 64), (8, 96, 96)]
    np.testing.assert_array_equal(answers[4], next(answering.run([tiles[4]]))[1])
    assert list(answering.run([])) == []


def test_tiles_of_many_sizes_in_turns_are_answered_in_order(tiny_model: Model) -> None:
    """As rows of tiles end in one that the slide's edge cuts; more sizes than are kept ready."""
    answering = OpenVinoEngine(*tiny_model, precision="fp32")
    sides = [64, 64, 96, 64, 128, 96, 160, 192, 64, 96]
    tiles = [(k, noise(1, side)[0][1]) for k, side in enumerate(sides)]
    answers = list(answering.run(tiles))
    assert [(k, logits.shape[1]) for k, logits in answers] == list(enumerate(sides))
    np.testing.assert_array_equal(answers[0][1], answers[8][1])
    np.testing.assert_array_equal(answers[2][1], next(answering.run([tiles[2]]))[1])


def test_tiles_are_taken_only_as_they_are_answered(tiny_model: Model) -> None:
    taken = []

    def endless() -> Iterator[tuple[int, np.ndarray]]:
        [(_, image)] = noise(1)
        for number in itertools.count():
            taken.append(number)
            yield number, image

    most = (os.cpu_count() or 1) + 2
    answers = OpenVinoEngine(*tiny_model, precision="fp32").run(endless())
    for answered in range(1, 20):
        next(answers)
        assert answered <= len(taken) < answered + most
    answers.close()  # type: ignore[attr-defined]
    assert len(taken) < 19 + most


def test_a_graph_at_work_is_asked_for_nothing_but_answers(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells a property after the tiles that it works on: asked with each tile, a core stood still."""
    asked = []
    get_property = ov.CompiledModel.get_property

    def noted(compiled: ov.CompiledModel, name: str) -> object:
        asked.append(name)
        return get_property(compiled, name)

    monkeypatch.setattr(ov.CompiledModel, "get_property", noted)
    answering = OpenVinoEngine(*tiny_model, precision="fp32")
    assert len(list(answering.run(noise(9)))) == 9
    assert len(asked) == 1


def test_an_engine_left_halfway_answers_the_next_question(tiny_model: Model) -> None:
    answering = OpenVinoEngine(*tiny_model, precision="fp32")
    answers = answering.run(noise(9))
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert len(list(answering.run(noise(4)))) == 4


def test_what_the_tiles_raise_is_raised(tiny_model: Model) -> None:
    def broken() -> Iterator[tuple[int, np.ndarray]]:
        yield from noise(1)
        raise OSError("the drive was unplugged")

    with pytest.raises(OSError, match="the drive was unplugged"):
        list(OpenVinoEngine(*tiny_model, precision="fp32").run(broken()))


FIRST_TIME = """
import sys
from pathlib import Path
import numpy as np
from seg_core.model import find_model, make_engine
from seg_core.settings import AnalysisSettings

card, weights = find_model(Path(sys.argv[1]))
settings = AnalysisSettings(engine="openvino", precision="fp32")
[(_, logits)] = make_engine(card, weights, settings).run([(0, np.zeros((64, 64, 3), np.uint8))])
assert logits.shape == (8, 64, 64)
print(sorted({"torch", "openvino_telemetry"} & sys.modules.keys()))
"""


def test_torch_is_left_to_the_process_that_converts_and_nobody_is_told(tiny_model: Model) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FIRST_TIME, str(tiny_model[1])],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout.strip(), ended.stderr) == ("[]", "")


def test_weights_that_do_not_fit_their_card_are_refused(tiny_model: Model) -> None:
    """The sentence comes from another process."""
    card, weights = tiny_model
    unlike = replace(card, sha256="0" * 64, decoder_channels=(32, 16, 8, 8, 4))
    with pytest.raises(ModelError, match=weights.name):
        OpenVinoEngine(unlike, weights, precision="fp32")


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; the other tests share one, since converting takes its time."""
    monkeypatch.setenv(room.CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def converted() -> dict[str, ov.Model]:
    return {}


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch, converted: dict[str, ov.Model]) -> list[str]:
    """Names of the models that were converted; really so the first time only."""
    names: list[str] = []
    convert = room._convert

    def counted(card: ModelCard, weights: Path) -> ov.Model:
        names.append(card.name)
        if card.sha256 not in converted:
            converted[card.sha256] = convert(card, weights)
        return converted[card.sha256].clone()

    monkeypatch.setattr(room, "_convert", counted)
    return names


@pytest.mark.parametrize("name", ["model.xml", "model.bin", "sha256"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_cache_is_made_anew(
    tiny_model: Model, own_cache: Path, conversions: list[str], name: str, damage: str
) -> None:
    [(_, expected)] = OpenVinoEngine(*tiny_model, precision="fp32").run(noise(1))
    OpenVinoEngine(*tiny_model)
    assert len(conversions) == 1
    (file,) = own_cache.rglob(name)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-9])
    else:
        file.unlink()
    [(_, again)] = OpenVinoEngine(*tiny_model, precision="fp32").run(noise(1))
    assert len(conversions) == 2
    np.testing.assert_array_equal(again, expected)
    OpenVinoEngine(*tiny_model)
    assert len(conversions) == 2
    assert sorted(path.name for path in own_cache.rglob("*") if path.is_file()) == [
        *("model.bin", "model.xml", "sha256")
    ]


def test_two_that_convert_at_once_do_each_other_no_harm(
    tiny_model: Model,
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    conversions: list[str],
) -> None:
    convert = room._convert

    def overtaken(card: ModelCard, weights: Path) -> ov.Model:
        monkeypatch.setattr(room, "_convert", convert)
        OpenVinoEngine(card, weights)  # as another process would, in the meantime
        return convert(card, weights)

    monkeypatch.setattr(room, "_convert", overtaken)
    OpenVinoEngine(*tiny_model)
    assert len(conversions) == 2
    assert len(list(OpenVinoEngine(*tiny_model).run(noise(2)))) == 2
    assert len(conversions) == 2


def test_a_cache_that_cannot_be_written_is_done_without(
    tiny_model: Model, own_cache: Path, conversions: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    own_cache.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        answers = list(OpenVinoEngine(*tiny_model, precision="fp32").run(noise(1)))
    assert len(answers) == 1
    assert "is converted again next time; choose another folder with SEG_CACHE" in caplog.text


@pytest.mark.parametrize(
    ("known", "chosen"), [(["FP32", "BF16"], "bf16"), (["FP32", "INT8"], "fp32")]
)
def test_auto_is_bf16_only_where_the_processor_has_it(known: list[str], chosen: str) -> None:
    assert room._resolved("auto", known) == chosen
    assert room._resolved("fp32", known) == "fp32"


def test_bf16_that_the_processor_lacks_is_refused() -> None:
    with pytest.raises(ModelError, match="does not multiply in bf16; choose the precision fp32"):
        room._resolved("bf16", ["FP32"])


@needs_bf16
def test_precision_is_said_and_done(tiny_model: Model) -> None:
    (_, exact), (_, rounded) = (
        next(OpenVinoEngine(*tiny_model, precision=each).run(noise(1)))  # type: ignore[arg-type]
        for each in ("fp32", "bf16")
    )
    assert np.abs(exact - rounded).max() > 1e-4
    assert OpenVinoEngine(*tiny_model).precision == "bf16"


@pytest.mark.parametrize(
    ("asked", "installed", "cuda", "taken"),
    [
        ("auto", True, False, "openvino"),
        ("auto", True, True, "torch"),
        ("auto", False, False, "torch"),
        ("torch", True, False, "torch"),
        ("openvino", True, True, "openvino"),
    ],
)
def test_auto_takes_the_fastest_there_is(
    tiny_model: Model,
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    installed: bool,
    cuda: bool,
    taken: str,
) -> None:
    monkeypatch.setattr(engine_choice, "find_spec", lambda _: object() if installed else None)
    monkeypatch.setattr(engine_choice, "_has_cuda", lambda: cuda)
    settings = AnalysisSettings(engine=asked, precision="fp32")  # type: ignore[arg-type]
    made = make_engine(*tiny_model, settings)
    assert (made.name, made.precision) == (taken, "fp32")


def test_openvino_that_is_not_installed_is_refused(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_choice, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"openvino is not installed; .* choose the engine torch"):
        make_engine(*tiny_model, AnalysisSettings(engine="openvino"))


@pytest.mark.parametrize("found", [True, False])
def test_torch_is_asked_for_cuda_where_a_driver_is(
    monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: found)
    monkeypatch.setattr(engine_choice, "_is_there", lambda _: True)
    assert engine_choice._has_cuda() is found
    monkeypatch.setattr(engine_choice, "_is_there", lambda _: False)
    assert not engine_choice._has_cuda()


def test_a_library_that_does_not_exist_is_not_there() -> None:
    assert not engine_choice._is_there("libno-such-driver.so.1")


@pytest.mark.parametrize(
    "settings",
    [
        AnalysisSettings(engine="openvino"),
        AnalysisSettings(engine="torch"),
        AnalysisSettings(),
        AnalysisSettings(engine="openvino", precision="fp32"),
    ],
    ids=lambda each: f"{each.engine}-{each.precision}",
)
def test_engine_and_precision_are_known_before_a_model_is_loaded(
    tiny_model: Model, settings: AnalysisSettings
) -> None:
    made = make_engine(*tiny_model, settings)
    assert engine_choice.engine_name(settings) == made.name
    assert engine_choice.precision_name(settings) == made.precision
