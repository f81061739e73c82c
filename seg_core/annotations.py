"""Files of what was drawn on a slide, by people or programs: GeoJSON as QuPath writes it."""

import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import NoneType
from typing import Any, cast

import shapely
import shapely.affinity

from seg_core.errors import RegionError, counted, told_by
from seg_core.files.bounded import parse_json
from seg_core.roi import CLASS_OF_KIND, Roi, RoiKind

_KIND_OF_CLASS: dict[str, RoiKind] = {name: kind for kind, name in CLASS_OF_KIND.items()}

_GZIP = b"\x1f\x8b"
_MOST_BYTES = 256 * 2**20
_MOST_NAME = 200

MANY = 100
"""More polygons than that, of which a file does not say what they are, nobody has drawn by hand."""

_DETECTIONS = {"detection", "cell", "tile"}

_ADVICE = "export the ROI again"


@dataclass(slots=True)
class Unusable:
    """How many entries of a file nothing could be taken from, and why the first of them.

    One annotation that a program wrote badly, or somebody drew across itself, does not make the
    others worthless; that it is missing has to be said.
    """

    count: int = 0
    reason: str = ""
    advice: str = ""
    """What to do about the first; empty where that depends on what the file is for."""

    def add(self, reason: str, advice: str = "") -> None:
        """Count one more."""
        if not self.count:
            self.reason, self.advice = reason, advice
        self.count += 1

    def note(self, path: Path) -> str:
        """Return the sentence for whoever reads the file, empty where all could be taken.

        Examples
        --------
        >>> Unusable(2, "the outline of the ROI 'fold' crosses itself").note(Path("a.geojson"))
        "2 entries of a.geojson were left out; the first, since the outline of the ROI 'fold' crosses itself."
        """
        if not self.count:
            return ""
        entries = f"{counted(self.count, 'entry', 'entries')} of {path.name}"
        if self.count == 1:
            return f"{entries} was left out, since {self.reason}."
        return f"{entries} were left out; the first, since {self.reason}."


@dataclass(frozen=True, slots=True)
class Annotations:
    """What a GeoJSON file holds.

    Attributes
    ----------
    rois : list of Roi
        What somebody drew.
    detections : list of Roi
        What a program found, nuclei for instance: what the file calls so, and all polygons where it
        says nothing and holds more than `MANY`.
    left_out : dict of str to int
        How many of each kind of geometry enclose no area, *Point* and *LineString* for instance.
    unusable : Unusable
        Entries that are no GeoJSON, or no ROI since their outline crosses itself, for instance.
    """

    rois: list[Roi]
    detections: list[Roi]
    left_out: dict[str, int]
    unusable: Unusable = field(default_factory=Unusable)


def read_rois(path: Path, tell: Callable[[str], object] | None = None) -> list[Roi]:
    """Read all polygons of a GeoJSON file, those that a program found too; see `read_annotations`.

    Parameters
    ----------
    path : Path
    tell : callable, optional
        Is given the sentence that says which entries were left out. Without it none is: a file with
        an entry that cannot be used is refused.

    Raises
    ------
    RegionError
        If the file cannot be read or holds no polygon.
    """
    found = read_annotations(path)
    if tell is None:
        with _advised(_ADVICE):
            _refuse_if_any(found.unusable)
    elif found.unusable.count:
        tell(found.unusable.note(path))
    if not (found.rois or found.detections):
        raise RegionError(f"{path.name} holds no polygon; draw at least one ROI and export it.")
    return found.rois + found.detections


def read_annotations(path: Path) -> Annotations:
    """Read the polygons of a GeoJSON file as QuPath writes it, in level-0 pixels.

    Such pixels count from the corner of the slide's bounds; see `Roi.moved`.

    Parameters
    ----------
    path : Path
        A FeatureCollection, a list of Features, one Feature or a bare geometry, also packed by
        gzip. The name is taken from ``properties.name``, else from QuPath's class; the kind from
        ``properties.kind``, else from QuPath's class: ``Tumor`` is of kind tumour, ``Ignore*`` of
        kind exclude. Other classes, and colours, are kept. Parts of a MultiPolygon or a collection
        become ROIs of their own; what encloses no area is counted in ``left_out``, what cannot be
        used in ``unusable``, and features without geometry, as QuPath's root object, are passed over.

    Returns
    -------
    annotations : Annotations
        Perhaps without any polygon.

    Raises
    ------
    RegionError
        If the file cannot be read, or nothing in it can be used.
    """
    found = Annotations([], [], {})
    with _advised(_ADVICE):
        for number, feature in enumerate(_features_of(path), start=1):
            with _left_out(found.unusable):
                _read_feature(feature, number, path, found)
        if not (found.rois or found.detections):
            _refuse_if_any(found.unusable)
    if not found.detections and len(found.rois) > MANY:
        return replace(found, rois=[], detections=found.rois)
    return found


@dataclass(frozen=True, slots=True)
class Drawn:
    """One thing of a GeoJSON file, whatever its kind.

    Attributes
    ----------
    shape : shapely.Geometry
        A simple one, never a collection.
    class_name : str
        QuPath's class; empty where it has none.
    detection : bool
        A program has found it, says the file.
    number : int
        Of its feature in the file, from 1 on.
    properties : dict
        All that the file says of it.
    """

    shape: shapely.Geometry
    class_name: str
    detection: bool
    number: int
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that a GeoJSON file holds.

    Attributes
    ----------
    things : list of Drawn
    unusable : Unusable
        What is none of them.
    """

    things: list[Drawn]
    unusable: Unusable


def read_drawn(path: Path, advice: str) -> Drawing:
    """Read all that a GeoJSON file holds, points and nuclei too, in the pixels of `read_annotations`.

    Of a cell of QuPath the nucleus is taken, where the file has it. Parts of a collection are one
    each.

    Parameters
    ----------
    path : Path
    advice : str
        What to do where the file cannot be read, the end of the sentence that says so.

    Raises
    ------
    RegionError
        If the file cannot be read, or nothing in it can be used.
    """
    things: list[Drawn] = []
    unusable = Unusable()
    with _advised(advice):
        for number, feature in enumerate(_features_of(path), start=1):
            with _left_out(unusable):
                things += _drawn_of(feature, number, path)
        if not things:
            _refuse_if_any(unusable)
    return Drawing(things, unusable)


def _drawn_of(feature: Any, number: int, path: Path) -> list[Drawn]:
    inner = feature.get("nucleusGeometry") if isinstance(feature, dict) else None
    if isinstance(inner, dict):
        feature = {**feature, "geometry": inner}
    geometry, properties = _checked(feature, number, path)
    return [
        Drawn(
            part,
            _class_of(properties.get("classification", properties.get("class"))),
            _text_of(properties.get("objectType")) in _DETECTIONS,
            number,
            properties,
        )
        for part in _shapes_of(geometry, number, path)
    ]


class _UnreadableError(Exception):
    """What is wrong with a file; what to do about it mostly depends on what it was for."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.advice = advice


@contextmanager
def _left_out(unusable: Unusable) -> Iterator[None]:
    """Count an entry that cannot be used instead of refusing the whole file."""
    try:
        yield
    except _UnreadableError as error:
        unusable.add(str(error), error.advice)


def _refuse_if_any(unusable: Unusable) -> None:
    """Refuse a file of which nothing is left."""
    if unusable.count:
        raise _UnreadableError(unusable.reason, unusable.advice)


@contextmanager
def _advised(advice: str) -> Iterator[None]:
    """Say what to do about a file that cannot be read."""
    try:
        yield
    except _UnreadableError as error:
        raise RegionError(f"{error}; {error.advice or advice}.") from error


def _features_of(path: Path) -> list[Any]:
    """Return the features of a GeoJSON file, whether it has several, one, or a bare geometry."""
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = _unpacked(content, path)
        document = parse_json(content)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        deep = isinstance(error, RecursionError)
        reason = "it is nested too deeply" if deep else told_by(error)
        raise _UnreadableError(f"{path.name} cannot be read as GeoJSON ({reason})") from error
    features = document.get("features") if isinstance(document, dict) else document
    if not isinstance(features, list):
        return [document]
    return features


def _unpacked(content: bytes, path: Path) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    unpacked = unpacker.decompress(content, _MOST_BYTES)
    if unpacker.unconsumed_tail:
        raise RegionError(
            f"{path.name} unpacks to more than {_MOST_BYTES // 2**20} MB; export less in one file."
        )
    if not unpacker.eof:
        raise EOFError("it ends too early")
    return unpacked


def _checked(feature: Any, number: int, path: Path) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return the geometry of a feature, None where it has none, and its properties."""
    if not isinstance(feature, dict) or not isinstance(
        feature.get("geometry", feature), dict | NoneType
    ):
        raise _UnreadableError(f"entry {number} of {path.name} is no GeoJSON feature")
    geometry, properties = feature.get("geometry", feature), feature.get("properties")
    return geometry, properties if isinstance(properties, dict) else {}


def _shapes_of(geometry: dict[str, Any] | None, number: int, path: Path) -> list[shapely.Geometry]:
    """Return the simple shapes that a geometry is made of."""
    if geometry is None:
        return []
    try:
        return list(_parts_of(shapely.from_geojson(json.dumps(geometry, allow_nan=False))))
    except (shapely.errors.GEOSException, ValueError, RecursionError) as error:
        raise _UnreadableError(
            f"entry {number} of {path.name} is no GeoJSON geometry ({_one_line(error)})"
        ) from error


def _read_feature(feature: Any, number: int, path: Path, found: Annotations) -> None:
    """Add what a feature holds to what was found."""
    geometry, properties = _checked(feature, number, path)
    if geometry is None:
        return
    parts = _shapes_of(geometry, number, path)
    polygons = [part for part in parts if isinstance(part, shapely.Polygon)]
    for part in parts:
        if not isinstance(part, shapely.Polygon):
            found.left_out[part.geom_type] = found.left_out.get(part.geom_type, 0) + 1
    qupath_class = _class_of(properties.get("classification"))
    name = _text_of(properties.get("name")) or qupath_class or f"ROI {number}"
    kind = properties.get("kind")
    is_detection = _text_of(properties.get("objectType")) in _DETECTIONS
    if not isinstance(kind, str):
        kind = _KIND_OF_CLASS.get(qupath_class, "include")
    if is_detection and kind == "tumour":  # a cell of the tumour, not the place where it grows
        kind = "include"
    roi_id = _text_of(feature.get("id"))
    try:
        rois = [
            Roi(
                name if len(polygons) == 1 else f"{name} ({part})",
                polygon,
                cast("RoiKind", kind),  # which Roi checks
                roi_id=roi_id if len(polygons) == 1 else "",
                class_name="" if qupath_class == CLASS_OF_KIND["exclude"] else qupath_class,
                colour=_colour_of(properties),
            )
            for part, polygon in enumerate(polygons, start=1)
        ]
    except RegionError as error:
        reason, _, what_to_do = str(error).removesuffix(".").rpartition("; ")
        raise _UnreadableError(reason, what_to_do) from error
    (found.detections if is_detection else found.rois).extend(rois)


def _colour_of(properties: dict[str, Any]) -> str:
    """Return the colour that QuPath gives an annotation, else that of its class."""
    classification = properties.get("classification")
    of_class = classification if isinstance(classification, dict) else {}
    for colour in (properties.get("color"), of_class.get("color")):
        if (
            isinstance(colour, list)
            and len(colour) == 3
            and all(isinstance(each, int) and 0 <= each <= 255 for each in colour)
        ):
            return "#{:02x}{:02x}{:02x}".format(*colour)
    packed = of_class.get("colorRGB")  # of QuPath before 0.4: a signed number of 32 bits
    return f"#{packed & 0xFFFFFF:06x}" if type(packed) is int else ""


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
