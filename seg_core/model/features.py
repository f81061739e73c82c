"""What a network knows of a nucleus beside its class: what one block of its decoder takes and gives.

At a quarter of the tile's resolution, 1 µm a square, the encoder still says how a thing looks, and
the decoder, which has seen all coarser levels, what stands around it. Of all layers, alone and in
pairs, these two let few labels on tissue unknown to the network (Lizard) tell most.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FEATURE_STRIDE_PX = 4
"""Pixels of a tile to a side of the squares that features are given for."""

FEATURE_BLOCK = -3
"""The block of the decoder, counted from the last one, that gives an output for each square."""


class DescribedTile(NamedTuple):
    """The answer to one tile, with what the network knows of its content beside the logits.

    Attributes
    ----------
    number : int
        To know the answer by.
    logits : (C + 3, H, W) float32
    features : (F, H / 4, W / 4) float16
        Of each square of `FEATURE_STRIDE_PX` pixels: what the encoder gives to the block, then what
        the block gives.
    """

    number: int
    logits: npt.NDArray[np.float32]
    features: npt.NDArray[np.float16]
