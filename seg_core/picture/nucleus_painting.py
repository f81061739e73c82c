"""Colours over the slide: nuclei drawn, and maps painted as they are.

What is painted is a `Viewport`. What maps show that are finer than it, see
`seg_core.picture.map_painting`.
"""

import copy
import math
from collections.abc import Collection
from functools import partial
from typing import Self

import cv2
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.classes import BACKGROUND, BOUNDARY, INSIDE, UNCERTAIN_ID, ClassScheme, rgb_of
from seg_core.geometry import Raster, Window
from seg_core.maps import MapName
from seg_core.nuclei.certainty import is_uncertain
from seg_core.nuclei.names import Names, class_ids_of
from seg_core.picture.viewport import Viewport
from seg_core.store import RunMaps

RGBA = npt.NDArray[np.uint8]
"""(H, W, 4), colours not multiplied by the transparency."""

# Dark rims and light insides are seen on pink and violet alike, and no class has such a colour.
BOUNDARY_RGBA = (20, 20, 20, 255)
INSIDE_RGBA = (255, 255, 255, 110)

# Narrower nuclei would be filled by their outlines, so a dot says where one is.
_OUTLINED_FROM_PX = 5.0

# Smoothed by OpenCV it is two pixels wide.
_LINE_PX = 1

_MARGIN_PX = 8

# Polygon corners are handed to OpenCV in sixteenths of a pixel.
_SHIFT = 4


def sample_map(
    maps: RunMaps, name: MapName, raster: Raster, viewport: Viewport
) -> npt.NDArray[np.uint8]:
    """Return the value of the nearest map pixel for every pixel of a picture.

    The coarsest level of the maps is read that is not coarser than the picture. Outside the
    raster everything is background.

    Parameters
    ----------
    maps : RunMaps
        Of the whole raster.
    name : {"class", "ternary", "score"}
    raster : Raster
        The maps' level 0.
    viewport : Viewport

    Returns
    -------
    (H, W) uint8
    """
    finer_levels = math.log2(viewport.step / raster.downsample)
    level = max(0, min(maps.level_count - 1, math.floor(finer_levels)))
    pixel = raster.downsample * 2**level
    columns = _nearest(viewport.x - raster.region.x, viewport.step, pixel, viewport.width)
    rows = _nearest(viewport.y - raster.region.y, viewport.step, pixel, viewport.height)
    x, y = int(columns[0]), int(rows[0])
    window = Window(x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
    return maps.read_map(name, window, level)[np.ix_(rows - y, columns - x)]


def paint_classes(
    class_map: npt.NDArray[np.uint8], scheme: ClassScheme, shown: Collection[int]
) -> RGBA:
    """Give each pixel the colour of its class.

    Parameters
    ----------
    class_map : (H, W) uint8
    scheme : ClassScheme
    shown : collection of int
        Ids of the classes to paint; all else is transparent, background always.

    Returns
    -------
    rgba : (H, W, 4) uint8

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> paint_classes(np.array([[0, 1, 2]], dtype=np.uint8), MONUSAC, {1}).tolist()
    [[[0, 0, 0, 0], [230, 159, 0, 255], [0, 0, 0, 0]]]
    """
    palette = np.zeros((256, 4), dtype=np.uint8)
    for each in scheme.classes:
        if each.id in shown:
            palette[each.id] = (*each.rgb, 255)
    return palette[class_map]


def paint_ternary(ternary_map: npt.NDArray[np.uint8]) -> RGBA:
    """Paint the rims of nuclei dark and their insides with a veil of white."""
    palette = np.zeros((256, 4), dtype=np.uint8)
    palette[INSIDE] = INSIDE_RGBA
    palette[BOUNDARY] = BOUNDARY_RGBA
    return palette[ternary_map]


class NucleusPainter:
    """Draws a table's nuclei; makes its spatial index once, then answers any picture quickly."""

    def __init__(self, table: gpd.GeoDataFrame, scheme: ClassScheme) -> None:
        self._polygons: npt.NDArray[np.object_] = table.geometry.to_numpy()
        self._tree = shapely.STRtree(self._polygons)
        self._centroids = table[["x", "y"]].to_numpy(dtype=np.float64)
        self._name(Names.of(table), scheme)
        bounds = shapely.bounds(self._polygons)
        extents = (bounds[:, 2:] - bounds[:, :2]).mean(axis=1)
        self._typical_extent = float(np.median(extents)) if len(extents) else 0.0

    def renamed(self, names: Names, scheme: ClassScheme) -> Self:
        """Return what draws the same nuclei by the names of now; what is none is not drawn."""
        other = copy.copy(self)
        other._name(names, scheme)
        return other

    def _name(self, names: Names, scheme: ClassScheme) -> None:
        self._names, self._scheme = names, scheme
        self._class_ids = class_ids_of(names, scheme)

    def paint(
        self,
        viewport: Viewport,
        shown: Collection[int],
        *,
        scheme: ClassScheme | None = None,
        min_score: float = 0.0,
        line_px: int = _LINE_PX,
    ) -> RGBA:
        """Draw the nuclei of a picture: outlines, or dots where outlines would run together.

        Parameters
        ----------
        viewport : Viewport
        shown : collection of int
            Ids of the classes to draw; see `ClassScheme.id_of` for *other* and *uncertain*.
        scheme : ClassScheme, optional
            The same classes in other colours.
        min_score : float
            Nuclei with a lower class score are drawn as *uncertain*.
        line_px : int
            How wide outlines are.

        Returns
        -------
        rgba : (H, W, 4) uint8
        """
        outlined = self._typical_extent / viewport.step >= _OUTLINED_FROM_PX
        coverage_of = partial(self._outlines, line_px=line_px) if outlined else self._dots
        near = self._near(viewport)
        class_ids = self._class_ids[near]
        if min_score:
            scores = self._names.class_scores[near]
            uncertain = is_uncertain(scores, class_ids == BACKGROUND, min_score)
            class_ids[uncertain] = UNCERTAIN_ID
        rgba = np.zeros((viewport.height, viewport.width, 4), dtype=np.uint8)
        for class_id, colour in _colours_of(scheme or self._scheme).items():
            if class_id not in shown:
                continue
            rows = near[class_ids == class_id]
            if len(rows):
                coverage = coverage_of(rows, viewport)
                stronger = coverage > rgba[..., 3]
                rgba[stronger, :3] = colour
                rgba[stronger, 3] = coverage[stronger]
        return rgba

    def _near(self, viewport: Viewport) -> npt.NDArray[np.intp]:
        """Rows of the nuclei that touch a picture or the margin around it."""
        left, top, right, bottom = viewport.box
        margin = _MARGIN_PX * viewport.step
        box = shapely.box(left - margin, top - margin, right + margin, bottom + margin)
        near = np.sort(self._tree.query(box))
        return near[self._names.present[near]]

    def _outlines(
        self, rows: npt.NDArray[np.intp], viewport: Viewport, line_px: int
    ) -> npt.NDArray[np.uint8]:
        rings = shapely.get_exterior_ring(self._polygons[rows])
        corners, owners = shapely.get_coordinates(rings, return_index=True)
        points = _to_opencv(corners, viewport)
        lines = np.split(points, np.flatnonzero(np.diff(owners)) + 1)
        # OpenCV draws a line a little differently where it leaves the picture, which would show
        # between two tiles: let it leave outside.
        size = (viewport.height + 2 * _MARGIN_PX, viewport.width + 2 * _MARGIN_PX)
        coverage = np.zeros(size, dtype=np.uint8)
        cv2.polylines(coverage, lines, True, 255, line_px, cv2.LINE_AA, _SHIFT)
        return coverage[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX]

    def _dots(self, rows: npt.NDArray[np.intp], viewport: Viewport) -> npt.NDArray[np.uint8]:
        """Squares of two pixels, the smallest thing that is still seen."""
        corners = (self._centroids[rows] - (viewport.x, viewport.y)) / viewport.step - 0.5
        columns, lines = np.floor(corners).astype(np.intp).T + 1
        # One pixel more on each side, so that a dot half outside needs no care.
        coverage = np.zeros((viewport.height + 3, viewport.width + 3), dtype=np.uint8)
        inside = (
            (columns >= 0)
            & (columns <= viewport.width + 1)
            & (lines >= 0)
            & (lines <= viewport.height + 1)
        )
        columns, lines = columns[inside], lines[inside]
        for below in (0, 1):
            for right in (0, 1):
                coverage[lines + below, columns + right] = 255
        return coverage[1:-2, 1:-2]


def _colours_of(scheme: ClassScheme) -> dict[int, tuple[int, int, int]]:
    return {scheme.id_of(name): rgb_of(colour) for name, colour in scheme.colours.items()}


def _nearest(offset: float, step: float, pixel: float, count: int) -> npt.NDArray[np.intp]:
    """Return which map pixel the centre of each picture pixel of one axis falls on.

    Parameters
    ----------
    offset : float
        Corner of the picture from the corner of the map, level-0 pixels.
    step, pixel : float
        Size of a pixel of the picture and of the map, level-0 pixels.
    count : int
        Pixels of the picture along the axis.
    """
    centres = offset + (np.arange(count) + 0.5) * step
    return np.floor(centres / pixel).astype(np.intp)


def _to_opencv(corners: npt.NDArray[np.float64], viewport: Viewport) -> npt.NDArray[np.int32]:
    """Level-0 points to those of the widened picture; OpenCV counts from the centre of a pixel."""
    points = (corners - (viewport.x, viewport.y)) / viewport.step - 0.5 + _MARGIN_PX
    scaled: npt.NDArray[np.int32] = np.rint(points * (1 << _SHIFT)).astype(np.int32)
    return scaled
