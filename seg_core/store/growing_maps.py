"""Maps that are being written, read as if their coarser levels kept up with the finest."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seg_core.geometry import Window
from seg_core.maps import MapName
from seg_core.store.coarser_levels import PART_PX, coarser_window, parts_of
from seg_core.store.halving import halved
from seg_core.store.maps_layout import MAP_NAMES, SHARES_STEP
from seg_core.store.run_maps import RunMaps
from seg_core.store.shares import FIRST_SHARE_LEVEL, averaged, share_planes, shares_of

# More of level 0 is not read for one tile; the tile then shows what the coarser level has, of which
# rows that are so wide are a small part.
_MOST_PX = 16 * 2**20

_Image = npt.NDArray[np.uint8]


class GrowingMaps(RunMaps):
    """The maps of a run at work, or stopped; coarser levels are made as they are read where they lag.

    A writer makes coarser levels every few thousand rows, which on most of the slides that are
    looked at meanwhile is once.

    Parameters
    ----------
    path : Path
        The folder ``maps.zarr``.
    lacking : Window or None
        What of level 0 the coarser levels do not have yet, as ``bands.json`` says.

    Raises
    ------
    StoreError
        If there are none.
    """

    def __init__(self, path: Path, lacking: Window | None) -> None:
        super().__init__(path)
        self._lacking = lacking

    def _read_planes(self, window: Window, level: int) -> _Image:
        found = super()._read_planes(window, level)
        return self._made_up(found, window, level, lambda maps: _halved_to(maps, level))

    def read_map(self, name: MapName, window: Window, level: int = 0) -> _Image:
        """Read one of the three, as `RunMaps.read_map` does."""
        found = super().read_map(name, window, level)[None]
        number = MAP_NAMES.index(name)
        made = self._made_up(
            found, window, level, lambda maps: _halved_to(maps, level)[number][None]
        )
        return made[0]

    def read_shares(self, name: MapName, window: Window, level: int) -> _Image:
        """Read shares, as `RunMaps.read_shares` does."""
        found = super().read_shares(name, window, level)
        if level < FIRST_SHARE_LEVEL:  # these are made of level 0 at any time
            return found
        planes = share_planes(self._class_count)[name]
        return self._made_up(
            found, window, level, lambda maps: self._shares_at(maps, level)[planes]
        )

    def _shares_at(self, maps: _Image, level: int) -> _Image:
        shares = shares_of(maps, self._class_count, SHARES_STEP)
        for _ in range(FIRST_SHARE_LEVEL, level):
            shares = averaged(shares, 2)
        return shares

    def _made_up(
        self, found: _Image, window: Window, level: int, make: Callable[[_Image], _Image]
    ) -> _Image:
        """Put into what was found in a window what the level lacks there, made of level 0."""
        if not level or self._lacking is None:
            return found
        step = 2**level
        height, width = self.level_shape(0)
        behind = coarser_window(self._lacking, step).intersection(window)
        if behind is None:
            return found
        whole = Window(0, 0, width, height)
        seen = whole.intersection(Window(*(step * each for each in behind.to_json())))
        if seen is None or seen.area > _MOST_PX:
            return found
        for part in parts_of(seen, max(PART_PX, step)):
            maps = super()._read_planes(part, 0)
            place = coarser_window(part, step).moved(-window.x, -window.y)
            found[:, *place.slices()] = make(maps)
        return found


def _halved_to(maps: _Image, level: int) -> _Image:
    for _ in range(level):
        maps = halved(maps)
    return maps
