"""What every engine can do; `seg_core.model.engine_choice` has which one this machine gets."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from seg_core.model.features import DescribedTile

NumberedTile = tuple[int, npt.NDArray[np.uint8]]
NumberedLogits = tuple[int, npt.NDArray[np.float32]]


class Engine(Protocol):
    """Runs the network over a stream of tiles; owns its bounded queue and its batches."""

    name: str
    """Runtime, as recorded in a run."""

    precision: str
    """Arithmetic really used, as recorded in a run."""

    feature_count: int
    """Length of the features that `describe` gives; 0 for an engine that knows none."""

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

    def describe(self, tiles: Iterable[NumberedTile]) -> Iterator[DescribedTile]:
        """Answer each tile as `run` does, with its features."""
        ...
