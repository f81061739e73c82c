"""What somebody labelled on a slide: outlines or dots, in the slide's level-0 pixels.

It comes as GeoJSON (QuPath), XML (Aperio ImageScope), CSV of dots, or a mask. Coordinates are pixels
of the slide's level 0, counted from the corner of its bounds as QuPath does, or pixels of a size that
somebody states; nothing is guessed. The nuclei of a run as `seg_core.export.csv` writes them are dots,
too, counted from the corner of level 0. What the classes mean is decided afterwards, see
`seg_core.labelled.class_mapping`.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from seg_core.annotations import read_drawn
from seg_core.classes import BACKGROUND, ClassScheme
from seg_core.errors import DataError, RegionError, SlideError, told_by
from seg_core.files.bounded import CSV_BYTES, refuse_large
from seg_core.files.names import printable
from seg_core.labelled.class_mapping import AREA, IGNORE, NO_CLASS
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.labelled_image import consecutive
from seg_core.labelled.layouts import CLASSES, INSTANCES
from seg_core.labelled.monusac_xml import has_area, mpp_of, open_annotations, outline_of
from seg_core.labelled.nuclei import majority_class_ids
from seg_core.labelled.painting import enclosed
from seg_core.labelled.reference_list import FILE_SUFFIXES, kind_of_file
from seg_core.nuclei.contours import outline_polygons
from seg_core.slide import SlideInfo, read_label_image
from seg_core.slide.pyramid import same_resolution

UNNAMED, ANNOTATION = "", "annotation without class"
"""Names of the class of what has none; the second where a file has detections beside it, since then
an annotation is a region and no nucleus."""

_SAME_PX = 1.0

_OWN_COLUMNS = {"nucleus_id", "class_name", "x_px", "y_px", "x_um", "y_um"}
"""By which a CSV of the nuclei of a run is told."""


@dataclass(frozen=True, eq=False)
class SlideReference:
    """What a file says, before anybody has decided what its classes mean.

    Attributes
    ----------
    name : str
        Of the file.
    shapes : (N,) shapely.Polygon, shapely.MultiPolygon or shapely.Point
        Level-0 pixels.
    names : tuple of str
        Class of each, as the file calls it; empty where it has none.
    notes : tuple of str
        Sentences for whoever reads the figures.
    """

    name: str
    shapes: npt.NDArray[np.object_]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def class_names(self) -> list[str]:
        """Names of the classes that occur, in the order in which they do."""
        return list(dict.fromkeys(self.names))


@dataclass(frozen=True, eq=False)
class MappedReference:
    """Nuclei with classes of ours, and where they were labelled.

    Attributes
    ----------
    name : str
    shapes : (N,) shapely geometry
        Outlines, or points where somebody set dots.
    classes : (N,) uint8
        Our class, 0 *other*, `UNKNOWN` none known.
    areas : sequence of (str, shapely geometry)
        Regions in which every nucleus is labelled; none where nobody named any.
    ignored : shapely geometry
        Where nothing counts; perhaps empty.
    notes : tuple of str
    """

    name: str
    shapes: npt.NDArray[np.object_]
    classes: npt.NDArray[np.uint8]
    areas: Sequence[tuple[str, shapely.Geometry]]
    ignored: shapely.Geometry
    notes: tuple[str, ...] = ()

    @property
    def has_dots(self) -> bool:
        """Whether nuclei are points without outlines."""
        return len(self.shapes) > 0 and self.shapes[0].geom_type == "Point"


def read_slide_reference(
    path: Path, info: SlideInfo, slide_mpp: float, reference_mpp: float | None = None
) -> SlideReference:
    """Read a reference of a slide.

    Parameters
    ----------
    path : Path
        Its name ends as one of `FILE_SUFFIXES`. Of the mask layout ``inst/NAME.png``; its classes are read from
        ``class/NAME.png`` beside, named by their numbers.
    info : SlideInfo
    slide_mpp : float
        Size of a level-0 pixel, µm.
    reference_mpp : float, optional
        Size of the pixels that the file counts in, µm; by default they are those of level 0.

    Raises
    ------
    DataError
        If the file cannot be read, holds nothing, or nothing that lies on the slide, or is a mask of another
        size.
    """
    kind = kind_of_file(path.name)
    if kind is None or not path.is_file():
        raise DataError(
            f"{path.name} is no reference that can be read; give a file that ends in "
            f"{', '.join(FILE_SUFFIXES)}."
        )
    if reference_mpp is not None and not 0 < reference_mpp < float("inf"):
        raise DataError(f"{reference_mpp:g} µm is no size of a pixel; give one such as 0.25.")
    scale = 1.0 if reference_mpp is None else reference_mpp / slide_mpp
    stated = slide_mpp if reference_mpp is None else reference_mpp
    match kind.name:
        case "xml":
            read = _of_xml(path, stated)
        case "dots":
            read = _of_csv(path, stated, printable(info.path.name))
        case "mask":
            read = _of_mask(path, info, scale)
        case _:
            read = _of_geojson(path)
    if not read.shapes:
        raise DataError(f"{path.name} holds no outline and no point; export the nuclei again.")
    corner = (0, 0) if read.from_level0_corner else (info.bounds.x, info.bounds.y)
    placed = shapely.transform(
        np.array(read.shapes, dtype=np.object_), lambda points: points * scale + corner
    )
    notes = read.notes + _beyond(path.name, placed, info)
    return SlideReference(path.name, placed, tuple(read.names), notes)


def _beyond(name: str, placed: npt.NDArray[np.object_], info: SlideInfo) -> tuple[str, ...]:
    """Say how many nuclei do not lie on the slide; all of them are those of another one."""
    slide = shapely.box(0, 0, info.width, info.height)
    beyond = len(placed) - int(shapely.intersects(placed, slide).sum())
    if beyond == len(placed):
        raise DataError(
            f"{name} has nothing that lies on this slide of {info.width:,} × {info.height:,} pixels; give "
            "the annotations of this slide, or the size of the pixels that they count in."
        )
    if not beyond:
        return ()
    lie = "lies" if beyond == 1 else "lie"
    return (f"{beyond:,} of {len(placed):,} outlines or points {lie} beyond the slide.",)


def map_classes(
    reference: SlideReference, mapping: Mapping[str, str], scheme: ClassScheme
) -> MappedReference:
    """Give the nuclei of a reference our classes.

    Parameters
    ----------
    reference : SlideReference
    mapping : mapping of str to str
        Of every class of the reference, see `seg_core.labelled.class_mapping.mapping_of`.
    scheme : ClassScheme

    Raises
    ------
    DataError
        If there are no nuclei, or outlines and dots.
    """
    means = np.array([mapping[name] for name in reference.names], dtype=object)
    is_dot = shapely.get_type_id(reference.shapes) == shapely.GeometryType.POINT
    is_nucleus = ~np.isin(means, [AREA, IGNORE])
    dots, outlines = int((is_nucleus & is_dot).sum()), int((is_nucleus & ~is_dot).sum())
    if not dots and not outlines:
        raise DataError(
            f"{reference.name} has no nuclei, all its classes were mapped to {AREA} or {IGNORE}; map "
            "one to a class of nuclei."
        )
    if dots and outlines:
        raise DataError(
            f"{reference.name} has {outlines:,} outlines and {dots:,} dots as nuclei; map the class of "
            f"one kind to {AREA} or {IGNORE}, or export them apart."
        )
    chosen = means[is_nucleus]
    classes = [UNKNOWN if each == NO_CLASS else scheme.id_of(each) for each in chosen]
    areas = [
        (f"{name or 'area'} {number}", shape)
        for number, (name, shape) in enumerate(
            (
                (reference.names[row], reference.shapes[row])
                for row in np.flatnonzero((means == AREA) & ~is_dot)
            ),
            start=1,
        )
    ]
    return MappedReference(
        reference.name,
        reference.shapes[is_nucleus],
        np.array(classes, dtype=np.uint8),
        areas,
        shapely.union_all(reference.shapes[(means == IGNORE) & ~is_dot]),
        reference.notes,
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What a file holds, in pixels as it counts them: from the corner of the bounds, or of level 0."""

    shapes: list[shapely.Geometry]
    names: list[str]
    notes: tuple[str, ...] = ()
    from_level0_corner: bool = False


def _of_geojson(path: Path) -> _Read:
    try:
        drawn = read_drawn(path, "export the reference again")
    except RegionError as error:
        raise DataError(str(error)) from error
    detections = any(each.detection for each in drawn.things)
    shapes: list[shapely.Geometry] = []
    names: list[str] = []
    for each in drawn.things:
        unnamed = ANNOTATION if detections and not each.detection else UNNAMED
        if each.shape.geom_type not in ("Polygon", "Point"):
            continue  # lines enclose nothing
        for part in _polygons(each.shape):
            shapes.append(part)
            names.append(each.class_name or unnamed)
    note = drawn.unusable.note(path)
    return _Read(shapes, names, (note,) if note else ())


def _polygons(shape: shapely.Geometry) -> list[shapely.Geometry]:
    """Return a point as it is, and of an outline that crosses itself what it encloses."""
    if shape.geom_type == "Point" or shape.is_valid:
        return [shape]
    mended = shapely.get_parts(shapely.make_valid(shape))
    return [each for each in mended if each.geom_type == "Polygon" and each.area > 0]


def _of_xml(path: Path, mpp: float) -> _Read:
    root = open_annotations(path)
    shapes: list[shapely.Geometry] = []
    names: list[str] = []
    for number, annotation in enumerate(root.iter("Annotation"), start=1):
        attributes = [each.get("Name", "") for each in annotation.iterfind("Attributes/Attribute")]
        said = [each.strip() for each in (*attributes, annotation.get("Name", ""))]
        name = next((each for each in said if each), f"layer {number}")
        first = len(shapes)
        for region in annotation.iter("Region"):
            outline = outline_of(region, name, path)
            if not has_area(outline.points):
                continue
            shape = enclosed(outline.points)
            if outline.hole:
                shapes[first:] = [each.difference(shape) for each in shapes[first:]]
            else:
                shapes.append(shape)
                names.append(name)
    left = [row for row, shape in enumerate(shapes) if not shape.is_empty]
    notes = _other_size(path, mpp_of(root), mpp, "vertices")
    return _Read([shapes[row] for row in left], [names[row] for row in left], notes)


def _other_size(path: Path, said_mpp: float | None, mpp: float, what: str) -> tuple[str, ...]:
    """Say that a file speaks of pixels of another size than those that it was read in."""
    if said_mpp is None or same_resolution(said_mpp, mpp):
        return ()
    said = f"{path.name} says {said_mpp:.4g} µm/px"
    return (f"{said}, but its {what} were taken as pixels of {mpp:.4g} µm.",)


def _of_csv(path: Path, mpp: float, slide: str) -> _Read:
    """Read dots; ``x_um`` and ``y_um`` are µm and become pixels of ``mpp``."""
    shapes: list[shapely.Geometry] = []
    names: list[str] = []
    sizes: list[float] = []
    slides: set[str] = set()
    try:
        content = path.read_bytes()
        refuse_large(content, CSV_BYTES)
        with io.StringIO(content.decode("utf-8-sig"), newline="") as file:
            rows = csv.DictReader(file)
            titles = {(each or "").strip().lower(): each for each in rows.fieldnames or ()}
            own = titles.keys() >= _OWN_COLUMNS
            if {"x_px", "side_px"} <= titles.keys():
                raise DataError(
                    f"{path.name} holds the squares of TIL scores and no nuclei; give the CSV of the "
                    "nuclei."
                )
            pairs = (("x", "y", 1.0), ("x_px", "y_px", 1.0), ("x_um", "y_um", 1 / mpp))
            found = next((each for each in pairs if each[0] in titles and each[1] in titles), None)
            if found is None:
                raise DataError(
                    f"{path.name} has no columns x and y (pixels) or x_um and y_um; its first line "
                    "must name the columns x, y, class."
                )
            x, y, scale = titles[found[0]], titles[found[1]], found[2]
            called = titles["class_name"] if own else titles.get("class", "class")
            for number, row in enumerate(rows, start=2):
                shapes.append(_point(row[x], row[y], scale, path, number))
                names.append((row.get(called) or UNNAMED).strip())
                if own:
                    slides.add(row.get(titles.get("slide", "slide")) or slide)
                    in_um = _point(row[titles["x_um"]], row[titles["y_um"]], 1.0, path, number)
                    sizes.append((in_um.x + in_um.y) / max(1.0, shapes[-1].x + shapes[-1].y))
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(
            f"{path.name} cannot be read as CSV ({told_by(error)}); export it again."
        ) from error
    if not own:
        return _Read(shapes, names)
    notes = _other_size(path, float(np.median(sizes)) if sizes else None, mpp, "places")
    for other in sorted(slides - {slide}):
        notes += (f"{path.name} says that its nuclei are of {other}; this slide is {slide}.",)
    return _Read(shapes, names, notes, from_level0_corner=True)


def _point(x: str | None, y: str | None, scale: float, path: Path, line: int) -> shapely.Point:
    try:
        place = float(x or "") * scale, float(y or "") * scale
    except ValueError:
        place = (float("nan"), 0.0)
    if not np.isfinite(place).all():
        raise DataError(f"line {line} of {path.name} has no place; x and y must be numbers.")
    return shapely.Point(place)


def _of_mask(path: Path, info: SlideInfo, scale: float) -> _Read:
    labels = _labels(path)
    height, width = labels.shape
    bounds = info.bounds
    off = max(abs(width * scale - bounds.width), abs(height * scale - bounds.height))
    if off > _SAME_PX * max(1.0, scale):
        raise DataError(
            f"the mask {path.name} has {width:,} × {height:,} pixels, the slide "
            f"{bounds.width:,} × {bounds.height:,}; state the size of the mask's pixels, or give a "
            "mask of the whole slide."
        )
    # a label in several pieces is several outlines, of which the mask says that they are one
    pieces, owner = _pieces(consecutive(labels))
    outlines = outline_polygons(pieces, len(owner))
    whole = [
        shapely.MultiPolygon(list(parts)) if len(parts) > 1 else parts[0]
        for parts in np.split(outlines, np.flatnonzero(np.diff(owner)) + 1)
        if len(parts)
    ]
    class_path = path.parents[1] / CLASSES / path.name
    if path.parent.name != INSTANCES or not class_path.is_file():
        return _Read(whole, [UNNAMED] * len(whole))
    class_map = _labels(class_path)
    if class_map.shape != labels.shape:
        raise DataError(f"the masks of {path.name} of instances and of classes differ in size.")
    ids = majority_class_ids(consecutive(labels), class_map)
    return _Read(whole, [f"class {each}" if each != BACKGROUND else UNNAMED for each in ids])


def _labels(path: Path) -> npt.NDArray[np.int32]:
    try:
        return read_label_image(path)
    except SlideError as error:
        raise DataError(str(error)) from error


def _pieces(
    labels: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.intp]]:
    """Return the pieces of labels that hang together across edges, and the label of each piece.

    Pieces of one label follow one another. A piece is made of *runs*, pixels of one label beside one
    another in a row, so that it takes no longer where labels lie scattered over the whole slide.
    """
    begins = labels > 0
    begins[:, 1:] &= labels[:, 1:] != labels[:, :-1]
    of_run = labels[begins]
    if not len(of_run):
        return np.zeros_like(labels), np.empty(0, dtype=np.intp)
    runs = np.cumsum(begins, dtype=np.int32).reshape(labels.shape) - 1
    meet = (labels[1:] == labels[:-1]) & (labels[1:] > 0)
    again = meet[:, :-1] & ~begins[1:, 1:] & ~begins[:-1, 1:]  # the same two, one pixel further
    meet[:, 1:] &= ~again
    upper, lower = runs[:-1][meet], runs[1:][meet]
    shape = (len(of_run), len(of_run))
    met = sparse.coo_array((np.ones(len(upper), dtype=bool), (upper, lower)), shape)
    count, piece_of = csgraph.connected_components(met, directed=False)
    owner = np.empty(count, dtype=np.intp)
    owner[piece_of] = of_run
    order = np.argsort(owner, kind="stable")
    number = np.empty(count, dtype=np.int32)
    number[order] = np.arange(1, count + 1, dtype=np.int32)
    return np.where(labels > 0, number[piece_of][runs], 0), owner[order]
