"""The features of a run's nuclei, by the ids of nuclei."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.errors import TeachingError
from seg_core.store import Run
from seg_core.teaching.features import FeatureGroup, features_of_run

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
        """Return the features of some nuclei, (n, F); TeachingError where one is not there."""
        return self.matrix[self._places(nucleus_ids)].astype(np.float64)

    def points_um(self, nucleus_ids: npt.NDArray[np.int64]) -> _Floats:
        """Return their centroids, (n, 2) µm; TeachingError where one is not there."""
        points = self.table[["x", "y"]].to_numpy()[self._places(nucleus_ids)]
        return points * self.mpp

    def _places(self, nucleus_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        places = pd.Index(self.table["nucleus_id"]).get_indexer(nucleus_ids)
        if (places < 0).any():
            raise TeachingError(
                f"the nucleus {nucleus_ids[places.argmin()]} that is labelled is not among those of "
                "its run, which was perhaps analysed anew since; take the label back, and label again."
            )
        return places
