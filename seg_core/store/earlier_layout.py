"""Maps as version 1 laid them out, to read: an image for each map, and one for its shares.

::

    maps.zarr/  class/  ternary/  score/              0  1  2 …     (H, W)
                class_shares/  ternary_shares/ …      2 …           (P, H, W)

Runs that are still older have no shares.
"""

from pathlib import Path

import zarr

from seg_core.files.disk_errors import store_errors
from seg_core.maps import MapName
from seg_core.store.maps_layout import MAP_NAMES, Planes, levels_of, map_damage


def open_earlier(
    path: Path,
) -> tuple[dict[MapName, list[Planes]], dict[MapName, list[Planes]]]:
    """Open the maps of an earlier version.

    Returns
    -------
    levels, shares : dict of list of Planes
        By map, the finest level first; without shares the second is empty.

    Raises
    ------
    StoreError
        If they are damaged.
    """
    with store_errors(path), map_damage(path):
        group = zarr.open_group(path, mode="r")

        def planes(image: str) -> list[Planes]:
            return [Planes(array, ...) for array in levels_of(group[image])]

        levels = {name: planes(name) for name in MAP_NAMES}
        if f"{MAP_NAMES[-1]}_shares" not in group:
            return levels, {}
        return levels, {name: planes(f"{name}_shares") for name in MAP_NAMES}
