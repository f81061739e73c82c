"""Finds a nucleus by a point on the slide, and its neighbours in reading order."""

import copy
from collections.abc import Collection
from typing import Self

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.classes import OTHER, UNCERTAIN
from seg_core.nuclei.certainty import is_uncertain

STRIP_UM = 50.0
"""Height of a line of the reading order: about three nuclei."""


class NucleusIndex:
    """The outlines of a table, for questions about one nucleus.

    The reading order goes from left to right in strips of the slide, then to the next strip below.

    Parameters
    ----------
    table : GeoDataFrame
        With the columns of `seg_core.nuclei.nucleus_table`.
    mpp : float
        Size of a level-0 pixel, µm.
    """

    def __init__(self, table: gpd.GeoDataFrame, mpp: float) -> None:
        self._table = table
        self._polygons: npt.NDArray[np.object_] = table.geometry.to_numpy()
        self._bounds = shapely.bounds(self._polygons).reshape(-1, 4)
        self._names = table["class_name"].to_numpy()
        strips = np.floor(table["y"].to_numpy() * mpp / STRIP_UM)
        self._order = np.lexsort((table["x"].to_numpy(), strips))

    def with_min_score(self, min_score: float) -> Self:
        """Return an index of the same nuclei, those with a lower class score called *uncertain*."""
        scores = self._table["class_score"].to_numpy()
        uncertain = is_uncertain(scores, self._names == OTHER, min_score)
        other = copy.copy(self)
        other._names = np.where(uncertain, UNCERTAIN, self._names)
        return other

    def name(self, nucleus_id: int) -> str | None:
        """Return what a nucleus is called, *uncertain* included; None where there is no such id."""
        found = self._names[self._table["nucleus_id"].to_numpy() == nucleus_id]
        return str(found[0]) if len(found) else None

    def at(self, x: float, y: float, names: Collection[str]) -> int | None:
        """Return the id of the nucleus whose outline holds a point.

        Parameters
        ----------
        x, y : float
            Level-0 pixels.
        names : collection of str
            Classes to look among.

        Returns
        -------
        int or None
        """
        left, top, right, bottom = self._bounds.T
        near = np.flatnonzero((left <= x) & (x <= right) & (top <= y) & (y <= bottom))
        near = near[np.isin(self._names[near], list(names))]
        held = near[shapely.intersects_xy(self._polygons[near], x, y)]
        return int(self._table["nucleus_id"].iloc[held[0]]) if len(held) else None

    def row(self, nucleus_id: int) -> gpd.GeoSeries | None:
        """Return the row of a nucleus, None where the table has no such id."""
        rows = np.flatnonzero(self._table["nucleus_id"].to_numpy() == nucleus_id)
        return self._table.iloc[rows[0]] if len(rows) else None

    def outlines(self, nucleus_ids: Collection[int]) -> list[shapely.Polygon]:
        """Return the outlines of nuclei; unknown ids are left out."""
        known = np.isin(self._table["nucleus_id"].to_numpy(), list(nucleus_ids))
        return list(self._polygons[known])

    def place_in_class(self, nucleus_id: int) -> tuple[int, int]:
        """Return the number of a nucleus in the reading order of its class, and the class's size."""
        ids = self._ids_of_class(nucleus_id)
        return int(np.flatnonzero(ids == nucleus_id)[0]) + 1, len(ids)

    def next_of_class(self, nucleus_id: int, step: int) -> int:
        """Return the id of the next nucleus of the same class (-1: the one before), round the end."""
        ids = self._ids_of_class(nucleus_id)
        place = int(np.flatnonzero(ids == nucleus_id)[0])
        return int(ids[(place + step) % len(ids)])

    def _ids_of_class(self, nucleus_id: int) -> npt.NDArray[np.int64]:
        ids = self._table["nucleus_id"].to_numpy()[self._order]
        names = self._names[self._order]
        return ids[names == names[ids == nucleus_id][0]]
