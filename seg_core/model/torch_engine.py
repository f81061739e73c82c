"""The network in PyTorch: any CPU, CUDA, Apple's MPS."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seg_core.model.card import ModelCard
from seg_core.model.engine import NumberedLogits, NumberedTile
from seg_core.model.features import DescribedTile
from seg_core.model.network import NormalisedNetwork, load_network
from seg_core.settings import Precision

# A GPU wants to be filled: eight tiles of 512 pixels at once, or as many pixels of others.
_GPU_BATCH_PX = 8 * 512**2

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TorchEngine:
    """Runs a model with PyTorch.

    Parameters
    ----------
    card : ModelCard
    weights : Path
    precision : {"auto", "fp32", "bf16"}
        auto is bf16 where the hardware multiplies in it, fp16 on older CUDA, else fp32.
    device : str, optional
        A torch device; by default the best one there is.
    """

    name = "torch"

    def __init__(
        self,
        card: ModelCard,
        weights: Path,
        *,
        precision: Precision = "auto",
        device: str | None = None,
    ) -> None:
        self.device = torch.device(device or _best_device())
        self.precision = _resolved(precision, self.device)
        self._dtype = _DTYPES[self.precision]
        network = NormalisedNetwork(load_network(card, weights), card).eval().requires_grad_(False)
        self.feature_count = network.feature_count
        self._network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(self, tiles: Iterable[NumberedTile]) -> Iterator[NumberedLogits]:
        """Answer each tile in the order of the tiles; see `seg_core.model.engine.Engine`."""
        for numbers, (logits,) in self._batches_answered(tiles, with_features=False):
            yield from zip(numbers, logits, strict=True)

    def describe(self, tiles: Iterable[NumberedTile]) -> Iterator[DescribedTile]:
        """Answer each tile in the order of the tiles, with its features."""
        for numbers, (logits, features) in self._batches_answered(tiles, with_features=True):
            rounded = features.astype(np.float16)
            yield from map(DescribedTile, numbers, logits, rounded)

    def _batches_answered(
        self, tiles: Iterable[NumberedTile], *, with_features: bool
    ) -> Iterator[tuple[tuple[int, ...], list[npt.NDArray[np.float32]]]]:
        """Give all that is wanted of each batch.

        A device of its own works on a batch while the caller deals with the one before it.
        """
        most_ahead = 0 if self.device.type == "cpu" else 1
        asked: deque[tuple[tuple[int, ...], list[Tensor]]] = deque()
        for numbers, images in _batches(tiles, self.device):
            asked.append((numbers, self._ask(images, with_features)))
            if len(asked) > most_ahead:
                yield _fetched(*asked.popleft())
        while asked:
            yield _fetched(*asked.popleft())

    def _ask(self, images: npt.NDArray[np.uint8], with_features: bool) -> list[Tensor]:
        """Start on a batch; on a device of its own this returns before the answer is there."""
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32),
        ):
            tiles = torch.from_numpy(images).to(self.device)
            if with_features:
                return [each.float() for each in self._network.described(tiles)]
            return [self._network(tiles).float()]


def _fetched(
    numbers: tuple[int, ...], outputs: list[Tensor]
) -> tuple[tuple[int, ...], list[npt.NDArray[np.float32]]]:
    return numbers, [each.cpu().numpy() for each in outputs]


def _batches(
    tiles: Iterable[NumberedTile], device: torch.device
) -> Iterator[tuple[tuple[int, ...], npt.NDArray[np.uint8]]]:
    """Gather tiles of one size; on a CPU one at a time keeps activations in the cache."""
    for (height, width, _), alike in groupby(tiles, key=lambda tile: tile[1].shape):
        size = 1 if device.type == "cpu" else max(1, _GPU_BATCH_PX // (height * width))
        while batch := list(islice(alike, size)):
            numbers, images = zip(*batch, strict=True)
            yield numbers, np.stack(images)


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _resolved(precision: Precision, device: torch.device) -> str:
    if precision != "auto":
        return precision
    if device.type == "cuda":
        # emulated bf16 is slower than fp32; every such card multiplies in fp16
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    # the library's emulation of bf16 is slower than fp32, so only where the processor has it
    fast = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return "bf16" if fast else "fp32"
