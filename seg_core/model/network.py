"""The two-head U-Net, and how its weights come in and go out.

One encoder and one decoder of segmentation_models_pytorch, dropout, and two 3 × 3 heads: five
semantic classes (background first) and the ternary map (background, inside, boundary). Names of
modules are those of the original project, so its checkpoints load.
"""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from segmentation_models_pytorch.base import SegmentationHead
from torch import Tensor, nn

from seg_core.errors import ModelError, told_by
from seg_core.model.card import ModelCard
from seg_core.model.doubling import doubling_while_convolving
from seg_core.model.features import FEATURE_BLOCK, FEATURE_STRIDE_PX

TERNARY_CHANNELS = 3
UNUSED_HEAD = "base.segmentation_head."  # smp's own head, in checkpoints of the original project


class TwoHeadUnet(nn.Module):
    """U-Net with a semantic and a ternary head on one decoder.

    Parameters
    ----------
    encoder : str
        Name of an encoder of segmentation_models_pytorch.
    semantic_channels : int
        Classes with background.
    encoder_weights : str, optional
        "imagenet" fetches pretrained weights from the hub; None starts from random ones.
    decoder_channels : sequence of int
        From the deepest block to the last.
    dropout : float
        Share of the decoder's channels dropped in training.
    """

    def __init__(
        self,
        encoder: str,
        *,
        semantic_channels: int = 5,
        encoder_weights: str | None = None,
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 16),
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        try:
            with warnings.catch_warnings():
                # Names of layers differ between smp's `timm-` encoders and its newer `tu-` ones.
                warnings.filterwarnings("ignore", r"`timm-` encoders", DeprecationWarning)
                unet = smp.Unet(
                    encoder,
                    encoder_depth=len(decoder_channels),
                    encoder_weights=encoder_weights,
                    decoder_channels=tuple(decoder_channels),
                    classes=1,
                )
        except (KeyError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"the encoder {encoder!r} is unknown; give the name of an encoder of "
                "segmentation_models_pytorch, for instance resnet34."
            ) from error
        self.base = nn.ModuleDict({"encoder": unet.encoder, "decoder": unet.decoder})
        self.dropout = nn.Dropout2d(dropout)
        last = decoder_channels[-1]
        self.sem_head = SegmentationHead(last, semantic_channels, kernel_size=3)
        self.ter_head = SegmentationHead(last, TERNARY_CHANNELS, kernel_size=3)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits.

        Parameters
        ----------
        images : (N, 3, H, W) float
            Normalised; H and W multiples of 32.

        Returns
        -------
        logits : (N, C + 3, H, W)
            Semantic channels first, then the three of the ternary map.
        """
        decoded = self.dropout(self.base["decoder"](self.base["encoder"](images)))
        return torch.cat([self.sem_head(decoded), self.ter_head(decoded)], dim=1)


class NormalisedNetwork(nn.Module):
    """A network as engines run it, from the bytes of a tile to the logits.

    It answers what the network answers, but for rounding, with fewer products. The decoder enlarges
    nothing before it convolves it (`seg_core.model.doubling`), and both heads are one convolution,
    which goes through the decoder's full-size output once and leaves nothing to join.

    Parameters
    ----------
    network : TwoHeadUnet
        In evaluation mode; it is not changed.
    card : ModelCard
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: TwoHeadUnet, card: ModelCard) -> None:
        super().__init__()
        encoder: Any = network.base["encoder"]
        self.encoder = encoder
        self.decoder = doubling_while_convolving(network.base["decoder"], encoder.out_channels[-1])
        self.head = _joined(network.sem_head[0], network.ter_head[0])
        self.register_buffer("mean", torch.tensor(card.mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(card.std).view(1, 3, 1, 1) * 255)

    def forward(self, tiles: Tensor) -> Tensor:
        """Return logits.

        Parameters
        ----------
        tiles : (N, H, W, 3) uint8

        Returns
        -------
        logits : (N, C + 3, H, W) float32
        """
        pixels = tiles.permute(0, 3, 1, 2).float()
        return self.head(self.decoder(self.encoder((pixels - self.mean) / self.std)))

    def described(self, tiles: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits, and what a block of the decoder took and gave on the way.

        Parameters
        ----------
        tiles : (N, H, W, 3) uint8

        Returns
        -------
        logits : (N, C + 3, H, W) float32
        features : (N, F, H / 4, W / 4) float32
            See `seg_core.model.features`.
        """
        with features_seen(self.decoder) as seen:
            return self(tiles), torch.cat(seen, dim=1)

    @property
    def feature_count(self) -> int:
        """Number of features that `described` gives."""
        return feature_count(self.encoder, self.decoder)


def feature_count(encoder: Any, decoder: Any) -> int:
    """Return the number of features that `features_seen` gives."""
    # an encoder's channels are listed from the finest level, the picture itself, on
    level = int(math.log2(FEATURE_STRIDE_PX))
    given: int = decoder.blocks[FEATURE_BLOCK].conv2[0].out_channels
    return int(encoder.out_channels[level]) + given


@contextmanager
def features_seen(decoder: Any) -> Iterator[list[Tensor]]:
    """See what a block of a decoder takes and gives while a network answers.

    Yields
    ------
    seen : list of Tensor
        Empty until the network has answered; then what the encoder gave to the block and what the
        block gave, each (N, F, H / 4, W / 4). See `seg_core.model.features`.
    """
    seen: list[Tensor] = []
    hook = decoder.blocks[FEATURE_BLOCK].register_forward_hook(
        lambda _block, _arguments, named, output: seen.extend([named["skip_connection"], output]),
        with_kwargs=True,
    )
    try:
        yield seen
    finally:
        hook.remove()


def _joined(first: nn.Conv2d, second: nn.Conv2d) -> nn.Conv2d:
    """Return one convolution that gives the channels of the first, then those of the second."""
    joined = nn.Conv2d(
        first.in_channels,
        first.out_channels + second.out_channels,
        kernel_size=first.kernel_size,  # type: ignore[arg-type]
        padding=first.padding,  # type: ignore[arg-type]
    )
    with torch.no_grad():
        for name, parameter in joined.named_parameters():
            parameter.copy_(torch.cat([getattr(first, name), getattr(second, name)]))
    return joined


def build_network(card: ModelCard) -> TwoHeadUnet:
    """Return the network a card describes, with random weights, ready to be filled."""
    return TwoHeadUnet(
        card.encoder,
        semantic_channels=len(card.scheme.classes) + 1,
        decoder_channels=card.decoder_channels,
    )


def load_network(card: ModelCard, weights: Path) -> TwoHeadUnet:
    """Return the network of a card with its weights, in evaluation mode and float32.

    Raises
    ------
    ModelError
        If the file is damaged or holds another network.
    """
    network = build_network(card)
    fill_network(network, read_weights(weights), weights.name)
    return network.eval()


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read tensors by name from safetensors or from a checkpoint of the original project.

    A checkpoint is a dictionary with ``model_state``; it is loaded with ``weights_only=True``, so
    nothing but tensors and plain values is ever unpickled.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():
            # what a damaged checkpoint looks like to torch is not for whoever reads the terminal
            warnings.simplefilter("ignore")
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        state = checkpoint["model_state"]
        return {k: v for k, v in state.items() if not k.startswith(UNUSED_HEAD)}
    except (SafetensorError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(_unreadable(path, error)) from error
    except Exception as error:  # torch.load raises whatever its unpickler stumbles over
        if isinstance(error, MemoryError):
            raise
        raise ModelError(_unreadable(path, error)) from error


def _unreadable(path: Path, error: Exception) -> str:
    reason = "it holds no model_state" if isinstance(error, KeyError) else told_by(error)
    return (
        f"{path.name} cannot be read as weights ({reason}); "
        "it is truncated or of another kind, so download it again."
    )


def fill_network(network: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Copy tensors into a network; every name and shape must fit.

    Raises
    ------
    ModelError
        If a tensor is missing, left over or of another shape; ``name`` is said.
    """
    try:
        network.load_state_dict(dict(state), strict=True)
    except RuntimeError as error:
        detail = str(error).splitlines()[1].strip()[:160] if "\n" in str(error) else str(error)
        raise ModelError(
            f"the weights in {name} are those of another network ({detail}); "
            "give the card that belongs to them."
        ) from error


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the weights as fp16 safetensors, integers as they are."""
    state = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
    }
    save_file(state, path)
