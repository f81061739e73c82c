"""What a person draws on a slide."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import shapely

from seg_core.errors import RegionError
from seg_core.geometry import Region

RoiKind = Literal["include", "exclude"]

IGNORED = "Ignore*"
"""QuPath's class for annotations that do not count."""


@dataclass(frozen=True)
class Roi:
    """A named polygon in level-0 pixels; statistics count the nuclei whose centroid is in it."""

    name: str
    polygon: shapely.Polygon
    kind: RoiKind = "include"

    def __post_init__(self) -> None:
        if self.kind not in get_args(RoiKind):
            raise RegionError(
                f"the ROI {self.name!r} is of kind {self.kind!r}; "
                f"choose one of {', '.join(get_args(RoiKind))}."
            )
        if not isinstance(self.polygon, shapely.Polygon) or self.polygon.area <= 0:
            raise RegionError(f"the ROI {self.name!r} encloses no area; draw it again.")
        if not self.polygon.is_valid:
            raise RegionError(
                f"the outline of the ROI {self.name!r} crosses itself; draw it again."
            )

    @property
    def region(self) -> Region:
        """The bounding box in whole level-0 pixels."""
        x0, y0, x1, y1 = self.polygon.bounds
        left, top = int(np.floor(x0)), int(np.floor(y0))
        return Region(left, top, int(np.ceil(x1)) - left, int(np.ceil(y1)) - top)

    def to_json(self) -> dict[str, Any]:
        """Return the ROI as it stands in ``run.json``."""
        geometry = shapely.geometry.mapping(self.polygon)
        return {"name": self.name, "kind": self.kind, "geometry": geometry}

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> "Roi":
        """Read what `to_json` gave."""
        return cls(entries["name"], shapely.geometry.shape(entries["geometry"]), entries["kind"])


def roi_of_region(region: Region, name: str = "region") -> Roi:
    """Return a rectangle as a ROI."""
    return Roi(name, shapely.box(region.x, region.y, region.right, region.bottom))


def read_rois(path: Path) -> list[Roi]:
    """Read the polygons of a GeoJSON file as QuPath writes it, in level-0 pixels.

    Parameters
    ----------
    path : Path
        A FeatureCollection, a list of Features or one Feature. The name is taken from
        ``properties.name``, else from QuPath's class; the kind from ``properties.kind``, else
        QuPath's class ``Ignore*`` is of kind exclude. Parts of a MultiPolygon become ROIs of their
        own.

    Raises
    ------
    RegionError
        If the file cannot be read or holds no polygon.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RegionError(
            f"{path.name} cannot be read as GeoJSON ({error}); export the ROI again."
        ) from error
    features = document.get("features") if isinstance(document, dict) else document
    if not isinstance(features, list):
        features = [document]
    rois = []
    for number, feature in enumerate(features, start=1):
        rois += _rois_of_feature(feature, number, path)
    if not rois:
        raise RegionError(f"{path.name} holds no polygon; draw at least one ROI and export it.")
    return rois


def _rois_of_feature(feature: object, number: int, path: Path) -> list[Roi]:
    if not isinstance(feature, dict) or not isinstance(feature.get("geometry", feature), dict):
        raise RegionError(
            f"entry {number} of {path.name} is no GeoJSON feature; export the ROI again."
        )
    properties = feature.get("properties") or {}
    try:
        shape = shapely.from_geojson(json.dumps(feature.get("geometry", feature)))
    except shapely.errors.GEOSException as error:
        raise RegionError(
            f"entry {number} of {path.name} is no GeoJSON geometry ({error}); export the ROI again."
        ) from error
    qupath_class = (properties.get("classification") or {}).get("name")
    name = properties.get("name") or qupath_class or f"ROI {number}"
    kind = "exclude" if qupath_class == IGNORED else "include"
    polygons = [part for part in shapely.get_parts(shape) if isinstance(part, shapely.Polygon)]
    return [
        Roi(
            name if len(polygons) == 1 else f"{name} ({part})",
            polygon,
            properties.get("kind", kind),
        )
        for part, polygon in enumerate(polygons, start=1)
    ]
