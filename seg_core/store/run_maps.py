"""The maps of a run, to read."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from seg_core.files.disk_errors import store_errors
from seg_core.geometry import Window
from seg_core.maps import MapName, Maps
from seg_core.store.earlier_layout import open_earlier
from seg_core.store.maps_layout import (
    MAP_NAMES,
    USUAL_CLASS_COUNT,
    map_damage,
    open_pyramid,
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
        pyramid = open_pyramid(path, "r")
        if pyramid is None:
            levels, shares = open_earlier(path)
        else:
            levels, shares = pyramid.levels(), pyramid.share_levels()
        self._files = None if pyramid is None else pyramid.map_files()
        self._level_shapes = [each.array.shape[-2:] for each in levels["class"]]
        self._levels = {name: WindowReader(*planes) for name, planes in levels.items()}
        self._share_shapes = [each.array.shape[-2:] for each in shares.get("class", ())]
        self._class_count = USUAL_CLASS_COUNT if pyramid is None else pyramid.class_count
        self._shares = {name: WindowReader(*planes) for name, planes in shares.items()}

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
        return Maps(*self._read_planes(window, level))

    def _read_planes(self, window: Window, level: int) -> npt.NDArray[np.uint8]:
        """Read a window of all three at once, (3, H, W)."""
        if self._files is None:
            return np.stack([self.read_map(name, window, level) for name in MAP_NAMES])
        height, width = self.level_shape(level)
        image = np.zeros((len(MAP_NAMES), window.height, window.width), np.uint8)
        if inside := window.intersection(Window(0, 0, width, height)):
            with store_errors(self._path), map_damage(self._path):
                part = self._files[level].read(inside)
            image[:, *inside.moved(-window.x, -window.y).slices()] = part
        return image

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
        planes = planes_of(lambda each: self.read_map(each, seen, finer), name, self._class_count)
        return averaged(planes, step)
