from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from seg_core.model.card import ModelCard
from seg_core.model.engine import make_engine
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
