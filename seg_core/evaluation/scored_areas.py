"""Where on a slide an answer is scored, and which nucleus counts where.

A nucleus counts where its centroid lies, whole and not cut. Two nuclei that are one and the same
(IoU above 0.5) must not be torn apart by a border that runs between their centroids: the predicted
one then counts where its partner of the reference does. So does a nucleus with the dot that finds it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from seg_core.errors import DataError
from seg_core.evaluation.metrics import DETECTION_RADIUS_UM
from seg_core.evaluation.metrics.instance import MATCH_IOU

SQUARE_UM, LARGEST_UM = 500.0, 1000.0
"""Areas longer than the second are cut into squares with sides of the first."""

Shapes = npt.NDArray[np.object_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ScoredArea:
    """A part of a slide that is scored as one image is.

    Attributes
    ----------
    name : str
    area : str
        The region that it is a piece of; its own name where it is a whole one.
    polygon : shapely.Polygon or shapely.MultiPolygon
        Level-0 pixels.
    """

    name: str
    area: str
    polygon: shapely.Geometry


def scored_areas(
    labelled: Sequence[tuple[str, shapely.Geometry]], analysed: shapely.Geometry, mpp: float
) -> list[ScoredArea]:
    """Return what is scored: the labelled regions as far as they were analysed, large ones cut.

    Parameters
    ----------
    labelled : sequence of (str, shapely geometry)
        All that was analysed where it is empty.
    analysed : shapely geometry
    mpp : float
        Size of a level-0 pixel, µm.

    Raises
    ------
    DataError
        If nothing of the labelled regions was analysed.
    """
    scored: list[ScoredArea] = []
    told: Counter[str] = Counter()
    for given, shape in labelled or [("analysed part", analysed)]:
        told[given] += 1
        # areas are told apart by name, and people draw several that they call alike
        name = given if told[given] == 1 else f"{given} ({told[given]})"
        inside = shape.intersection(analysed)
        if inside.area <= 0:
            continue
        squares = _squares(inside, mpp)
        for number, square in enumerate(squares, start=1):
            own = name if len(squares) == 1 else f"{name}, square {number}"
            scored.append(ScoredArea(own, name, square))
    if not scored:
        raise DataError(
            "nothing of the annotated regions was analysed; analyse a part of the slide in which "
            "there are some."
        )
    return scored


def _squares(shape: shapely.Geometry, mpp: float) -> list[shapely.Geometry]:
    x0, y0, x1, y1 = shape.bounds
    if max(x1 - x0, y1 - y0) * mpp <= LARGEST_UM:
        return [shape]
    side = SQUARE_UM / mpp
    parts = [
        shape.intersection(shapely.box(x, y, x + side, y + side))
        for y in np.arange(y0, y1, side)
        for x in np.arange(x0, x1, side)
    ]
    return [each for each in parts if each.area > 0]


def area_of_points(points: npt.NDArray[np.float64], areas: Sequence[ScoredArea]) -> Ints:
    """Return the number of the area that holds each point, the first of several, -1 for none.

    Parameters
    ----------
    points : (N, 2) float
        (x, y), level-0 pixels.
    areas : sequence of ScoredArea
    """
    found = np.full(len(points), len(areas), dtype=np.int64)
    tree = shapely.STRtree([each.polygon for each in areas])
    rows, of = tree.query(shapely.points(points), predicate="intersects")
    np.minimum.at(found, rows, of)
    return np.where(found == len(areas), -1, found)


def areas_of_outlines(
    reference: Shapes, predicted: Shapes, areas: Sequence[ScoredArea]
) -> tuple[Ints, Ints]:
    """Return the area in which each nucleus counts, -1 for none: the reference's, the predicted.

    Parameters
    ----------
    reference, predicted : (N,) and (M,) shapely geometry
        Outlines, level-0 pixels.
    areas : sequence of ScoredArea
    """
    of_reference = area_of_points(_centroids(reference), areas)
    of_predicted = area_of_points(_centroids(predicted), areas)
    rows, columns = shapely.STRtree(predicted).query(reference, predicate="intersects")
    common = shapely.area(shapely.intersection(reference[rows], predicted[columns]))
    union = shapely.area(reference[rows]) + shapely.area(predicted[columns]) - common
    same = common > MATCH_IOU * union
    of_predicted[columns[same]] = of_reference[rows[same]]
    return of_reference, of_predicted


def areas_of_dots(
    dots: Shapes, predicted: Shapes, areas: Sequence[ScoredArea], mpp: float
) -> tuple[Ints, Ints]:
    """Return the area in which each dot and each predicted nucleus counts, -1 for none."""
    places = shapely.get_coordinates(dots)
    of_dots = area_of_points(places, areas)
    of_predicted = area_of_points(_centroids(predicted), areas)
    tree = shapely.STRtree(predicted)
    rows, columns = tree.query_nearest(dots, max_distance=DETECTION_RADIUS_UM / mpp)
    distances = np.hypot(*(places[rows] - _centroids(predicted[columns])).T)
    # of several dots on one nucleus the nearest to its centroid has it, so it is written last
    order = np.argsort(-distances, kind="stable")
    of_predicted[columns[order]] = of_dots[rows[order]]
    return of_dots, of_predicted


def _centroids(shapes: Shapes) -> npt.NDArray[np.float64]:
    return shapely.get_coordinates(shapely.centroid(shapes))
