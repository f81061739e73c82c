from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from seg_core.model import torch_engine
from seg_core.model.card import ModelCard
from seg_core.model.engine_choice import make_engine
from seg_core.model.network import TwoHeadUnet
from seg_core.model.torch_engine import TorchEngine
from seg_core.settings import AnalysisSettings

Model = tuple[ModelCard, Path]


def tiles(count: int) -> list[tuple[int, np.ndarray]]:
    generator = np.random.default_rng(0)
    return [(k, generator.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for k in range(count)]


def test_engine_answers_what_the_network_answers(
    tiny_network: TwoHeadUnet, tiny_model: Model
) -> None:
    (number, image), *_ = tiles(1)
    engine = make_engine(*tiny_model, AnalysisSettings(engine="torch", precision="fp32"))
    [(answered, logits)] = engine.run([(number, image)])
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        expected = tiny_network((pixels - 0.5) / 0.25)[0].numpy()
    assert answered == number
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, expected, atol=3e-2)


def test_every_tile_is_answered_once(tiny_model: Model) -> None:
    engine = TorchEngine(*tiny_model, precision="fp32")
    assert sorted(number for number, _ in engine.run(tiles(5))) == list(range(5))
    assert list(engine.run([])) == []


def test_tiles_are_taken_only_as_they_are_answered(tiny_model: Model) -> None:
    taken = []

    def stream() -> Iterator[tuple[int, np.ndarray]]:
        for number, image in tiles(6):
            taken.append(number)
            yield number, image

    answers = TorchEngine(*tiny_model, precision="fp32", device="cpu").run(stream())
    next(answers)
    assert len(taken) == 1


def test_bf16_agrees_with_fp32_on_nearly_every_pixel(tiny_model: Model) -> None:
    exact, rounded = (TorchEngine(*tiny_model, precision=p) for p in ("fp32", "bf16"))
    assert (exact.precision, rounded.precision) == ("fp32", "bf16")
    for (_, a), (_, b) in zip(exact.run(tiles(2)), rounded.run(tiles(2)), strict=True):
        assert (a[:5].argmax(0) == b[:5].argmax(0)).mean() > 0.9


@pytest.mark.parametrize(("fast", "chosen"), [(True, "bf16"), (False, "fp32")])
def test_auto_takes_bf16_only_where_the_processor_has_it(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch, fast: bool, chosen: str
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast)
    assert TorchEngine(*tiny_model, device="cpu").precision == chosen


@pytest.mark.parametrize(("native", "chosen"), [(True, "bf16"), (False, "fp16")])
def test_auto_is_half_precision_on_every_graphics_card(
    monkeypatch: pytest.MonkeyPatch, native: bool, chosen: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert torch_engine._resolved("auto", torch.device("cuda")) == chosen
    assert torch_engine._resolved("fp32", torch.device("cuda")) == "fp32"


def test_a_graphics_card_gets_as_many_tiles_as_fill_it() -> None:
    """Batches are worked out for a device that need not be there."""
    side = torch_engine._GPU_BATCH_PX
    tiles = [(k, np.zeros((64, 64 if k < 600 else 96, 3), np.uint8)) for k in range(610)]
    batches = list(torch_engine._batches(tiles, torch.device("cuda"), side))
    assert [len(numbers) for numbers, _ in batches] == [side // 64**2, 600 - side // 64**2, 10]
    assert [numbers[0] for numbers, _ in batches] == [0, side // 64**2, 600]
    assert [len(n) for n, _ in torch_engine._batches(tiles[:3], torch.device("cpu"), side)] == [
        1
    ] * 3


@pytest.mark.parametrize(("free_gb", "tiles_of_512"), [(80, 8), (8, 4), (0.001, 0)])
def test_a_small_graphics_card_gets_smaller_batches(
    monkeypatch: pytest.MonkeyPatch, free_gb: float, tiles_of_512: int
) -> None:
    free = int(free_gb * 2**30)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (free, 80 * 2**30))
    batch_px = torch_engine._batch_px(torch.device("cuda"))
    assert batch_px // 512**2 == tiles_of_512
    [(numbers, _)] = torch_engine._batches(tiles(1), torch.device("cuda"), batch_px)
    assert numbers == (0,), "a tile is never divided"


class Unhurried:
    """A device of its own: says in which order things were asked and answered."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def __call__(self, images: np.ndarray, with_features: bool) -> list[torch.Tensor]:
        self.log.append(f"asked {len(images)}")
        return [torch.zeros(len(images), 8, 64, 64)]


def test_a_device_of_its_own_works_on_while_an_answer_is_dealt_with(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TorchEngine(*tiny_model, precision="fp32", device="cpu")
    log: list[str] = []
    monkeypatch.setattr(engine, "device", torch.device("cuda"))
    monkeypatch.setattr(engine, "_ask", Unhurried(log))
    monkeypatch.setattr(engine, "_batch_px", 2 * 64**2)
    for number, _ in engine.run(tiles(5)):
        log.append(f"answered {number}")
    assert log == [
        *("asked 2", "asked 2", "answered 0", "answered 1"),
        *("asked 1", "answered 2", "answered 3", "answered 4"),
    ]
