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
        self._network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(self, tiles: Iterable[NumberedTile]) -> Iterator[NumberedLogits]:
        """Answer each tile in the order of the tiles; see `seg_core.model.engine.Engine`.

        A device of its own works on a batch while the caller deals with the one before it.
        """
        most_ahead = 0 if self.device.type == "cpu" else 1
        asked: deque[tuple[tuple[int, ...], Tensor]] = deque()
        for numbers, images in _batches(tiles, self.device):
            asked.append((numbers, self._ask(images)))
            if len(asked) > most_ahead:
                yield from _answers(*asked.popleft())
        while asked:
            yield from _answers(*asked.popleft())

    def _ask(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """Start on a batch; on a device of its own this returns before the answer is there."""
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32),
        ):
            return self._network(torch.from_numpy(images).to(self.device)).float()


def _answers(numbers: tuple[int, ...], logits: Tensor) -> Iterator[NumberedLogits]:
    yield from zip(numbers, logits.cpu().numpy(), strict=True)


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
