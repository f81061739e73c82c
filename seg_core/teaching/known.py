"""The features of a run's nuclei, by the ids of nuclei."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.store import Run
from seg_core.teaching.centring import shift_of
from seg_core.teaching.features import FeatureGroup, features_of_run

# A feature that hardly varies says nothing, and must not be blown up.
_LEAST_SCALE = 1e-6

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """What is known of the nuclei of a run, as it found them.

    Attributes
    ----------
    features : tuple of str
    matrix : (N, F) float32
    table : DataFrame
        ``nucleus_id``, ascending, ``class_name``, ``class_score``, ``x``, ``y``.
    mpp : float
        Size of a level-0 pixel, µm.
    """

    features: tuple[str, ...]
    matrix: npt.NDArray[np.float32]
    table: pd.DataFrame
    mpp: float

    @classmethod
    def of(cls, run: Run, groups: tuple[FeatureGroup, ...]) -> "Known":
        """Read them; `seg_core.errors.StoreError` where the run keeps none."""
        found = features_of_run(run, groups)
        columns = ["nucleus_id", "class_name", "class_score", "x", "y"]
        table = run.found_columns(columns)
        return cls(found.names, found.matrix, table, run.slide_mpp)

    def rows(self, nucleus_ids: npt.NDArray[np.int64]) -> _Floats:
        """Return the features of some nuclei, (n, F)."""
        return self.matrix[self._places(nucleus_ids)].astype(np.float64)

    def points_um(self, nucleus_ids: npt.NDArray[np.int64]) -> _Floats:
        """Return their centroids, (n, 2) µm."""
        points = self.table[["x", "y"]].to_numpy()[self._places(nucleus_ids)]
        return points * self.mpp

    def _places(self, nucleus_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.searchsorted(self.table["nucleus_id"].to_numpy(), nucleus_ids)


@dataclass(frozen=True)
class Standards:
    """What is usual of each feature, over all nuclei of some runs.

    Attributes
    ----------
    mean, scale : (F,) float64
        What is subtracted and what is divided by.
    shifts : tuple of (F,) float64
        What is subtracted beside, of each run; see `seg_core.teaching.centring`.
    """

    mean: _Floats
    scale: _Floats
    shifts: tuple[_Floats, ...]

    def standardised(self, run: int, values: _Floats) -> _Floats:
        """Return features (N, F) of nuclei of a run, given by its place, as a classifier is told them."""
        return (values - self.shifts[run] - self.mean) / self.scale


def standards_of(known: Sequence[Known], centring: float) -> Standards:
    """Return mean and standard deviation of each feature, over all nuclei of all runs.

    Few labels say little of what is usual.
    """
    counts = np.array([len(each.matrix) for each in known])
    own, variances = (
        np.stack([statistic(each.matrix) for each in known]) for statistic in (_means, _variances)
    )
    weights = counts if counts.any() else None
    mean = np.average(own, axis=0, weights=weights)
    shifts = tuple(
        shift_of(each, count, mean, centring)
        for each, count in zip(own, counts.tolist(), strict=True)
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
