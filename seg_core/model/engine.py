"""What every engine can do, and which one this machine gets."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from seg_core.model.card import ModelCard
from seg_core.settings import AnalysisSettings

NumberedTile = tuple[int, npt.NDArray[np.uint8]]
NumberedLogits = tuple[int, npt.NDArray[np.float32]]


class Engine(Protocol):
    """Runs the network over a stream of tiles; owns its bounded queue and its batches."""

    name: str
    """Runtime, as recorded in a run."""

    precision: str
    """Arithmetic really used, as recorded in a run."""

    def run(self, tiles: Iterable[NumberedTile]) -> Iterator[NumberedLogits]:
        """Answer each tile, in any order, taking tiles only as fast as they are answered.

        Parameters
        ----------
        tiles : iterable of (int, (H, W, 3) uint8)
            A number to know the answer by, and RGB.

        Yields
        ------
        number, logits : int, (C + 3, H, W) float32
            Semantic channels, background first, then the three of the ternary map.
        """
        ...


def make_engine(card: ModelCard, weights: Path, settings: AnalysisSettings) -> Engine:
    """Load a model into the engine that the settings ask for.

    Raises
    ------
    ModelError
        If the weights cannot be loaded.
    """
    # torch takes seconds to import and is not needed to look at a slide
    from seg_core.model.torch_engine import TorchEngine

    return TorchEngine(card, weights, precision=settings.precision)
