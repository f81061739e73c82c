"""Windows of a chunked array, read so that the window beside costs little.

A tile of the viewer is a quarter of a chunk, and to find, read and unpack a chunk takes longer than
to paint the tile. So the chunks read last are kept as they are unpacked.
"""

from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from seg_core.geometry import Window
from seg_core.store.maps_layout import Planes

# Of 512 × 512 bytes, or 256 × 256 with four planes.
_CHUNKS_KEPT = 32

# What touches more is no tile, and is read faster at once.
_MOST_CHUNKS = 6

_Image = npt.NDArray[np.uint8]


class WindowReader:
    """Reads arrays that change no more; several threads may.

    Parameters
    ----------
    levels : sequence of Planes
        Of arrays with square chunks.
    """

    def __init__(self, *levels: Planes) -> None:
        self._levels = levels
        self._chunk = lru_cache(maxsize=_CHUNKS_KEPT)(self._read_chunk)

    def read(self, number: int, window: Window) -> _Image:
        """Return a window of one of the levels; past its edges all is 0.

        Parameters
        ----------
        number : int
            Of the level.
        window : Window

        Returns
        -------
        (…, h, w) uint8
        """
        array, chosen = self._levels[number]
        height, width = array.shape[-2:]
        planes = np.empty(array.shape[:-2])[chosen].shape
        image = np.zeros((*planes, window.height, window.width), dtype=np.uint8)
        inside = window.intersection(Window(0, 0, width, height))
        if inside is None:
            return image
        side = array.chunks[-1]
        rows = range(inside.y // side, -(-inside.bottom // side))
        columns = range(inside.x // side, -(-inside.right // side))
        if len(rows) * len(columns) > _MOST_CHUNKS:
            part = array[chosen, *inside.slices()]
            image[..., *inside.moved(-window.x, -window.y).slices()] = part
            return image
        for row, column in product(rows, columns):
            seen = inside.intersection(Window(column * side, row * side, side, side))
            assert seen is not None, "the window touches the chunk"
            chunk = self._chunk(number, row, column)
            of_chunk = seen.moved(-column * side, -row * side).slices()
            image[..., *seen.moved(-window.x, -window.y).slices()] = chunk[..., *of_chunk]
        return image

    def _read_chunk(self, number: int, row: int, column: int) -> _Image:
        array, chosen = self._levels[number]
        side = array.chunks[-1]
        whole = Window(column * side, row * side, side, side)
        return np.asarray(array[chosen, *whole.slices()], dtype=np.uint8)
