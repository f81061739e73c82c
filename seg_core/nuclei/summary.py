"""Count and describe nuclei by class."""

import numpy as np
import pandas as pd

from seg_core.classes import ClassScheme

_MM2_PER_UM2 = 1e-6


def summarise(
    table: pd.DataFrame, area_um2: float | None, scheme: ClassScheme, *, other: bool = False
) -> pd.DataFrame:
    """Return a row for each class, those without a nucleus too.

    Parameters
    ----------
    table : NucleusTable
    area_um2 : float or None
        Area in which nuclei were looked for, of tissue if that is known; None gives no densities.
    scheme : ClassScheme
    other : bool
        Also count the nuclei that no class names, in a last row. By default they are not counted,
        and shares are of the others.

    Returns
    -------
    summary : DataFrame
        ``class_name``, ``count``, ``share`` of all nuclei counted, ``density_per_mm2``, and
        ``mean_area_um2``, ``sd_area_um2`` (of the sample), ``median_area_um2``. What cannot be had
        is NaN.

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> table = pd.DataFrame({"class_name": ["lymphocyte", "lymphocyte", "epithelial", "other"],
    ...                       "area_um2": [20.0, 30.0, 60.0, 50.0]})
    >>> summary = summarise(table, 0.5e6, MONUSAC).set_index("class_name")
    >>> summary.loc["lymphocyte", ["count", "density_per_mm2", "mean_area_um2"]].tolist()
    [2.0, 4.0, 25.0]
    >>> float(summary["share"].sum())
    1.0
    """
    names = list(scheme.names_with_other if other else scheme.names)
    areas = table["area_um2"].groupby(table["class_name"], observed=True)
    count = areas.size().reindex(names, fill_value=0)
    summary = pd.DataFrame(
        {
            "count": count,
            "share": count / count.sum() if count.sum() else np.nan,
            "density_per_mm2": count / (area_um2 * _MM2_PER_UM2) if area_um2 else np.nan,
            "mean_area_um2": areas.mean().reindex(names),
            "sd_area_um2": areas.std().reindex(names),
            "median_area_um2": areas.median().reindex(names),
        },
        index=pd.Index(names, name="class_name"),
    )
    return summary.reset_index()


def histogram(
    table: pd.DataFrame,
    scheme: ClassScheme,
    *,
    column: str = "area_um2",
    bins: int = 40,
    other: bool = False,
) -> pd.DataFrame:
    """Count the nuclei of each class in bins of one measure, the same bins for all classes.

    Parameters
    ----------
    table : NucleusTable
    scheme : ClassScheme
    column : str
        A measure of the table.
    bins : int
        How many of equal width, from 0 (or the least value, if that is below) to the greatest.
    other : bool
        Also count the nuclei that no class names.

    Returns
    -------
    histogram : DataFrame
        ``low`` and ``high`` of each bin, both ends of the last one included, and a column of
        counts for each class. No nuclei give no rows.

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> table = pd.DataFrame({"class_name": ["lymphocyte", "lymphocyte", "epithelial"],
    ...                       "area_um2": [20.0, 30.0, 60.0]})
    >>> histogram(table, MONUSAC, bins=2)[["low", "high", "epithelial", "lymphocyte"]]
        low  high  epithelial  lymphocyte
    0   0.0  30.0           0           1
    1  30.0  60.0           1           1
    """
    names = scheme.names_with_other if other else scheme.names
    values = {
        name: table.loc[table["class_name"] == name, column].to_numpy(dtype=np.float64)
        for name in names
    }
    everything = np.concatenate(list(values.values()))
    if not len(everything):
        nothing = {name: np.zeros(0, np.int64) for name in names}
        return pd.DataFrame({"low": np.zeros(0), "high": np.zeros(0), **nothing})
    ends = (everything.min(initial=0.0), everything.max())
    edges = np.histogram_bin_edges(everything, bins, range=ends)
    counts = {name: np.histogram(own, edges)[0] for name, own in values.items()}
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], **counts})
