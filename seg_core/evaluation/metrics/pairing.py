"""One-to-one pairs of two sides."""

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def best_pairs(rows: Ints, columns: Ints, gains: Floats) -> Ints:
    """Choose pairs so that no row or column occurs twice and the sum of gains is greatest.

    Pairs that have nothing in common, not even through others, are chosen apart: neighbouring
    nuclei make small groups, so time grows with their number and not with its cube.

    Parameters
    ----------
    rows, columns : (K,) int64
        The pairs that are allowed, each once.
    gains : (K,) float64
        Of each, above 0.

    Returns
    -------
    chosen : (M,) int64
        Indices of the pairs, rising.

    Examples
    --------
    >>> best_pairs(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([3.0, 2.0, 2.0]))
    array([1, 2])
    """
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    height, width = int(rows.max()) + 1, int(columns.max()) + 1
    links = scipy.sparse.coo_array(
        (np.ones(len(rows)), (rows, height + columns)), shape=(height + width, height + width)
    )
    _, group_of_node = connected_components(links, directed=False)
    group = group_of_node[rows]
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    chosen = [
        own if len(own) == 1 else own[_best_of_group(rows[own], columns[own], gains[own])]
        for own in np.split(order, starts[1:])
    ]
    return np.sort(np.concatenate(chosen))


def _best_of_group(rows: Ints, columns: Ints, gains: Floats) -> Ints:
    row_ids, row = np.unique(rows, return_inverse=True)
    column_ids, column = np.unique(columns, return_inverse=True)
    position = np.full((len(row_ids), len(column_ids)), -1, dtype=np.int64)
    position[row, column] = np.arange(len(rows))
    table = np.zeros(position.shape)
    table[row, column] = gains
    chosen = position[linear_sum_assignment(table, maximize=True)]
    return chosen[chosen >= 0]
