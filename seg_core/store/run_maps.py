"""The maps of a run, to read."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from seg_core.files.disk_errors import store_errors
from seg_core.geometry import Window
from seg_core.maps import MapName, Maps
from seg_core.store.maps_layout import (
    MAP_NAMES,
    USUAL_CLASS_COUNT,
    map_damage,
    open_levels,
    open_shares,
)
from seg_core.store.shares import FIRST_SHARE_LEVEL, averaged, planes_of
from seg_core.store.windows import WindowReader


class RunMaps:
    """The maps of a run, to read.

    Parameters
    ----------
    path : Path
        The folder ``maps.zarr``.

    Raises
    ------
    StoreError
        If there are none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        levels, shares = open_levels(path, "r"), open_shares(path, "r")
        self._level_shapes = [array.shape for array in levels["class"]]
        self._levels = {name: WindowReader(*arrays) for name, arrays in levels.items()}
        self._share_shapes = [array.shape for array in shares["class"]] if shares else []
        self._shares = {name: WindowReader(*arrays) for name, arrays in shares.items()}

    @property
    def level_count(self) -> int:
        """Number of levels; level 0 is the raster itself."""
        return len(self._level_shapes)

    def level_shape(self, level: int) -> tuple[int, int]:
        """Return (height, width) of a level."""
        height, width = self._level_shapes[level]
        return height, width

    def read(self, window: Window, level: int = 0) -> Maps:
        """Read a window of a level; past the edges, and where nothing was analysed, all is 0.

        Parameters
        ----------
        window : Window
            Pixels of that level.
        level : int
        """
        return Maps(*(self.read_map(name, window, level) for name in MAP_NAMES))

    def read_map(self, name: MapName, window: Window, level: int = 0) -> npt.NDArray[np.uint8]:
        """Read one of the three, as `read` does, in a third of the time.

        Returns
        -------
        (H, W) uint8
        """
        with store_errors(self._path), map_damage(self._path):
            return self._levels[name].read(level, window)

    @property
    def share_level_count(self) -> int:
        """Number of levels that `read_shares` answers."""
        kept = len(self._share_shapes) or self.level_count
        return FIRST_SHARE_LEVEL + kept

    def read_shares(self, name: MapName, window: Window, level: int) -> npt.NDArray[np.uint8]:
        """Read how much of each pixel of a level is what; past the edges all is 0.

        A run of a version that kept no shares answers those of its halved maps, in which small
        nuclei are missing from the fourth level on.

        Parameters
        ----------
        name : {"class", "ternary", "score"}
        window : Window
            Pixels of that level.
        level : int
            Level 0 is the raster itself, whose shares are all or nothing.

        Returns
        -------
        (P, H, W) uint8
            Planes as `seg_core.store.shares` describes them.
        """
        if self._shares and level >= FIRST_SHARE_LEVEL:
            with store_errors(self._path), map_damage(self._path):
                return self._shares[name].read(level - FIRST_SHARE_LEVEL, window)
        finer = max(0, level - FIRST_SHARE_LEVEL)
        step = 2 ** (level - finer)
        seen = Window(*(step * each for each in window.to_json()))
        classes = self._share_shapes[0][0] if self._share_shapes else USUAL_CLASS_COUNT
        planes = planes_of(lambda each: self.read_map(each, seen, finer), name, classes)
        return averaged(planes, step)
