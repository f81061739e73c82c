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
from seg_core.nuclei.names import Names

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
        self._ids = table["nucleus_id"].to_numpy()
        self._polygons: npt.NDArray[np.object_] = table.geometry.to_numpy()
        self._bounds = shapely.bounds(self._polygons).reshape(-1, 4)
        self._given = Names.of(table)
        self._names = self._given.class_names
        strips = np.floor(table["y"].to_numpy() * mpp / STRIP_UM)
        self._order = np.lexsort((table["x"].to_numpy(), strips))

    def renamed(self, names: Names) -> Self:
        """Return an index of the same nuclei by the names of now; what is none has no answer."""
        other = copy.copy(self)
        other._given = names
        # a name that nobody asks for
        other._names = np.where(names.present, names.class_names, np.array(None, dtype=object))
        return other

    def with_min_score(self, min_score: float) -> Self:
        """Return an index of the same nuclei, those with a lower class score called *uncertain*."""
        names = self._given.class_names
        uncertain = is_uncertain(self._given.class_scores, names == OTHER, min_score)
        other = copy.copy(self)
        other._names = np.where(uncertain & self._given.present, UNCERTAIN, self._names)
        return other

    def name(self, nucleus_id: int) -> str | None:
        """Return what a nucleus is called, *uncertain* included; None where there is no such id."""
        row = self._row_of(nucleus_id)
        return None if row is None else str(self._names[row])

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
        return int(self._ids[held[0]]) if len(held) else None

    def row(self, nucleus_id: int) -> gpd.GeoSeries | None:
        """Return the row of a nucleus, None where the table has no such id."""
        row = self._row_of(nucleus_id)
        if row is None:
            return None
        found = self._table.iloc[row].copy()
        found["class_name"] = self._given.class_names[row]
        found["class_score"] = self._given.class_scores[row]
        return found

    def outlines(self, nucleus_ids: Collection[int]) -> list[shapely.Polygon]:
        """Return the outlines of nuclei; unknown ids are left out."""
        known = np.isin(self._ids, list(nucleus_ids)) & self._given.present
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

    def _row_of(self, nucleus_id: int) -> int | None:
        rows = np.flatnonzero((self._ids == nucleus_id) & self._given.present)
        return int(rows[0]) if len(rows) else None

    def _ids_of_class(self, nucleus_id: int) -> npt.NDArray[np.int64]:
        ids = self._ids[self._order]
        names = self._names[self._order]
        return ids[names == names[ids == nucleus_id][0]]
