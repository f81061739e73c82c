"""Where the nuclei of a table lie, by which what was said of one is known again in another table.

Ids run from 1 to N. An analysis that is made anew, by another engine for instance, may find a nucleus
more or fewer, and every id after it is then another nucleus's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import KDTree

from seg_core.errors import StoreError
from seg_core.files.disk_errors import store_errors
from seg_core.store.nuclei_file import read_columns
from seg_core.store.seal import NUCLEI, check_nuclei

SAME_NUCLEUS_UM = 2.0
"""Centroids of two tables no farther apart are of one nucleus; the smallest are 4 µm across."""

Place = tuple[float, float]
"""A centroid, level-0 pixels."""

# A hundredth of a pixel is far less than what tells two nuclei apart.
_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class NucleusPlaces:
    """The centroids of a table of nuclei.

    Attributes
    ----------
    path : Path
        The file.
    checksum : str
        What the seal of its run says of it; empty where a run has none.
    mpp : float
        Size of a level-0 pixel, µm.
    """

    path: Path
    checksum: str
    mpp: float

    def of(self, nuclei: Sequence[int]) -> tuple[Place, ...]:
        """Return where some nuclei lie.

        Raises
        ------
        StoreError
            If one is not in the table, or the file is no longer the one that is meant.
        """
        ids, centroids = _centroids(*self._state())
        rows = ids.get_indexer(pd.Index(list(nuclei)))
        if (rows < 0).any():
            missing = nuclei[int(rows.argmin())]
            raise StoreError(
                f"{self.path} has no nucleus {missing}; give the ids that stand in the table of this "
                "run."
            )
        return tuple((float(x), float(y)) for x, y in centroids[rows].round(_DECIMALS))

    def nearest(self, places: Mapping[int, Place]) -> dict[int, int]:
        """Return which nucleus of this table each of another one is.

        Parameters
        ----------
        places : mapping of int to (float, float)
            Where nuclei of the other table lie, by their ids in it.

        Returns
        -------
        same : dict of int to int
            Without those of which no nucleus is at their place. No two are the same one.

        Raises
        ------
        StoreError
            If the file is no longer the one that is meant.
        """
        if not places:
            return {}
        state = self._state()
        points = np.array(list(places.values()), np.float64)
        far = SAME_NUCLEUS_UM / self.mpp
        distances, rows = _tree(*state).query(points, distance_upper_bound=far)
        ids, others = _centroids(*state)[0], list(places)
        same: dict[int, int] = {}
        for each in np.argsort(-distances, kind="stable"):  # the nearest has the last word
            if np.isfinite(distances[each]):
                same[int(ids[rows[each]])] = others[each]
        return {other: number for number, other in same.items()}

    def _state(self) -> tuple[Path, int, int]:
        if self.checksum:
            check_nuclei(self.path, {NUCLEI: self.checksum})
        with store_errors(self.path.parent):
            found = self.path.stat()
        return self.path, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=4)
def _centroids(path: Path, size: int, changed: int) -> tuple[pd.Index, npt.NDArray[np.float64]]:
    table = read_columns(path, ["nucleus_id", "x", "y"])
    return pd.Index(table["nucleus_id"]), table[["x", "y"]].to_numpy(np.float64)


@lru_cache(maxsize=4)
def _tree(path: Path, size: int, changed: int) -> KDTree:
    return KDTree(_centroids(path, size, changed)[1])
