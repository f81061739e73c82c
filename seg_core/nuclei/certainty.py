"""Which nuclei are *uncertain*: the one rule for numbers, plots, tables, pictures and files.

A nucleus is uncertain when its class score, how sure its class is, is less than what was asked for. It
then counts as *uncertain* and for no class. *Other* stays other: no class has claimed it, and a
stricter reader must not get more nuclei counted.
"""

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from seg_core.classes import OTHER, UNCERTAIN
from seg_core.errors import SettingsError

VOTED_CLASS = "voted_class"
"""Column with the class that a nucleus would have, where ``class_name`` may be *uncertain*."""


def label_uncertain(table: gpd.GeoDataFrame, min_score: float) -> gpd.GeoDataFrame:
    """Call the nuclei of a table *uncertain* whose class score is below a threshold.

    Parameters
    ----------
    table : NucleusTable
    min_score : float
        0 to 1; with 0 none is uncertain and the table stays as it is.

    Returns
    -------
    table : NucleusTable
        With *uncertain* in ``class_name`` and the class as it was in a last column
        ``voted_class``, before the geometry.

    Raises
    ------
    SettingsError
        If the threshold is no share.

    Examples
    --------
    >>> from seg_core.nuclei.nucleus_table import empty_table
    >>> list(label_uncertain(empty_table(), 0.5).columns[-2:])
    ['voted_class', 'geometry']
    """
    check_min_score(min_score)
    if min_score == 0:
        return table
    voted = table["class_name"].astype(object)
    other = (voted == OTHER).to_numpy()
    names = voted.mask(is_uncertain(table["class_score"].to_numpy(), other, min_score), UNCERTAIN)
    columns = [name for name in table.columns if name != "geometry"]
    return table.assign(class_name=names, **{VOTED_CLASS: voted})[
        [*columns, VOTED_CLASS, "geometry"]
    ]


def is_uncertain(
    scores: npt.NDArray[np.float32], other: npt.NDArray[np.bool_], min_score: float
) -> npt.NDArray[np.bool_]:
    """Tell which nuclei are uncertain.

    Parameters
    ----------
    scores : (N,) float32
        Class scores.
    other : (N,) bool
        Which are *other*.
    min_score : float

    Returns
    -------
    uncertain : (N,) bool

    Examples
    --------
    >>> scores = np.array([0.4, 0.6, 0.4], dtype=np.float32)
    >>> is_uncertain(scores, np.array([False, False, True]), 0.6).tolist()
    [True, False, False]
    """
    # Scores are kept in single precision, so that is how they are compared.
    return (scores < np.float32(min_score)) & ~other


def class_name_sql(min_score: float) -> str:
    """Return the same rule as an SQL expression over the columns of the table."""
    check_min_score(min_score)
    return (
        f"case when class_score < {float(min_score)!r}::float and class_name <> '{OTHER}' "
        f"then '{UNCERTAIN}' else class_name end"
    )


def check_min_score(min_score: float) -> None:
    """Refuse a threshold that is no share.

    Raises
    ------
    SettingsError
    """
    if not 0 <= min_score <= 1:
        raise SettingsError(f"the least class score is {min_score:g}; give a share from 0 to 1.")
