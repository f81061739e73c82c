"""Which nuclei go into a file."""

from collections.abc import Iterator

import geopandas as gpd

from seg_core.classes import OTHER
from seg_core.store import Run


def chosen_nuclei(run: Run, *, other: bool) -> Iterator[gpd.GeoDataFrame]:
    """Read the nuclei of a run in one or more parts, perhaps empty ones.

    Parameters
    ----------
    run : Run
    other : bool
        Also those that no class names.

    Raises
    ------
    StoreError
        If the run has no nuclei yet.
    """
    parts = run.nuclei_in_parts()
    return (part if other else part[part["class_name"] != OTHER] for part in parts)
