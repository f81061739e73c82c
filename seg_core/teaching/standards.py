"""What is usual of each feature of nuclei, and how far each run is from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seg_core.teaching.centring import shift_of

# A feature that hardly varies says nothing, and must not be blown up.
_LEAST_SCALE = 1e-6

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Standards:
    """What is usual of each feature, over all nuclei of some runs.

    Attributes
    ----------
    mean, scale : (F,) float64
        What is subtracted and what is divided by.
    shifts : (R, F) float64
        What is subtracted beside, of each run; see `seg_core.teaching.centring`.
    """

    mean: _Floats
    scale: _Floats
    shifts: _Floats

    def standardised(self, runs: int | npt.NDArray[np.int64], values: npt.ArrayLike) -> _Floats:
        """Return features as a classifier is told them.

        Parameters
        ----------
        runs : int or (N,) int64
            Place of the run of all nuclei, or of each.
        values : (N, F)
        """
        return (np.asarray(values, np.float64) - self.shifts[runs] - self.mean) / self.scale


def standards_of(matrices: Sequence[npt.NDArray[np.float32]], centring: float) -> Standards:
    """Return mean and standard deviation of each feature, over all nuclei of all runs.

    Few labels say little of what is usual.

    Parameters
    ----------
    matrices : sequence of (N, F) float32
        Features of all nuclei of each run.
    centring : float
        See `seg_core.teaching.centring`.
    """
    counts = np.array([len(each) for each in matrices])
    own, variances = (
        np.stack([statistic(each) for each in matrices]) for statistic in (_means, _variances)
    )
    weights = counts if counts.any() else None
    mean = np.average(own, axis=0, weights=weights)
    shifts = np.stack(
        [
            shift_of(each, count, mean, centring)
            for each, count in zip(own, counts.tolist(), strict=True)
        ]
    )
    spread = variances + (own - shifts - mean) ** 2
    scale = np.sqrt(np.average(spread, axis=0, weights=weights))
    return Standards(mean, np.where(scale < _LEAST_SCALE, 1.0, scale), shifts)


def _means(matrix: npt.NDArray[np.float32]) -> _Floats:
    if not len(matrix):
        return np.zeros(matrix.shape[1])
    return np.asarray(matrix.mean(axis=0, dtype=np.float64))


def _variances(matrix: npt.NDArray[np.float32]) -> _Floats:
    if not len(matrix):
        return np.zeros(matrix.shape[1])
    return np.asarray(matrix.var(axis=0, dtype=np.float64))
