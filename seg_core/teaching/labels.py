"""Labels: which nuclei a person has named, and how; out of files and out of corrections."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
import shapely.affinity

from seg_core.annotations import read_drawn
from seg_core.classes import OTHER, OTHER_COLOUR, require_showable
from seg_core.errors import ModelError, RegionError, TeachingError, told_by
from seg_core.files.bounded import CSV_BYTES, refuse_large
from seg_core.store import Run

NEAREST_UM = 4.0
"""A point that no outline holds names the nucleus whose centroid is at most so far from it."""

_COLUMNS = ("x", "y", "class")

_DRAW = "draw a point in the nucleus, or an outline around some"


@dataclass(frozen=True)
class Mark:
    """A place on a slide and the class somebody gave it.

    Attributes
    ----------
    shape : shapely.Geometry
        A point in a nucleus, or a polygon around some; level-0 pixels.
    name : str
    slide : str, optional
        File name of the slide; None: the only one there is.
    from_bounds : bool
        Its pixels count from the corner of the slide's bounds, as QuPath counts.
    """

    shape: shapely.Geometry
    name: str
    slide: str | None = None
    from_bounds: bool = False


@dataclass(frozen=True)
class Labels:
    """Named nuclei of one run.

    Attributes
    ----------
    run : Run
    nucleus_ids : (N,) int64
    names : tuple of str
        As many.
    """

    run: Run
    nucleus_ids: npt.NDArray[np.int64]
    names: tuple[str, ...]


def read_marks(path: Path, tell: Callable[[str], object] | None = None) -> list[Mark]:
    """Read marks from GeoJSON as QuPath writes it, or from CSV.

    Parameters
    ----------
    path : Path
        ``.csv`` with the columns x, y (level-0 pixels), class and, for several slides, slide. Else
        GeoJSON, read as `seg_core.annotations.read_drawn` does: points and polygons with a class, and
        ``properties.slide`` for several slides. Its pixels count from the corner of the slide's
        bounds.
    tell : callable, optional
        Is given the sentence that says which entries of GeoJSON were left out: those that are none,
        that have no class, or that lie on a line and so hold no nucleus. Without it none is: such a
        file is refused.

    Raises
    ------
    TeachingError
        If the file cannot be read or holds no label, or a line of CSV lacks a place or a class.
    """
    marks = _from_csv(path) if path.suffix.lower() == ".csv" else _from_geojson(path, tell)
    if not marks:
        raise TeachingError(f"{path.name} holds no labels; label at least two classes in it.")
    return marks


def labels_of(marks: Iterable[Mark], runs: Sequence[Run]) -> list[Labels]:
    """Find the nuclei that marks name; where two name one nucleus the later wins.

    Parameters
    ----------
    marks : iterable of Mark
    runs : sequence of Run
        At most one of each slide is asked; several need marks with a slide.

    Raises
    ------
    TeachingError
        If a mark's slide is not among the runs, or no nucleus is where the marks are.
    """
    by_run: dict[int, list[Mark]] = {number: [] for number in range(len(runs))}
    for mark in marks:
        by_run[_run_of(mark, runs)].append(mark)
    found = [_named(runs[number], own) for number, own in by_run.items() if own]
    if not any(len(each.names) for each in found):
        raise TeachingError(
            "no nucleus of the runs is where the labels are; give the runs of the labelled slides, "
            "and labels in level-0 pixels."
        )
    return found


def corrected_labels(run: Run) -> Labels:
    """Return what people said of a run's nuclei as labels, what was right already too.

    *Not a nucleus* is none.
    """
    said = run.journal().said()
    named = {number: each.name for number, each in said.items() if each.name is not None}
    return Labels(run, np.array(list(named), np.int64), tuple(named.values()))


def not_nuclei(run: Run) -> list[int]:
    """Return the ids of what the model found and people said is no nucleus."""
    return [number for number, each in run.journal().said().items() if each.name is None]


def _run_of(mark: Mark, runs: Sequence[Run]) -> int:
    if mark.slide is None:
        if len(runs) > 1:
            raise TeachingError(
                f"{len(runs)} runs are given, and a label does not say of which slide it is; give "
                "each label its slide's file name as slide, or one run."
            )
        return 0
    named = [number for number, run in enumerate(runs) if mark.slide == run.slide_path.name]
    named = named or [n for n, run in enumerate(runs) if mark.slide == run.slide_path.stem]
    if len({runs[number].slide_id for number in named}) > 1:
        raise TeachingError(
            f"a label is of the slide {mark.slide}, and several slides of the runs are called so; nobody can "
            "tell which of them is meant, so give the runs of one of them alone."
        )
    if named:
        return named[0]
    raise TeachingError(
        f"a label is of the slide {mark.slide}, which is none of the runs' "
        f"({', '.join(sorted({run.slide_path.name for run in runs}))}); give its run too."
    )


def _named(run: Run, marks: Sequence[Mark]) -> Labels:
    table = run.as_found().nuclei()
    named: dict[int, str] = {}
    tree = shapely.STRtree(table.geometry.to_numpy())
    reach = NEAREST_UM / run.slide_mpp
    ids = table["nucleus_id"].to_numpy()
    corner = run.facts.slide.bounds
    for mark in marks:
        shape = mark.shape
        if mark.from_bounds:
            shape = shapely.affinity.translate(shape, corner.x, corner.y)
        for row in _rows_at(shape, table, tree, reach):
            named.pop(int(ids[row]), None)
            named[int(ids[row])] = mark.name
    return Labels(run, np.array(list(named), np.int64), tuple(named.values()))


def _rows_at(
    shape: shapely.Geometry, table: gpd.GeoDataFrame, tree: shapely.STRtree, reach: float
) -> list[int]:
    if not len(table):
        return []
    if shape.geom_type == "Point":
        held = tree.query(shape, predicate="intersects")
        if not len(held):
            distances = np.hypot(table["x"] - shape.x, table["y"] - shape.y).to_numpy()
            held = [distances.argmin()] if distances.min() <= reach else []
        return [int(row) for row in held[:1]]
    shapely.prepare(shape)
    near = tree.query(shape)
    x, y = (table[axis].to_numpy()[near] for axis in ("x", "y"))
    return [int(row) for row in near[shapely.contains_xy(shape, x, y)]]


def _from_csv(path: Path) -> list[Mark]:
    try:
        content = path.read_bytes()
        refuse_large(content, CSV_BYTES)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise TeachingError(
            f"{path.name} cannot be read ({told_by(error)}); export it again."
        ) from error
    reader = csv.DictReader(text.splitlines())
    try:
        return _marks_of_rows(reader, path)
    except csv.Error as error:
        raise TeachingError(
            f"{path.name} cannot be read as CSV ({told_by(error)}); export it again."
        ) from error


def _marks_of_rows(reader: "csv.DictReader[str]", path: Path) -> list[Mark]:
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise TeachingError(
            f"{path.name} lacks the column {missing[0]}; it needs x, y and class, and slide where "
            "there are several."
        )
    marks = []
    for number, row in enumerate(reader, start=2):
        try:
            point = shapely.Point(float(row["x"]), float(row["y"]))
            if not np.isfinite([point.x, point.y]).all():
                raise ValueError("no finite place")
        except (TypeError, ValueError) as error:
            raise TeachingError(
                f"line {number} of {path.name} has no x and y that are numbers; correct it."
            ) from error
        name = _name(row["class"], f"line {number}", path)
        marks.append(Mark(point, name, _slide(row.get("slide"))))
    return marks


def _from_geojson(path: Path, tell: Callable[[str], object] | None) -> list[Mark]:
    try:
        drawn = read_drawn(path, "export the labels again")
    except RegionError as error:
        raise TeachingError(str(error)) from error
    unusable = drawn.unusable
    marks = []
    for each in drawn.things:
        place = f"entry {each.number}"
        if each.shape.geom_type not in ("Point", "Polygon"):
            unusable.add(f"{place} of {path.name} is a line, which holds no nucleus", _DRAW)
            continue
        try:
            name = _name(each.class_name, place, path)
        except TeachingError as error:
            reason, _, what_to_do = str(error).removesuffix(".").rpartition("; ")
            unusable.add(reason, what_to_do)
            continue
        marks.append(Mark(each.shape, name, _slide(each.properties.get("slide")), True))
    if unusable.count and (tell is None or not marks):
        advice = unusable.advice or "export the labels again"
        reason = unusable.note(path).removesuffix(".") if marks else unusable.reason
        raise TeachingError(f"{reason}; {advice}.")
    if unusable.count and tell is not None:
        tell(unusable.note(path))
    return marks


def _name(given: object, place: str, path: Path) -> str:
    if not isinstance(given, str) or not given.strip():
        raise TeachingError(f"{place} of {path.name} names no class; name it, or leave it out.")
    name = given.strip()
    if name != OTHER:
        try:
            require_showable(name, OTHER_COLOUR)
        except ModelError as error:
            raise TeachingError(f"{place} of {path.name}: {error}") from error
    return name


def _slide(given: object) -> str | None:
    """Return what a file says of the slide; an empty cell says nothing."""
    return (given.strip() or None) if isinstance(given, str) else None
