"""A decoder that doubles and convolves in one step answers what one that does both in turn does."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoderBlock
from torch import nn
from torch.nn import functional

from seg_core.model import ModelCard
from seg_core.model.doubling import DoublingBlock, doubled_weights
from seg_core.model.network import NormalisedNetwork, TwoHeadUnet


def settled(network: nn.Module) -> nn.Module:
    """Give batch norms statistics and weights as training does, none of them 0 or 1."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low, high in (
                (module.running_mean, -0.5, 0.5),
                (module.running_var, 0.5, 2),
                (module.weight.data, 0.5, 2),
                (module.bias.data, -0.5, 0.5),
            ):
                assert values is not None
                values.uniform_(low, high)
    return network.eval().requires_grad_(False)


@given(
    channels=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    seed=st.integers(0, 2**31),
)
def test_a_transposed_convolution_is_a_convolution_of_what_was_doubled(
    channels: tuple[int, int], size: tuple[int, int], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    taken, given_ = channels
    image = torch.randn(2, taken, *size, generator=generator, dtype=torch.float64)
    weights = torch.randn(given_, taken, 3, 3, generator=generator, dtype=torch.float64)
    in_turn = functional.conv2d(
        functional.interpolate(image, scale_factor=2, mode="nearest"), weights, padding=1
    )
    at_once = functional.conv_transpose2d(image, doubled_weights(weights), stride=2, padding=1)
    torch.testing.assert_close(at_once, in_turn)


@pytest.mark.parametrize("beside", [0, 3])
def test_a_block_answers_as_the_one_it_is_made_of(beside: int) -> None:
    torch.manual_seed(0)
    block = settled(UnetDecoderBlock(5, beside, 4).double())
    taken = torch.randn(2, 5, 6, 8, dtype=torch.float64)
    skip = torch.randn(2, beside, 12, 16, dtype=torch.float64) if beside else None
    answers = [
        each(taken, target_height=12, target_width=16, skip_connection=skip)
        for each in (block, DoublingBlock(block, 5).double())
    ]
    assert answers[0].std() > 0
    torch.testing.assert_close(answers[1], answers[0], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("encoder", ["timm-tf_efficientnet_lite0", "resnet18"])
def test_the_network_of_engines_answers_as_the_network(
    encoder: str, tiny_model: tuple[ModelCard, Path]
) -> None:
    card, _ = tiny_model
    torch.manual_seed(0)
    network = TwoHeadUnet(encoder, encoder_weights=None)
    settled(network)
    tiles = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (card.mean, card.std))
    images = (tiles.permute(0, 3, 1, 2) / 255 - mean) / std
    before = network(images)
    answers = NormalisedNetwork(network, card)(tiles)
    assert (answers - before).abs().max() < 1e-4 * before.abs().max()
    assert torch.equal(network(images), before)
