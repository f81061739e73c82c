"""Give nuclei the features of the pieces they are made of."""

import numpy as np
import numpy.typing as npt

from seg_core.maps import Pieces
from seg_core.nuclei.instances import Instances


def features_of(instances: Instances, pieces: Pieces) -> npt.NDArray[np.float16]:
    """Average over each nucleus what its pieces say, weighted by their pixels.

    Parameters
    ----------
    instances : Instances
    pieces : (P,) Pieces
        At least all whose named pixel lies in a nucleus; others do not matter.

    Returns
    -------
    features : (N, F) float16
        Row i is label i + 1; NaN for a nucleus of which nothing is known.
    """
    window = instances.window
    x, y = pieces["x"] - window.x, pieces["y"] - window.y
    inside = (x >= 0) & (x < window.width) & (y >= 0) & (y < window.height)
    owners = np.zeros(len(pieces), np.int64)
    owners[inside] = instances.labels[y[inside], x[inside]]
    order = np.argsort(owners, kind="stable")
    order = order[owners[order] > 0]
    features = np.full((len(instances), pieces["features"].shape[1]), np.nan, np.float16)
    if not len(order):
        return features
    known, starts = np.unique(owners[order], return_index=True)
    weights = pieces["pixels"][order].astype(np.float32)
    weighted = pieces["features"][order].astype(np.float32) * weights[:, None]
    sums = np.add.reduceat(weighted, starts, axis=0)
    features[known - 1] = sums / np.add.reduceat(weights, starts)[:, None]
    return features
