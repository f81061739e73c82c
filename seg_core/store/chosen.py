"""Which nuclei go into a file."""

from collections.abc import Iterator

import geopandas as gpd
import shapely

from seg_core.classes import OTHER
from seg_core.nuclei import label_uncertain
from seg_core.nuclei.certainty import check_min_score
from seg_core.store import Run


def chosen_nuclei(
    run: Run, *, other: bool, min_score: float = 0.0, part: shapely.Geometry | None = None
) -> Iterator[gpd.GeoDataFrame]:
    """Read the nuclei of a run in one or more parts, perhaps empty ones.

    Parameters
    ----------
    run : Run
    other : bool
        Also those that no class names.
    min_score : float
        Those with a lower class score are called *uncertain*; see `seg_core.nuclei.certainty`.
    part : shapely.Polygon or shapely.MultiPolygon, optional
        Holds their centroids, level-0 pixels.

    Raises
    ------
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    check_min_score(min_score)
    tables = (label_uncertain(table, min_score) for table in run.nuclei_in_parts())
    named = (table if other else table[table["class_name"] != OTHER] for table in tables)
    if part is None:
        return named
    shapely.prepare(part)
    return (table[shapely.contains_xy(part, table["x"], table["y"])] for table in named)


def chosen_names(run: Run, *, other: bool, min_score: float) -> tuple[str, ...]:
    """Return what those nuclei can be called."""
    return run.scheme.counted_names(other=other, uncertain=min_score > 0)
