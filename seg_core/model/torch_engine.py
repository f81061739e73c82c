"""The network in PyTorch: any CPU, CUDA, Apple's MPS.

On CUDA nothing waits for a batch but who needs its answer: tiles go to the card and answers come
home from page-locked memory while the card works on, in channels-last and half precision.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seg_core.model.card import ModelCard
from seg_core.model.engine import NumberedLogits, NumberedTile
from seg_core.model.features import DescribedTile
from seg_core.model.network import NormalisedNetwork, load_network
from seg_core.settings import Precision

# A GPU wants to be filled: eight tiles of 512 pixels at once, or as many pixels of others, but no
# more than go into half of its free memory.
_GPU_BATCH_PX = 8 * 512**2
_BYTES_PER_PX = 4096  # of activations at all levels, in fp32 and with the libraries' own buffers

# Batches that a device of its own may have before it while the caller deals with an answer.
_BATCHES_AHEAD = 1

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
        self._batch_px = _batch_px(self.device)
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = True  # tiles have few sizes
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
            yield from map(DescribedTile, numbers, logits, features)

    def _batches_answered(
        self, tiles: Iterable[NumberedTile], *, with_features: bool
    ) -> Iterator[tuple[tuple[int, ...], list[npt.NDArray[Any]]]]:
        """Give all that is wanted of each batch.

        A device of its own works on a batch while the caller deals with the one before it.
        """
        most_ahead = 0 if self.device.type == "cpu" else _BATCHES_AHEAD
        asked: deque[tuple[tuple[int, ...], _Answers]] = deque()
        for numbers, images in _batches(tiles, self.device, self._batch_px):
            asked.append((numbers, _Answers.under_way(self._ask(images, with_features))))
            if len(asked) > most_ahead:
                numbers, answers = asked.popleft()
                yield numbers, answers.arrays()
        while asked:
            numbers, answers = asked.popleft()
            yield numbers, answers.arrays()

    def _ask(self, images: npt.NDArray[np.uint8], with_features: bool) -> list[Tensor]:
        """Start on a batch; on a device of its own this returns before the answer is there."""
        tiles = torch.from_numpy(images)
        if self.device.type == "cuda":  # only from page-locked memory is it sent without waiting
            tiles = tiles.pin_memory()
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, self._dtype, enabled=self._dtype != torch.float32),
        ):
            tiles = tiles.to(self.device, non_blocking=True)
            if with_features:
                logits, features = self._network.described(tiles)
                return [logits.float(), features.half()]
            return [self._network(tiles).float()]


@dataclass(frozen=True)
class _Answers:
    """The outputs for a batch, maybe still on their way from a graphics card."""

    outputs: list[Tensor]
    arrival: torch.cuda.Event | None

    @classmethod
    def under_way(cls, outputs: list[Tensor]) -> "_Answers":
        """Send outputs home as soon as they are there, without waiting for that."""
        if not outputs[0].is_cuda:
            return cls(outputs, None)
        home = [torch.empty(each.shape, dtype=each.dtype, pin_memory=True) for each in outputs]
        for place, output in zip(home, outputs, strict=True):
            place.copy_(output, non_blocking=True)
        arrival = torch.cuda.Event()  # type: ignore[no-untyped-call]
        arrival.record()
        return cls(home, arrival)

    def arrays(self) -> list[npt.NDArray[Any]]:
        """Wait for the outputs."""
        if self.arrival is not None:
            self.arrival.synchronize()
        return [each.cpu().numpy() for each in self.outputs]


def _batches(
    tiles: Iterable[NumberedTile], device: torch.device, batch_px: int
) -> Iterator[tuple[tuple[int, ...], npt.NDArray[np.uint8]]]:
    """Gather tiles of one size; on a CPU one at a time keeps activations in the cache."""
    for (height, width, _), alike in groupby(tiles, key=lambda tile: tile[1].shape):
        size = 1 if device.type == "cpu" else max(1, batch_px // (height * width))
        while batch := list(islice(alike, size)):
            numbers, images = zip(*batch, strict=True)
            yield numbers, np.stack(images)


def _batch_px(device: torch.device) -> int:
    """Return how many pixels a device is given at once."""
    if device.type != "cuda":
        return _GPU_BATCH_PX
    free_bytes, _ = torch.cuda.mem_get_info(device)
    return min(_GPU_BATCH_PX, free_bytes // 2 // _BYTES_PER_PX)


def usual_precision() -> str:
    """Return what *auto* is on this machine."""
    return _resolved("auto", torch.device(_best_device()))


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
