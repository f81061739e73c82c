"""The network in PyTorch: any CPU, CUDA, Apple's MPS."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seg_core.model.card import ModelCard
from seg_core.model.engine import NumberedLogits, NumberedTile
from seg_core.model.network import load_network
from seg_core.settings import Precision

# On a CPU one tile at a time keeps activations in the cache; a GPU wants to be filled.
CPU_BATCH, GPU_BATCH = 1, 8


class TorchEngine:
    """Runs a model with PyTorch.

    Parameters
    ----------
    card : ModelCard
    weights : Path
    precision : {"auto", "fp32", "bf16"}
        auto is bf16 where the hardware multiplies in it, else fp32.
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
        self._dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
        network = load_network(card, weights).requires_grad_(False).to(self.device)
        self._network = network.to(memory_format=torch.channels_last)
        self._mean = torch.tensor(card.mean, device=self.device).view(1, 3, 1, 1) * 255
        self._std = torch.tensor(card.std, device=self.device).view(1, 3, 1, 1) * 255

    def run(self, tiles: Iterable[NumberedTile]) -> Iterator[NumberedLogits]:
        """Answer each tile in the order of the tiles; see `seg_core.model.engine.Engine`."""
        batch_size = CPU_BATCH if self.device.type == "cpu" else GPU_BATCH
        stream = iter(tiles)
        while batch := list(islice(stream, batch_size)):
            numbers, images = zip(*batch, strict=True)
            logits = self._logits(np.stack(images))
            yield from zip(numbers, logits, strict=True)

    def _logits(self, images: np.ndarray) -> np.ndarray:
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32),
        ):
            pixels = torch.from_numpy(images).to(self.device).permute(0, 3, 1, 2)
            return self._answer(pixels).float().cpu().numpy()

    def _answer(self, pixels: Tensor) -> Tensor:
        normalised = (pixels.float() - self._mean) / self._std
        return self._network(normalised.contiguous(memory_format=torch.channels_last))


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _resolved(precision: Precision, device: torch.device) -> str:
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    # the library's emulation of bf16 is slower than fp32, so only where the processor has it
    fast = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()
    return "bf16" if fast else "fp32"
