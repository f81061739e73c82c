"""The nuclei of a run as GeoJSON in the conventions of QuPath.

Each nucleus is a *detection* with its outline as a closed polygon in level-0 pixels, its class as
``classification`` with name and colour, and its measures as ``measurements``. QuPath cuts a slide
that says where its non-empty part is (MIRAX, for instance) to that part, so coordinates count from
the corner of the slide's bounds, which is the corner of the slide for all others.

A file called ``.geojson.gz`` is packed, to about a tenth. Outlines may be simplified; the measures
stay those of the outlines as they were found.
"""

import json
import math
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.classes import ClassScheme, rgb_of
from seg_core.errors import ExportError
from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.files.atomic import new_text_file
from seg_core.nuclei import VOTED_CLASS
from seg_core.store import Run

_NAMESPACE = uuid.UUID("5f0c6a52-7f3b-5c55-9d0a-3f8f4a2b6f51")

# Columns that say where and what a nucleus is; the others are its measures.
_NO_MEASURES = {"nucleus_id", "class_name", VOTED_CLASS, "x", "y", "geometry"}

_SHARE = "share_"

_UNITS = {"um2": "µm^2", "um": "µm", "od": "OD"}  # by the end of a column's name

_DECIMALS = 4
_COORDINATE_DECIMALS = 2


def write_geojson(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> int:
    """Write a Feature for each nucleus.

    Parameters
    ----------
    run : Run
    path : Path
        Packed by gzip if it ends in ``.gz``.
    options : ExportOptions
        ``simplify_um``, ``other``, ``min_score``, ``part``, ``rois``, ``anonymous`` and ``force``.

    Returns
    -------
    features : int
        Number of nuclei written.

    Raises
    ------
    ExportError
        If there is such a file already, it cannot be written, or ``simplify_um`` is no distance.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    simplify_um = options.simplify_um
    if not 0 <= simplify_um < math.inf:
        raise ExportError(f"outlines cannot be simplified by {simplify_um} µm; give 0 or more.")
    tolerance_px = simplify_um / run.slide_mpp
    parts = options.counted(run).nuclei(run)
    written = 0
    with new_text_file(path, force=options.force) as file:
        # A member of our own: GeoJSON allows it, and QuPath passes it over.
        told = json.dumps(options.told(run), ensure_ascii=False)
        file.write(f'{{"type": "FeatureCollection", "counted": {told}, "features": [')
        for part in parts:
            for feature in _features(part, run, tolerance_px):
                file.write((",\n" if written else "\n") + feature)
                written += 1
        file.write("\n]}\n")
    return written


def measurement_name(column: str) -> str:
    """Return what QuPath's measurement table calls a column of the nucleus table.

    Examples
    --------
    >>> measurement_name("area_um2"), measurement_name("major_um")
    ('Area µm^2', 'Major µm')
    >>> measurement_name("share_background"), measurement_name("share_cd3_um")
    ('Share background', 'Share cd3_um')
    """
    if column.startswith(_SHARE):  # of a class, whose name is as somebody has given it
        return f"Share {column.removeprefix(_SHARE)}"
    stem, _, end = column.rpartition("_")
    if stem and end in _UNITS:
        return f"{_words(stem)} {_UNITS[end]}"
    return _words(column)


def _words(name: str) -> str:
    return (name[:1].upper() + name[1:]).replace("_", " ")


def _features(table: gpd.GeoDataFrame, run: Run, tolerance_px: float) -> Iterator[str]:
    bounds = run.raster.region
    outlines = _outlines(table, np.array([bounds.x, bounds.y]), tolerance_px)
    classifications = _classifications(run.scheme)
    measures = table.drop(columns=list(_NO_MEASURES), errors="ignore").rename(
        columns=measurement_name
    )
    rows = zip(
        table["nucleus_id"],
        table["class_name"],
        table.get(VOTED_CLASS, table["class_name"]),
        shapely.to_geojson(outlines),
        measures.astype(float).round(_DECIMALS).to_dict("records"),
        strict=True,
    )
    for nucleus_id, class_name, voted, geometry, measurements in rows:
        properties: dict[str, Any] = {
            "objectType": "detection",
            "classification": classifications[class_name],
            # NaN is no JSON; a measure that a nucleus lacks is left out
            "measurements": {k: v for k, v in measurements.items() if np.isfinite(v)},
        }
        if voted != class_name:
            properties["metadata"] = {VOTED_CLASS: voted}
        # the same nucleus has the same id in every export of its run
        feature_id = uuid.uuid5(_NAMESPACE, f"{run.run_id}/{nucleus_id}")
        yield (
            f'{{"type": "Feature", "id": "{feature_id}", "geometry": {geometry}, '
            f'"properties": {json.dumps(properties, ensure_ascii=False)}}}'
        )


def _outlines(
    table: gpd.GeoDataFrame, corner: npt.NDArray[np.int64], tolerance_px: float
) -> npt.NDArray[np.object_]:
    """Return outlines from a corner, rounded, and simplified where that leaves them valid."""

    def rounded(polygons: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
        return shapely.transform(
            polygons, lambda points: np.round(points - corner, _COORDINATE_DECIMALS)
        )

    found = table.geometry.to_numpy()
    outlines = rounded(found)
    if tolerance_px > 0:
        simplified = rounded(shapely.simplify(found, tolerance_px))
        usable = shapely.is_valid(simplified) & (shapely.area(simplified) > 0)
        outlines = np.where(usable, simplified, outlines)
    return outlines


def _classifications(scheme: ClassScheme) -> dict[str, dict[str, Any]]:
    return {
        name: {"name": name, "color": list(rgb_of(colour))}
        for name, colour in scheme.colours.items()
    }
