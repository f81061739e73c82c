"""Two runs of a slide side by side, counted where both have looked."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from seg_core.errors import RegionError
from seg_core.roi import Roi
from seg_core.scoring.parts import Part, parts_of
from seg_core.scoring.summary import Statistics
from seg_core.store import Run

IN_BOTH = "Analysed by both"
"""Name of the part in which two runs are compared."""


def part_in_both(first: Run, second: Run, rois: Sequence[Roi] = ()) -> Part:
    """Return what both runs of a slide analysed, less what ROIs exclude.

    Parameters
    ----------
    first, second : Run
        Of one slide.
    rois : sequence of Roi

    Raises
    ------
    RegionError
        If they have nothing in common.
    """
    one, other = (parts_of(run, rois)[0] for run in (first, second))
    polygon = one.polygon.intersection(other.polygon)
    if not polygon.area:
        raise RegionError(
            "these two analyses have no part of the slide in common; choose two that overlap."
        )
    return Part(IN_BOTH, polygon)


def compare_classes(first: Statistics, second: Statistics) -> pd.DataFrame:
    """Return the counts and densities of two runs and how the second differs from the first.

    Parameters
    ----------
    first, second : Statistics
        Of the part that both analysed.

    Returns
    -------
    compared : DataFrame
        A row for each name of either, then one of all: ``class_name``; ``count_first``,
        ``count_second``, ``count_difference``; ``density_first``, ``density_second``,
        ``density_difference`` per mm² of tissue; ``change``, the difference of the counts as a
        share of the first, NaN where that has none. A name that one of them does not know counts 0
        there.
    """
    names = list(dict.fromkeys([*first.classes["class_name"], *second.classes["class_name"]]))
    columns: dict[str, object] = {"class_name": [*names, "all"]}
    for which, each in (("first", first), ("second", second)):
        rows = each.classes.set_index("class_name")
        counts = rows["count"].reindex(names, fill_value=0)
        density = rows["density_per_mm2"].reindex(names, fill_value=0.0)
        columns[f"count_{which}"] = [*counts, counts.sum()]
        columns[f"density_{which}"] = [*density, density.sum(min_count=1)]
    compared = pd.DataFrame(columns)
    for figure in ("count", "density"):
        compared[f"{figure}_difference"] = (
            compared[f"{figure}_second"] - compared[f"{figure}_first"]
        )
    had = compared["count_first"].to_numpy(dtype=np.float64)
    compared["change"] = np.divide(
        compared["count_difference"], had, out=np.full(len(had), np.nan), where=had > 0
    )
    figures = [
        f"{figure}_{which}"
        for figure in ("count", "density")
        for which in ("first", "second", "difference")
    ]
    return compared[["class_name", *figures, "change"]]
