"""Weigh what is known of many nuclei, a few rows at a time."""

from typing import Any

import numpy as np
import numpy.typing as npt

# So many rows are in memory as numbers that can be multiplied.
_ROWS = 100_000


def weighed(
    values: npt.NDArray[np.floating[Any]], weights: npt.NDArray[np.floating[Any]]
) -> npt.NDArray[np.float32]:
    """Return the weighed sums of each row.

    Parameters
    ----------
    values : (N, F) float
        Of whatever precision.
    weights : (K, F) float

    Returns
    -------
    (N, K) float32

    Examples
    --------
    >>> weighed(np.array([[1, 2]], np.float16), np.array([[1.0, 0.5]]))
    array([[2.]], dtype=float32)
    """
    turned = weights.T.astype(np.float32)
    found = np.empty((len(values), len(weights)), np.float32)
    for start in range(0, len(values), _ROWS):
        rows = values[start : start + _ROWS].astype(np.float32, copy=False)
        found[start : start + _ROWS] = rows @ turned
    return found
