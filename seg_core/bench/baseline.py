"""The way the original project went, as the thing to compare with.

One tile at a time through PyTorch in float32, channels first, as the network was trained; logits
added up in floats over the whole image, divided by the sum of weights, and the largest taken.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from seg_core.model import ModelCard
from seg_core.model.network import TERNARY_CHANNELS, load_network
from seg_core.tiling import TileGrid
from seg_core.tiling.blend import tile_weights


class Baseline:
    """A model and how the original project ran it.

    Parameters
    ----------
    card : ModelCard
    weights : Path
    """

    name, precision = "reference", "fp32"

    def __init__(self, card: ModelCard, weights: Path) -> None:
        self._network = load_network(card, weights).requires_grad_(False)
        self._mean, self._std = (
            np.array(values, np.float32) * 255 for values in (card.mean, card.std)
        )

    def run(
        self, tiles: Iterable[tuple[int, npt.NDArray[np.uint8]]]
    ) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        """Answer tiles one by one, as an engine does."""
        for number, tile in tiles:
            image = ((tile - self._mean) / self._std).transpose(2, 0, 1)
            with torch.inference_mode():
                batch = torch.from_numpy(np.ascontiguousarray(image))[None]
                yield number, self._network(batch)[0].numpy()

    def maps_of(
        self, image: npt.NDArray[np.uint8], grid: TileGrid
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Return the class map and the ternary map of a whole image.

        Parameters
        ----------
        image : (H, W, 3) uint8
        grid : TileGrid
            Of the image.
        """
        sums, weight_sum = self._accumulators(grid)
        window = np.multiply.outer(*[tile_weights(grid.tile_px)] * 2)
        for number, logits in self.run(self.cut(image, grid)):
            row, column = divmod(number, grid.columns)
            place = grid.tile_window(column, row).slices()
            height, width = weight_sum[place].shape
            sums[:, *place] += (logits * window)[:, :height, :width]
            weight_sum[place] += window[:height, :width]
        sums /= weight_sum
        semantic, ternary = sums[:-TERNARY_CHANNELS], sums[-TERNARY_CHANNELS:]
        return semantic.argmax(axis=0).astype(np.uint8), ternary.argmax(axis=0).astype(np.uint8)

    def _accumulators(
        self, grid: TileGrid
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        heads = (self._network.sem_head[0], self._network.ter_head[0])
        channels = sum(head.out_channels for head in heads)
        shape = (grid.height, grid.width)
        return np.zeros((channels, *shape), np.float32), np.zeros(shape, np.float32)

    @staticmethod
    def cut(
        image: npt.NDArray[np.uint8], grid: TileGrid
    ) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        """Cut an image into the tiles of its grid; past its edges it is reflected."""
        for row in range(grid.rows):
            for column in range(grid.columns):
                window = grid.tile_window(column, row)
                part = image[window.slices()]
                below, right = window.height - part.shape[0], window.width - part.shape[1]
                tile = np.pad(part, ((0, below), (0, right), (0, 0)), mode="reflect")
                yield row * grid.columns + column, tile
