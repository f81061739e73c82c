"""Labels as GeoJSON: points in nuclei with their classes, which QuPath and `read_marks` read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import shapely

from seg_core.classes import rgb_of
from seg_core.files.atomic import new_file
from seg_core.store import Run
from seg_core.teaching.labels import Labels

_DIGITS = 1


def labels_geojson(labels: Sequence[Labels]) -> dict[str, Any]:
    """Return labels as a GeoJSON FeatureCollection.

    Each is a point that lies inside the outline of its nucleus, level-0 pixels from the corner of
    the slide's bounds, with the class and its colour as QuPath writes them, and the file name of its
    slide.
    """
    return {
        "type": "FeatureCollection",
        "features": [
            _feature(each.run, shape, name)
            for each in labels
            for shape, name in zip(_outlines(each), each.names, strict=True)
        ],
    }


def write_labels(labels: Sequence[Labels], path: Path, *, force: bool = False) -> None:
    """Write labels as GeoJSON, whole or not at all.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    """
    with new_file(path, force=force) as temporary:
        temporary.write_text(json.dumps(labels_geojson(labels), ensure_ascii=False), "utf-8")


def _outlines(labels: Labels) -> list[shapely.Geometry]:
    queries = labels.run.as_found().nucleus_queries()
    outlines = queries.outlines(labels.nucleus_ids.tolist())
    return [outlines[number] for number in labels.nucleus_ids.tolist()]


def _feature(run: Run, outline: shapely.Geometry, name: str) -> dict[str, Any]:
    # the centroid of a kidney-shaped nucleus may lie outside of it
    point = shapely.point_on_surface(outline)
    corner = run.facts.slide.bounds
    colour = run.scheme.colours.get(name)
    classification: dict[str, Any] = {"name": name}
    if colour is not None:
        classification["color"] = list(rgb_of(colour))
    return {
        "type": "Feature",
        "geometry": {
            "type": "Point",
            "coordinates": [
                round(point.x - corner.x, _DIGITS),
                round(point.y - corner.y, _DIGITS),
            ],
        },
        "properties": {
            "objectType": "annotation",
            "classification": classification,
            "slide": run.slide_path.name,
        },
    }
