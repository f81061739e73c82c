"""Which pixels of the class map are of nuclei that do not count, so that they are not painted.

A nucleus that somebody called none, that no class claims, whose class is too doubtful for the
reader, or that lies in a ROI to exclude stands in no number; seen as a class it would contradict
them. So would one that a person or a classifier has given another class since. Which nuclei count
is not decided here, see `seg_core.scoring.counted`.
"""

from collections.abc import Iterable

import cv2
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.classes import ClassScheme
from seg_core.picture.viewport import Viewport

# Narrower nuclei are no shapes any more, but parts of a pixel.
_SHAPES_FROM_PX = 2.0

# A nucleus ends where its pixels do; those of the class map may end a level-0 pixel later.
_RIM_PX = 1.0

# OpenCV fills all pixels that an outline touches: so many finer ones to a pixel's side are averaged.
_FINER = 4

# Corners are handed to OpenCV in sixteenths of a pixel.
_SHIFT = 4

_Planes = npt.NDArray[np.uint8]


class Uncounted:
    """Hides the nuclei of a run that do not count.

    Parameters
    ----------
    found : GeoDataFrame
        All nuclei as the model found them; see `seg_core.nuclei.nucleus_table`.
    counted : (N,) int
        Ids of those that count as what the model found them to be.
    scheme : ClassScheme
        The model's, which the class map is of.
    left_out : shapely.Geometry, optional
        What the ROIs to exclude cover, level-0 pixels.
    """

    def __init__(
        self,
        found: gpd.GeoDataFrame,
        counted: npt.NDArray[np.int64],
        scheme: ClassScheme,
        left_out: shapely.Geometry | None = None,
    ) -> None:
        counts = np.isin(found["nucleus_id"].to_numpy(), counted)
        polygons: npt.NDArray[np.object_] = found.geometry.to_numpy()
        rows = np.flatnonzero(~counts)
        self._polygons = polygons[rows]
        self._tree = shapely.STRtree(self._polygons)
        self._centroids = found[["x", "y"]].to_numpy(dtype=np.float64)[rows]
        self._areas = shapely.area(self._polygons)
        ids = {name: scheme.id_of(name) for name in scheme.names_with_other}
        self._classes = found["class_name"].astype(object).map(ids).to_numpy(np.uint8)[rows]
        self._extent = float(np.sqrt(np.median(self._areas))) if len(rows) else 0.0
        self._left_out = _without_those_that_count(left_out, polygons[counts])

    def hide(self, opacity: _Planes, viewport: Viewport) -> _Planes:
        """Return opacities of a picture with none where nuclei do not count.

        Parameters
        ----------
        opacity : (H, W) uint8
        viewport : Viewport
            At least as fine as nuclei are large.
        """
        near = self._polygons[self._near(viewport)]
        hidden = _covered(near, viewport, grown_px=_RIM_PX)
        return _less(opacity, np.maximum(hidden, self._outside(viewport)))

    def take_out(self, shares: _Planes, viewport: Viewport) -> _Planes:
        """Return the shares of classes less those of nuclei that do not count.

        Parameters
        ----------
        shares : (P, H, W) uint8
            One plane for each class of the model, 255 for all of a pixel.
        viewport : Viewport
        """
        if self._extent / viewport.step >= _SHAPES_FROM_PX:
            return np.stack([self.hide(plane, viewport) for plane in shares])
        left = np.clip(np.rint(shares - self._taken(shares.shape, viewport)), 0, 255)
        return _less(left.astype(np.uint8), self._outside(viewport))

    def _taken(self, shape: tuple[int, ...], viewport: Viewport) -> npt.NDArray[np.float64]:
        """Return how much of each pixel nuclei cover, taken for squares, (P, H, W), 255 for all."""
        taken = np.zeros(shape, dtype=np.float64)
        near = self._near(viewport)
        near = near[self._classes[near] > 0]  # what no class claims has no share of any
        planes = self._classes[near].astype(np.intp) - 1
        sides = np.sqrt(self._areas[near])[:, None] / viewport.step
        starts = (self._centroids[near] - (viewport.x, viewport.y)) / viewport.step - sides / 2
        first = np.floor(starts).astype(np.intp)
        for step in np.ndindex(3, 3):  # a square below two pixels touches three at the most
            pixels = first + step
            overlaps = np.minimum(starts + sides, pixels + 1) - np.maximum(starts, pixels)
            parts = 255 * np.clip(overlaps, 0, None).prod(axis=1)
            seen = (pixels >= 0).all(axis=1) & (pixels < (viewport.width, viewport.height)).all(
                axis=1
            )
            columns, rows = pixels[seen].T
            np.add.at(taken, (planes[seen], rows, columns), parts[seen])
        return taken

    def _near(self, viewport: Viewport) -> npt.NDArray[np.intp]:
        return self._tree.query(shapely.box(*viewport.box))

    def _outside(self, viewport: Viewport) -> _Planes:
        """Return how much of each pixel the ROIs to exclude cover, (H, W), 255 for all of it."""
        return _covered(shapely.get_parts(self._left_out), viewport)


def _without_those_that_count(
    left_out: shapely.Geometry | None, counted: npt.NDArray[np.object_]
) -> shapely.Geometry:
    """Return the ROIs to exclude less what of counted nuclei reaches into them.

    A nucleus is where its centroid is: one on the border is seen whole or not at all.
    """
    if left_out is None:
        return shapely.Polygon()
    shapely.prepare(left_out)
    reaching = counted[shapely.intersects(left_out, counted)]
    whole = shapely.union_all(shapely.buffer(reaching, _RIM_PX, join_style="mitre"))
    return left_out.difference(whole) if len(reaching) else left_out


def _covered(
    polygons: Iterable[shapely.Geometry], viewport: Viewport, *, grown_px: float = 0.0
) -> _Planes:
    """Return how much of each pixel polygons cover that do not overlap, (H, W), 255 for all of it.

    They are grown by so many level-0 pixels.
    """
    height, width = viewport.height, viewport.width
    rings = [
        _to_opencv(ring, viewport)
        for polygon in polygons
        if isinstance(polygon, shapely.Polygon) and not polygon.is_empty
        for ring in (polygon.exterior, *polygon.interiors)
    ]
    if not rings:
        return np.zeros((height, width), dtype=np.uint8)
    covered = np.zeros((_FINER * height, _FINER * width), dtype=np.uint8)
    cv2.fillPoly(covered, rings, 255, cv2.LINE_8, _SHIFT)
    reach = round(grown_px * _FINER / viewport.step)
    if reach:
        covered = cv2.dilate(covered, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return cv2.resize(covered, (width, height), interpolation=cv2.INTER_AREA)


def _to_opencv(ring: shapely.LinearRing, viewport: Viewport) -> npt.NDArray[np.int32]:
    """Level-0 points to those of the finer picture; OpenCV counts from the centre of a pixel."""
    corner = (viewport.x, viewport.y)
    points = (shapely.get_coordinates(ring) - corner) * (_FINER / viewport.step) - 0.5
    return np.rint(points * (1 << _SHIFT)).astype(np.int32)


def _less(planes: _Planes, hidden: _Planes) -> _Planes:
    """Take away what is hidden: all where that is 255, nothing where it is 0."""
    if not hidden.any():
        return planes
    return (planes * (255 - hidden.astype(np.uint16)) // 255).astype(np.uint8)
