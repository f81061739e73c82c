"""What a person draws on a slide."""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Any, Literal, cast, get_args

import numpy as np
import shapely
import shapely.affinity

from seg_core.errors import RegionError
from seg_core.geometry import Region

RoiKind = Literal["include", "exclude"]

IGNORED = "Ignore*"
"""QuPath's class for annotations that do not count."""


_GZIP = b"\x1f\x8b"
_MOST_BYTES = 256 * 2**20
_MOST_NAME = 200


@dataclass(frozen=True)
class Roi:
    """A named polygon in level-0 pixels; statistics count the nuclei whose centroid is in it."""

    name: str
    polygon: shapely.Polygon
    kind: RoiKind = "include"

    def __post_init__(self) -> None:
        if self.kind not in get_args(RoiKind):
            raise RegionError(
                f"the ROI {self.name!r} is of kind {str(self.kind)[:40]!r}; "
                f"choose one of {', '.join(get_args(RoiKind))}."
            )
        if not isinstance(self.polygon, shapely.Polygon) or self.polygon.area <= 0:
            raise RegionError(f"the ROI {self.name!r} encloses no area; draw it again.")
        if not self.polygon.is_valid:
            raise RegionError(
                f"the outline of the ROI {self.name!r} crosses itself; draw it again."
            )

    def moved(self, x: float, y: float) -> "Roi":
        """Return the ROI by so many pixels further to the right and down.

        Files count from the corner of a slide's bounds, as QuPath does; here pixels are counted
        from the corner of the slide.
        """
        return replace(self, polygon=shapely.affinity.translate(self.polygon, x, y))

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


def included(rois: Sequence[Roi], whole: Region) -> list[Roi]:
    """Return what is to be looked at: the ROIs less those that say what to leave out.

    Parameters
    ----------
    rois : sequence of Roi
    whole : Region
        What is meant where none says what to include.

    Raises
    ------
    RegionError
        If nothing is left.
    """
    excluded = shapely.union_all([roi.polygon for roi in rois if roi.kind == "exclude"])
    wanted = [roi for roi in rois if roi.kind == "include"] or [roi_of_region(whole, "slide")]
    if excluded.is_empty:
        return wanted
    left = []
    for roi in wanted:
        parts = [
            part
            for part in shapely.get_parts(roi.polygon.difference(excluded))
            if isinstance(part, shapely.Polygon) and part.area > 0
        ]
        left += [
            Roi(roi.name if len(parts) == 1 else f"{roi.name} ({number})", part)
            for number, part in enumerate(parts, start=1)
        ]
    if not left:
        raise RegionError("all that was drawn is to be left out as well; draw something else.")
    return left


def read_rois(path: Path) -> list[Roi]:
    """Read the polygons of a GeoJSON file as QuPath writes it, in level-0 pixels.

    Such pixels count from the corner of the slide's bounds; see `Roi.moved`.

    Parameters
    ----------
    path : Path
        A FeatureCollection, a list of Features, one Feature or a bare geometry, also packed by
        gzip. The name is taken from ``properties.name``, else from QuPath's class; the kind from
        ``properties.kind``, else QuPath's class ``Ignore*`` is of kind exclude. Parts of a
        MultiPolygon or a collection become ROIs of their own; features without polygons, as
        QuPath's root object, are left out.

    Raises
    ------
    RegionError
        If the file cannot be read or holds no polygon.
    """
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = _unpacked(content, path)
        document = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise RegionError(
            f"{path.name} cannot be read as GeoJSON ({reason}); export the ROI again."
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


def _unpacked(content: bytes, path: Path) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    unpacked = unpacker.decompress(content, _MOST_BYTES)
    if unpacker.unconsumed_tail:
        raise RegionError(
            f"{path.name} unpacks to more than {_MOST_BYTES // 2**20} MB, which is no drawing; "
            "export the ROIs alone."
        )
    if not unpacker.eof:
        raise EOFError("it ends too early")
    return unpacked


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _rois_of_feature(feature: object, number: int, path: Path) -> list[Roi]:
    if not isinstance(feature, dict) or not isinstance(
        feature.get("geometry", feature), dict | NoneType
    ):
        raise RegionError(
            f"entry {number} of {path.name} is no GeoJSON feature; export the ROI again."
        )
    geometry = feature.get("geometry", feature)
    if geometry is None:
        return []
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    try:
        shape = shapely.from_geojson(json.dumps(geometry, allow_nan=False))
        polygons = [part for part in _parts_of(shape) if isinstance(part, shapely.Polygon)]
    except (shapely.errors.GEOSException, ValueError, RecursionError) as error:
        raise RegionError(
            f"entry {number} of {path.name} is no GeoJSON geometry ({_one_line(error)}); "
            "export the ROI again."
        ) from error
    qupath_class = _class_of(properties.get("classification"))
    name = _text_of(properties.get("name")) or qupath_class or f"ROI {number}"
    kind = properties.get("kind")
    if not isinstance(kind, str):
        kind = "exclude" if qupath_class == IGNORED else "include"
    return [
        Roi(
            name if len(polygons) == 1 else f"{name} ({part})",
            polygon,
            cast("RoiKind", kind),  # which Roi checks
        )
        for part, polygon in enumerate(polygons, start=1)
    ]


def _parts_of(shape: shapely.Geometry) -> Iterator[shapely.Geometry]:
    """Yield what a collection is made of, its own collections too."""
    for part in shapely.get_parts(shape):
        if hasattr(part, "geoms"):
            yield from _parts_of(part)
        elif not part.is_empty:
            yield part


def _class_of(classification: object) -> str:
    """Return the name of QuPath's class, which it writes as one name or as the names it derives."""
    if not isinstance(classification, dict):
        return _text_of(classification)
    names = classification.get("names")
    if isinstance(names, list):
        return ": ".join(filter(None, map(_text_of, names)))
    return _text_of(classification.get("name"))


def _text_of(value: object) -> str:
    """Return a name that may have been written as a number; other kinds of JSON are no names."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    # What is no letter anywhere, as half of a pair of surrogates, cannot be written to a file.
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    return "".join(each for each in text if each.isprintable()).strip()[:_MOST_NAME]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
