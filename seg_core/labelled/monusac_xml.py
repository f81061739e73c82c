"""Outlines as the MoNuSAC challenge publishes them: Aperio ImageScope XML, one file an image.

A layer (``Annotation``) carries its class as the name of an ``Attribute``: Epithelial, Lymphocyte,
Neutrophil, Macrophage, or Ambiguous for areas where the annotators could not tell. Each ``Region``
of a layer is one outline.

Vertices are points of the image, whole numbers *corners of pixels*: ImageScope's own ``Area`` is that
of the polygon, and across the published outlines the darkness of the nuclei agrees best so (taken
for pixel centres, outlines lie half a pixel too far right and down). A pixel belongs to a nucleus
if its centre is enclosed; where outlines overlap the later one of the file lies on top.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
import numpy as np
import numpy.typing as npt
from defusedxml import DefusedXmlException

from seg_core.classes import ClassScheme
from seg_core.errors import DataError, told_by
from seg_core.files.bounded import XML_BYTES, refuse_large
from seg_core.files.names import listed
from seg_core.labelled.painting import enclosed, filled

AMBIGUOUS = "ambiguous"
"""Layer of areas that neither teach nor score."""


@dataclass(frozen=True, slots=True)
class Outline:
    """One closed line a person drew."""

    layer: str
    """Name of the class, or *ambiguous*; lower case."""

    points: npt.NDArray[np.float64]
    """(N, 2) (x, y), pixels; whole numbers are corners of pixels."""

    hole: bool = False
    """A negative region: it takes away from the outlines of its layer before it."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """What an XML file says."""

    outlines: tuple[Outline, ...]
    """In the order of the file, outlines of less than three points or without area left out."""

    mpp: float | None
    """µm per pixel as the file has it; recorded, not used."""


def read_annotations(path: Path, scheme: ClassScheme) -> Annotations:
    """Read the outlines of one image.

    Parameters
    ----------
    path : Path
        XML of Aperio ImageScope.
    scheme : ClassScheme
        Whose names the layers may have, besides *ambiguous*; capitals do not matter.

    Returns
    -------
    annotations : Annotations

    Raises
    ------
    DataError
        If the file is no such XML, or a layer with outlines has another name.
    """
    root = open_annotations(path)
    outlines = []
    for annotation in root.iter("Annotation"):
        regions = list(annotation.iter("Region"))
        if regions:
            layer = _layer(annotation, scheme, path)
            outlines += [outline_of(region, layer, path) for region in regions]
    return Annotations(
        outlines=tuple(outline for outline in outlines if has_area(outline.points)),
        mpp=mpp_of(root),
    )


def open_annotations(path: Path) -> Element:
    """Open an XML of Aperio ImageScope and return its root.

    Raises
    ------
    DataError
        If the file is no such XML.
    """
    try:
        content = path.read_bytes()
        refuse_large(content, XML_BYTES)
        root: Element = defusedxml.ElementTree.fromstring(content)
    except (OSError, ParseError, DefusedXmlException, ValueError) as error:
        raise DataError(
            f"{path.name} cannot be read as XML ({told_by(error)}); copy or download it again."
        ) from error
    if root.tag != "Annotations":
        raise DataError(
            f"{path.name} is XML, but its root is <{listed([root.tag])}> and not <Annotations>; "
            "give the outlines as Aperio ImageScope saves them."
        )
    return root


def draw_outlines(
    outlines: tuple[Outline, ...], width: int, height: int, scheme: ClassScheme
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Draw the outlines of one image.

    Each is filled with all that its line encloses, so that the loops of a line crossing itself
    leave no holes. Of overlapping outlines the later one lies on top; one that is wholly covered
    leaves a gap in the labels. Nuclei lie on top of ambiguous areas.

    Parameters
    ----------
    outlines : tuple of Outline
    width, height : int
        Of the image, pixels; what lies outside is cut off.
    scheme : ClassScheme

    Returns
    -------
    instances : (H, W) int32
        0 background, k the k-th outline of a nucleus.
    class_ids : (N,) uint8
        Row i is the class of label i + 1.
    ambiguous : (H, W) bool
    """
    instances = np.zeros((height, width), dtype=np.int32)
    ambiguous = np.zeros((height, width), dtype=bool)
    class_ids: list[int] = []
    for outline in outlines:
        place, mask = filled(enclosed(outline.points), width, height)
        if outline.layer == AMBIGUOUS:
            ambiguous[place][mask] = not outline.hole
            continue
        class_id = scheme.id_of(outline.layer)
        if outline.hole:
            of_layer = np.flatnonzero(np.equal(class_ids, class_id)) + 1
            instances[place][mask & np.isin(instances[place], of_layer)] = 0
        else:
            class_ids.append(class_id)
            instances[place][mask] = len(class_ids)
    return instances, np.array(class_ids, dtype=np.uint8), ambiguous & (instances == 0)


def _layer(annotation: Element, scheme: ClassScheme, path: Path) -> str:
    names = [attribute.get("Name", "") for attribute in annotation.iterfind("Attributes/Attribute")]
    known = (*scheme.names, AMBIGUOUS)
    layers = [name.strip().lower() for name in names if name.strip().lower() in known]
    if len(set(layers)) != 1:
        raise DataError(
            f"a layer of {path.name} has the attributes {listed(names) or '(none)'}; "
            f"it needs exactly one of {', '.join(known)}."
        )
    return layers[0]


def outline_of(region: Element, layer: str, path: Path) -> Outline:
    """Return the outline of a region of the XML; DataError where a vertex is no point."""
    try:
        points = np.array(
            [[float(v.attrib["X"]), float(v.attrib["Y"])] for v in region.iter("Vertex")]
        ).reshape(-1, 2)
    except (KeyError, ValueError) as error:
        raise _bad_vertex(region, path) from error
    # Beyond this a drawing program's coordinates are damaged.
    if not (np.abs(points) < 2**20).all():
        raise _bad_vertex(region, path)
    return Outline(layer, points, hole=region.get("NegativeROA", "0") == "1")


def _bad_vertex(region: Element, path: Path) -> DataError:
    number = listed([region.get("Id", "(without a number)")])
    return DataError(
        f"outline {number} of {path.name} has a vertex that is no "
        "point of an image; every Vertex needs X and Y in pixels."
    )


def has_area(points: npt.NDArray[np.float64]) -> bool:
    """Tell whether the points do not all lie on one line."""
    return len(points) >= 3 and np.linalg.matrix_rank(points[1:] - points[0]) == 2


def mpp_of(root: Element) -> float | None:
    """Return the µm per pixel that an XML says; None where it does not."""
    try:
        mpp = float(root.get("MicronsPerPixel", ""))
    except ValueError:
        return None
    return mpp if 0 < mpp < float("inf") else None
