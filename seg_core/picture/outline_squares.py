"""Outlines of nuclei for a program that draws them itself, a square of the slide at a time.

A square is one block of bytes, little-endian: the number of nuclei and of all corners (uint32 each)
and the unit in level-0 pixels (float32); then x and y of each corner in units from the square's
upper left one (int16), how many corners each outline has (uint16), and its class id (uint8). No
outline ends with the corner it has begun with; those of a class follow each other.
"""

import copy
import struct
from typing import Self

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.classes import BACKGROUND, UNCERTAIN_ID, ClassScheme
from seg_core.nuclei.certainty import is_uncertain
from seg_core.nuclei.names import Names, class_ids_of

SQUARE_PX = 1024
"""Side of a square, level-0 pixels; the first one has its corner at the slide's."""

UNIT_PX = 1 / 8
"""What corners are rounded to, unless an outline reaches too far for sixteen bits."""

HEADER = struct.Struct("<IIf")

_MOST_UNITS = np.iinfo(np.int16).max
_MOST_CORNERS = np.iinfo(np.uint16).max

# Columns and rows are put into one number, so that a square is found by bisection.
_ROW = 1 << 32


class OutlineSquares:
    """The outlines of a table; a nucleus belongs to the square that holds its centroid.

    Parameters
    ----------
    table : GeoDataFrame
        With the columns of `seg_core.nuclei.nucleus_table`.
    scheme : ClassScheme
    """

    def __init__(self, table: gpd.GeoDataFrame, scheme: ClassScheme) -> None:
        self._polygons: npt.NDArray[np.object_] = table.geometry.to_numpy()
        self._name(Names.of(table), scheme)
        column, row = (table[axis].to_numpy() // SQUARE_PX for axis in ("x", "y"))
        numbers = (row * _ROW + column).astype(np.int64)
        self._order = np.argsort(numbers, kind="stable")
        self._numbers = numbers[self._order]

    def renamed(self, names: Names, scheme: ClassScheme) -> Self:
        """Return the same outlines by the names of now; what is no nucleus is left out."""
        other = copy.copy(self)
        other._name(names, scheme)
        return other

    def _name(self, names: Names, scheme: ClassScheme) -> None:
        self._names = names
        self._class_ids = class_ids_of(names, scheme)

    def packed(self, column: int, row: int, *, min_score: float = 0.0) -> bytes:
        """Return the nuclei of a square, none where there are none.

        Parameters
        ----------
        column, row : int
        min_score : float
            Nuclei with a lower class score have the id of *uncertain*.
        """
        number = row * _ROW + column
        start, end = np.searchsorted(self._numbers, (number, number + 1))
        rows = self._order[start:end]
        rows = rows[self._names.present[rows]]
        class_ids = self._class_ids[rows]
        other = class_ids == BACKGROUND
        class_ids[is_uncertain(self._names.class_scores[rows], other, min_score)] = UNCERTAIN_ID
        by_class = np.argsort(class_ids, kind="stable")
        corner = (column * SQUARE_PX, row * SQUARE_PX)
        return pack_outlines(self._polygons[rows[by_class]], class_ids[by_class], corner)


def pack_outlines(
    polygons: npt.NDArray[np.object_], class_ids: npt.NDArray[np.uint8], corner: tuple[float, float]
) -> bytes:
    """Return polygons as the bytes described above; holes are left out.

    Parameters
    ----------
    polygons : (N,) shapely.Polygon
        Level-0 pixels.
    class_ids : (N,) uint8
    corner : (float, float)
        Of the square.

    Raises
    ------
    ValueError
        If an outline has more than 65,535 corners.

    Examples
    --------
    >>> square = pack_outlines(np.array([shapely.box(8, 0, 9, 1)]), np.array([2], np.uint8), (0, 0))
    >>> HEADER.unpack_from(square), len(square)
    ((1, 4, 0.125), 31)
    """
    rings = shapely.get_exterior_ring(polygons)
    corners, owners = shapely.get_coordinates(rings, return_index=True)
    is_last = np.diff(owners, append=-1) != 0
    counts = np.bincount(owners[~is_last], minlength=len(polygons))
    if counts.max(initial=0) > _MOST_CORNERS:
        raise ValueError(f"an outline has {counts.max()} corners; at most {_MOST_CORNERS} go.")
    relative = corners[~is_last] - corner
    unit = UNIT_PX
    while np.rint(np.abs(relative).max(initial=0.0) / unit) > _MOST_UNITS:
        unit *= 2
    return b"".join(
        (
            HEADER.pack(len(polygons), len(relative), unit),
            np.rint(relative / unit).astype("<i2").tobytes(),
            counts.astype("<u2").tobytes(),
            class_ids.tobytes(),
        )
    )
