"""What a network knows of nuclei beside their class, from every engine."""

from contextlib import closing
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from seg_core.errors import ModelError
from seg_core.geometry import Window
from seg_core.model import ModelCard, find_model
from seg_core.model.features import FEATURE_STRIDE_PX
from seg_core.model.openvino_engine import OpenVinoEngine, read_converted
from seg_core.model.openvino_features import described
from seg_core.model.torch_engine import TorchEngine
from seg_core.samples import sample_path
from seg_core.slide import open_slide

Model = tuple[ModelCard, Path]

HAS_BF16 = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
needs_bf16 = pytest.mark.skipif(not HAS_BF16, reason="the processor does not multiply in bf16")


def tissue(side: int) -> list[tuple[int, np.ndarray]]:
    with closing(open_slide(sample_path("cmu_small_region"))) as slide:
        raster = slide.raster(0.25)
        return [(7, slide.read(raster, Window(1800, 1800, side, side)))]


def test_openvino_in_fp32_knows_what_torch_knows(tiny_model: Model) -> None:
    torch, openvino = (
        engine(*tiny_model, precision="fp32") for engine in (TorchEngine, OpenVinoEngine)
    )
    (one,), (other,) = (list(each.describe(tissue(128))) for each in (torch, openvino))
    assert torch.feature_count == openvino.feature_count == len(one.features)
    assert one.number == other.number == 7
    assert one.features.shape[1:] == (128 // FEATURE_STRIDE_PX,) * 2
    assert one.features.dtype == other.features.dtype == np.float16
    assert one.features.std() > 0
    np.testing.assert_allclose(one.features, other.features, atol=5e-3, rtol=5e-3)


@pytest.mark.parametrize("engine", [TorchEngine, OpenVinoEngine])
def test_the_logits_are_those_of_an_answer_without_features(
    tiny_model: Model, engine: type[TorchEngine | OpenVinoEngine]
) -> None:
    made = engine(*tiny_model, precision="fp32")
    (plain,), (full,) = list(made.run(tissue(64))), list(made.describe(tissue(64)))
    np.testing.assert_allclose(plain[1], full.logits, atol=1e-5)


@pytest.mark.weights
@pytest.mark.parametrize("precision", [pytest.param("bf16", marks=needs_bf16), "int8"])
def test_the_shipped_graph_in_less_precision_knows_nearly_the_same(precision: str) -> None:
    """A mean over the squares of a nucleus evens out most of what a single square is off."""
    card, weights = find_model(None)
    if precision == "int8" and card.int8 is None:
        pytest.skip("the default model ships no graph in int8")
    exact, rough = (
        next(OpenVinoEngine(card, weights, precision=each).describe(tissue(256))).features
        for each in ("fp32", precision)
    )
    one, other = (_means(each.astype(np.float64)) for each in (exact, rough))
    off = (one - other).std(axis=(1, 2)) / one.std(axis=(1, 2))
    assert np.median(off) < 0.2
    correlations = [
        np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(one, other, strict=True)
    ]
    assert min(correlations) > 0.9


def _means(features: np.ndarray) -> np.ndarray:
    """Over 8 × 8 squares, as many as a nucleus of 8 µm has."""
    channels, height, width = features.shape
    return features.reshape(channels, height // 8, 8, width // 8, 8).mean(axis=(2, 4))


def test_a_graph_with_another_decoder_than_its_card_says_is_refused(tiny_model: Model) -> None:
    card, weights = tiny_model
    graph = read_converted(card, weights)
    with pytest.raises(
        ModelError, match=r"enlarges 5 times by .* in its card 4 times; if an earlier"
    ):
        described(graph, 4)
    assert len(graph.outputs) == 1
