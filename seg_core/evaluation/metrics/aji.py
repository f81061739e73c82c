"""The aggregated Jaccard index, as published and with each nucleus used once."""

import numpy as np

from seg_core.evaluation.metrics.instance import Comparison
from seg_core.evaluation.metrics.pairing import best_pairs


def aji(comparison: Comparison) -> float:
    """Return AJI, the aggregated Jaccard index of Kumar et al. (2017).

    Each nucleus of the reference takes the prediction with which its IoU is greatest, even one
    that another nucleus has taken already; the index is the pairs' common pixels over their united
    ones plus all pixels of nuclei that are in no pair. A prediction that covers two nuclei is thus
    counted twice, above the line and below. So the index is mostly below `aji_plus`, but may be
    above it where whole nuclei are merged, of which `aji_plus` counts one only.

    Returns
    -------
    index : float
        NaN if there is no nucleus on either side.
    """
    # the best pair of each row is written last; of equal ones the first in the reference's order
    order = np.lexsort((-comparison.columns, comparison.iou))
    best = np.full(len(comparison.reference), -1, dtype=np.int64)
    best[comparison.rows[order]] = order
    chosen = best[best >= 0]
    columns = comparison.columns[chosen]
    common = int(comparison.common[chosen].sum())
    reference = int(comparison.reference.areas.sum())
    taken = int(comparison.predicted.areas[columns].sum())
    unused = np.delete(comparison.predicted.areas, np.unique(columns)).sum()
    united = reference + taken - common + int(unused)
    return common / united if united else float("nan")


def aji_plus(comparison: Comparison) -> float:
    """Return AJI+, the aggregated Jaccard index with each nucleus used once.

    Nuclei are paired one to one so that the sum of their IoU is greatest; the index is the pairs'
    common pixels over their united ones plus all pixels of nuclei without a partner (Graham et al.
    2019).

    Returns
    -------
    index : float
        NaN if there is no nucleus on either side.
    """
    areas = int(comparison.reference.areas.sum() + comparison.predicted.areas.sum())
    if areas == 0:
        return float("nan")
    chosen = best_pairs(comparison.rows, comparison.columns, comparison.iou)
    common = int(comparison.common[chosen].sum())
    return common / (areas - common)
