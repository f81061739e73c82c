"""What the network says of each pixel: three maps, of a window or of a band of rows."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from seg_core.geometry import Window

MapName = Literal["class", "ternary", "score"]

Pieces = npt.NDArray[np.void]
"""What is known of parts of nuclei, one a row; see `piece_type` and `seg_core.tiling.pieces`."""

_Bytes = npt.NDArray[np.uint8]


def piece_type(feature_count: int) -> np.dtype[np.void]:
    """Return the fields of a piece of a nucleus.

    ``x`` and ``y`` are one of its pixels in the raster, ``pixels`` how many it has, ``features``
    the means over them.
    """
    place = [(name, np.int32) for name in ("x", "y", "pixels")]
    return np.dtype([*place, ("features", np.float16, (feature_count,))])


@dataclass(frozen=True)
class Maps:
    """What the network says of a window of a raster, pixel by pixel.

    Attributes
    ----------
    class_map : (H, W) uint8
        Class id, 0 background.
    ternary_map : (H, W) uint8
        0 background, 1 inside, 2 boundary.
    score : (H, W) uint8
        Probability of the class, 255 for 1.
    """

    class_map: npt.NDArray[np.uint8]
    ternary_map: npt.NDArray[np.uint8]
    score: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        for name in ("class_map", "ternary_map", "score"):
            plane = getattr(self, name)
            if plane.ndim != 2 or plane.shape != self.class_map.shape or plane.dtype != np.uint8:
                raise ValueError(
                    f"{name} is {plane.dtype} of shape {plane.shape}; all three maps need to be "
                    f"uint8 of one shape, here {self.class_map.shape}."
                )

    def cropped(self, window: Window) -> "Maps":
        """Return a part, given in pixels of the maps; not copied."""
        part = window.slices()
        return Maps(self.class_map[part], self.ternary_map[part], self.score[part])


@dataclass(frozen=True)
class MapBand:
    """Decided rows of the maps.

    Attributes
    ----------
    window : Window
        Where they lie in the raster.
    class_map : (h, w) uint8
        Class id, 0 background.
    ternary_map : (h, w) uint8
        0 background, 1 inside, 2 boundary.
    score : (h, w) uint8
        Softmax probability of the class, 255 for 1. 0, and so are the others, where no tile was
        asked.
    pieces : (N,) Pieces, optional
        What is known of the nuclei in it; None where no features were asked for.
    """

    window: Window
    class_map: _Bytes
    ternary_map: _Bytes
    score: _Bytes
    pieces: Pieces | None = None

    def __post_init__(self) -> None:
        shape = (self.window.height, self.window.width)
        for name in ("class_map", "ternary_map", "score"):
            plane = getattr(self, name)
            if plane.shape != shape or plane.dtype != np.uint8:
                raise ValueError(
                    f"{name} is {plane.dtype} of shape {plane.shape}; "
                    f"this band needs uint8 of shape {shape}."
                )
