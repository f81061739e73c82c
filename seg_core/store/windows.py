"""Windows of a chunked array, read so that the window beside costs little.

A tile of the viewer is a quarter of a chunk, and to find, read and unpack a chunk takes longer than
to paint the tile. So the chunks read last are kept as they are unpacked.
"""

from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from seg_core.geometry import Window

# Of 512 × 512 bytes, or 256 × 256 with four planes.
_CHUNKS_KEPT = 32

# What touches more is no tile, and is read faster at once.
_MOST_CHUNKS = 6

_Image = npt.NDArray[np.uint8]


class WindowReader:
    """Reads arrays that change no more; several threads may.

    Parameters
    ----------
    arrays : sequence of zarr.Array
        (…, H, W) uint8, with square chunks that hold all planes.
    """

    def __init__(self, *arrays: zarr.Array[Any]) -> None:
        self._arrays = arrays
        self._chunk = lru_cache(maxsize=_CHUNKS_KEPT)(self._read_chunk)

    def read(self, number: int, window: Window) -> _Image:
        """Return a window of one of the arrays; past its edges all is 0.

        Parameters
        ----------
        number : int
            Of the array.
        window : Window

        Returns
        -------
        (…, h, w) uint8
        """
        array = self._arrays[number]
        image = np.zeros((*array.shape[:-2], window.height, window.width), dtype=np.uint8)
        height, width = array.shape[-2:]
        inside = window.intersection(Window(0, 0, width, height))
        if inside is None:
            return image
        side = array.chunks[-1]
        rows = range(inside.y // side, -(-inside.bottom // side))
        columns = range(inside.x // side, -(-inside.right // side))
        if len(rows) * len(columns) > _MOST_CHUNKS:
            image[..., *inside.moved(-window.x, -window.y).slices()] = array[..., *inside.slices()]
            return image
        for row, column in product(rows, columns):
            part = inside.intersection(Window(column * side, row * side, side, side))
            assert part is not None, "the window touches the chunk"
            chunk = self._chunk(number, row, column)
            of_chunk = part.moved(-column * side, -row * side).slices()
            image[..., *part.moved(-window.x, -window.y).slices()] = chunk[..., *of_chunk]
        return image

    def _read_chunk(self, number: int, row: int, column: int) -> _Image:
        array = self._arrays[number]
        side = array.chunks[-1]
        whole = Window(column * side, row * side, side, side)
        return np.asarray(array[..., *whole.slices()], dtype=np.uint8)
