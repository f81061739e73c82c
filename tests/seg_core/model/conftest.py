"""A network small enough to build in a blink: random weights, real architecture."""

from pathlib import Path

import pytest
import torch

from seg_core.model.card import ModelCard, sha256_of, write_card
from seg_core.model.network import TwoHeadUnet, save_weights

TINY_ENCODER = "tu-test_resnet.r160_in1k"


@pytest.fixture
def tiny_network() -> TwoHeadUnet:
    torch.manual_seed(3)
    return TwoHeadUnet(TINY_ENCODER).eval()


@pytest.fixture
def tiny_model(tiny_network: TwoHeadUnet, tmp_path: Path) -> tuple[ModelCard, Path]:
    """A folder like ``weights/`` with one model, ``tiny``, in it."""
    weights = tmp_path / "tiny.safetensors"
    save_weights(tiny_network, weights)
    card = ModelCard(
        name="tiny",
        file=weights.name,
        sha256=sha256_of(weights),
        encoder=TINY_ENCODER,
        mpp=0.25,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        default=True,
    )
    write_card(card, tmp_path / "tiny.json")
    return card, weights
