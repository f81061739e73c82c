"""One area of a slide scored: nuclei become pixels, and each gets what became of it."""

import math
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.classes import OTHER, ClassScheme
from seg_core.errors import DataError
from seg_core.evaluation.dots import DotScore, nuclei_of_dots, nuclei_unjudged, score_dots
from seg_core.evaluation.metrics import ImageScore, compare, score_image
from seg_core.evaluation.scored_areas import ScoredArea
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.labelled_image import Dots
from seg_core.labelled.nuclei import Nuclei
from seg_core.labelled.painting import painted

FOUND, MISSED, SPURIOUS, WRONG_CLASS, NOT_ASKED = (
    *("found", "missed", "spurious", "wrong class", "not asked"),
)
"""What became of a nucleus: of one that a class-blind reference cannot judge nothing is said."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all areas of an evaluation have in common."""

    scheme: ClassScheme
    mpp: float
    """Of the pixels that nuclei are painted on."""
    fine: int
    """Such pixels along a level-0 pixel."""
    ignored: shapely.Geometry
    classed: bool


@dataclass(frozen=True, slots=True)
class InArea:
    """The nuclei that count in an area: shapes and classes of the reference, rows of the run."""

    area: ScoredArea
    shapes: npt.NDArray[np.object_]
    classes: npt.NDArray[np.uint8]
    table: gpd.GeoDataFrame

    def canvas(self, setting: Setting) -> "_Canvas":
        """Return pixels for the area and its nuclei."""
        everything = [self.area.polygon, *self.shapes, *self.table.geometry]
        x0, y0, x1, y1 = shapely.total_bounds(np.array(everything, dtype=np.object_))
        left, top = math.floor(x0), math.floor(y0)
        width, height = math.ceil(x1) - left, math.ceil(y1) - top
        return _Canvas(left, top, width * setting.fine, height * setting.fine, setting.fine)


@dataclass(frozen=True, slots=True)
class _Canvas:
    """Pixels that hold an area and all nuclei that count in it."""

    left: int
    top: int
    width: int
    height: int
    fine: int

    def placed(self, shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
        return shapely.transform(
            shapes, lambda points: (points - (self.left, self.top)) * self.fine
        )

    def paint(self, shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.int32]:
        return painted(list(self.placed(shapes)), self.width, self.height)

    def covers(self, shape: shapely.Geometry) -> npt.NDArray[np.bool_]:
        if shape.is_empty:
            return np.zeros((self.height, self.width), dtype=np.bool_)
        return self.paint(np.array([shape], dtype=np.object_)) > 0


def _class_ids(table: gpd.GeoDataFrame, scheme: ClassScheme) -> npt.NDArray[np.uint8]:
    return np.array([scheme.id_of(name) for name in table["class_name"]], dtype=np.uint8)


def score_outlines(
    side: InArea, patient: str, setting: Setting, *, every: bool
) -> tuple[ImageScore, gpd.GeoDataFrame]:
    """Return what an area with outlines contributes, and what became of each of its nuclei."""
    canvas, scheme = side.canvas(setting), setting.scheme
    labels, answer = canvas.paint(side.shapes), canvas.paint(side.table.geometry.to_numpy())
    ignore = ~canvas.covers(side.area.polygon) & (labels == 0) & (answer == 0)
    ignore |= canvas.covers(setting.ignored)
    classes = None
    if setting.classed:
        unknown = np.concatenate([[False], side.classes == UNKNOWN])
        ignore |= unknown[labels]
        labels = np.where(unknown[labels], 0, labels)
        classes = np.where(side.classes == UNKNOWN, 0, side.classes)
    reference = Nuclei(labels, classes)
    predicted = Nuclei(answer, _class_ids(side.table, scheme))
    score = score_image(
        reference,
        predicted,
        scheme,
        mpp=setting.mpp,
        patient=patient,
        count_other=every,
        ignore=ignore,
    )
    comparison = compare(reference, predicted, ignore)
    matched = comparison.matched()
    rows = matched.reference.ids[matched.rows] - 1
    columns = matched.predicted.ids[matched.columns] - 1
    missed = np.setdiff1d(comparison.reference.ids - 1, rows)
    spurious = np.setdiff1d(comparison.predicted.ids - 1, columns)
    return score, _outcomes(side, setting, rows, columns, missed, spurious, every)


def score_dotted(
    side: InArea, patient: str, setting: Setting, *, every: bool
) -> tuple[DotScore, gpd.GeoDataFrame]:
    """Return what an area with dots contributes, and what became of each of its nuclei."""
    canvas, scheme = side.canvas(setting), setting.scheme
    answer = canvas.paint(side.table.geometry.to_numpy())
    ids = _class_ids(side.table, scheme)
    ignored = canvas.covers(setting.ignored)
    areas = np.bincount(answer.ravel(), minlength=len(ids) + 1)
    inside = np.bincount(answer[ignored], minlength=len(ids) + 1)
    gone = 2 * inside > areas
    gone[0] = False
    answer = np.where(gone[answer], 0, answer)
    points = shapely.get_coordinates(canvas.placed(side.shapes))
    asked = ~shapely.intersects_xy(setting.ignored, *shapely.get_coordinates(side.shapes).T)
    if not setting.classed:
        raise DataError(
            "dots without a class of ours say nothing that can be scored; map at least one of their "
            "classes."
        )
    dots = Dots(points[asked], side.classes[asked])
    score = score_dots(dots, Nuclei(answer, ids), scheme, mpp=setting.mpp, patient=patient)
    known = dots.classes != UNKNOWN
    own = np.flatnonzero(asked)[known]
    found = nuclei_of_dots(answer, dots.points[known], setting.mpp)
    rows, columns = own[found > 0], found[found > 0] - 1
    there = np.setdiff1d(answer, [0, *nuclei_unjudged(dots, answer, found, setting.mpp)]) - 1
    return score, _outcomes(
        side, setting, rows, columns, own[found == 0], np.setdiff1d(there, columns), every
    )


def _outcomes(
    side: InArea,
    setting: Setting,
    rows: npt.NDArray[np.integer],
    columns: npt.NDArray[np.integer],
    missed: npt.NDArray[np.integer],
    spurious: npt.NDArray[np.integer],
    every: bool,
) -> gpd.GeoDataFrame:
    """Return what became of each nucleus of an area: pairs, then missed, then spurious ones."""
    scheme = setting.scheme
    names = np.array(
        ["" if each == UNKNOWN else scheme.name_of(each) for each in side.classes], dtype=object
    )
    called = side.table["class_name"].to_numpy(object)
    numbers = side.table["nucleus_id"].to_numpy(np.int64)
    right = (names[rows] == called[columns]) | (names[rows] == "")
    outlines = side.table.geometry.to_numpy()
    not_asked = (called[spurious] == OTHER) & (not every)
    shapes = np.concatenate([side.shapes[rows], side.shapes[missed], outlines[spurious]])
    centroids = shapely.get_coordinates(shapely.centroid(shapes))
    count = len(shapes)
    return gpd.GeoDataFrame(
        {
            "outcome": np.concatenate(
                [
                    np.where(right, FOUND, WRONG_CLASS).astype(object),
                    np.full(len(missed), MISSED, dtype=object),
                    np.where(not_asked, NOT_ASKED, SPURIOUS).astype(object),
                ]
            ),
            "reference_class": np.concatenate(
                [names[rows], names[missed], np.full(len(spurious), "", dtype=object)]
            ),
            "called": np.concatenate(
                [called[columns], np.full(len(missed), "", dtype=object), called[spurious]]
            ),
            "nucleus_id": np.concatenate(
                [numbers[columns], np.zeros(len(missed), np.int64), numbers[spurious]]
            ),
            "area": np.full(count, side.area.name, dtype=object),
            "x": centroids[:, 0],
            "y": centroids[:, 1],
        },
        geometry=shapes,
    )
