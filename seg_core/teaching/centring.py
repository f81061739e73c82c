"""How far the features of a run are moved towards those that a classifier was taught on.

Slides differ in stain and scanner, and so do the features of all their nuclei alike; but they differ
in what tissue they show, too, and that is no reason to see it as another. So the mean of a run is
taken only part of the way to the mean of what was taught on.
"""

import numpy as np
import numpy.typing as npt

CENTRING = 0.5
"""The part of the way, 0 to 1, that a classifier taught now goes."""

# The mean of so many nuclei is half believed: few of them say little of their slide.
_HALF_BELIEVED = 100

_Floats = npt.NDArray[np.float64]


def shift_of(own: _Floats, count: int, mean: _Floats, centring: float) -> _Floats:
    """Return what to subtract from the features of a run's nuclei.

    Parameters
    ----------
    own : (F,) float64
        Mean over the nuclei of the run.
    count : int
        How many they are.
    mean : (F,) float64
        Over all nuclei of the runs taught on.
    centring : float
        Part of the way, 0 to 1.

    Examples
    --------
    >>> shift_of(np.array([3.0]), 100, np.array([1.0]), 0.5)
    array([0.5])
    """
    if not count:
        return np.zeros_like(mean)
    return np.asarray(centring * count / (count + _HALF_BELIEVED) * (own - mean))
