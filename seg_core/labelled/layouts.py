"""The layouts that labelled images come in, and the reading of one image of each.

*The challenge's layout*: a folder a patient, in it images (``.svs`` or ``.tif``) each with an XML
of the same stem, see `monusac_xml`. Where an image is there as ``.svs`` and ``.tif`` the first is
taken: the challenge's own script wrote the second with red and blue swapped.

*The mask layout*: ``images/``, ``inst/`` (one number a nucleus), and optionally ``class/`` and
``ignore/``; the files of one image share its stem. A nucleus has the class of most of its pixels.

*The dots layout*: ``images/`` and ``points.csv`` with a row a nucleus: image, x_px, y_px, class.
"""

import csv
import logging
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.classes import BACKGROUND, ClassScheme
from seg_core.errors import DataError, told_by
from seg_core.geometry import Region
from seg_core.labelled.data_sets import DataSet
from seg_core.labelled.labelled_image import (
    Dots,
    LabelledImage,
    consecutive,
    labelled_image,
    with_rim,
)
from seg_core.labelled.monusac_xml import draw_outlines, read_annotations
from seg_core.slide import open_slide
from seg_core.slide.png import palette_indices

logger = logging.getLogger(__name__)

IMAGES, INSTANCES, CLASSES, IGNORE = "images", "inst", "class", "ignore"
"""Folders of the mask layout."""

POINTS = "points.csv"
"""The dots, in the dots layout."""

_TCGA_PATIENT = re.compile(r"TCGA-[0-9A-Z]{2}-[0-9A-Z]{4}", re.IGNORECASE)
_CHALLENGE_SUFFIXES = (".svs", ".tif", ".tiff")


def patient_of(name: str, otherwise: str | None = None) -> str:
    """Return whose image it is by its name.

    Examples
    --------
    >>> patient_of("Kidney_TCGA-2Z-A9JN-01Z-00-DX1_1")
    'TCGA-2Z-A9JN'
    >>> patient_of("04_3"), patient_of("04_3", otherwise="clinic 4")
    ('04_3', 'clinic 4')
    """
    tcga = _TCGA_PATIENT.search(name)
    return tcga.group().upper() if tcga else otherwise or name


def read_labels(path: Path) -> npt.NDArray[np.int32]:
    """Read a mask of whole numbers, 8 or 16 bit, or of numbers of a palette.

    Returns
    -------
    labels : (H, W) int32

    Raises
    ------
    DataError
        If the file is missing or no such mask.
    """
    # imread answers a missing file with None, and with a line on stderr of its own
    labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if labels is not None and labels.ndim == 3:
        indices = palette_indices(path)
        labels = labels if indices is None else indices
    if labels is None:
        raise DataError(
            f"the mask {path.parent.name}/{path.name} is missing or cannot be read; "
            "each image needs one of its stem."
        )
    if labels.ndim != 2 or labels.dtype.kind not in "ui":
        raise DataError(
            f"the mask {path.parent.name}/{path.name} has shape {labels.shape} and type "
            f"{labels.dtype}; a mask has one channel of whole numbers."
        )
    return labels.astype(np.int32)


class Files(Protocol):
    """The files of one labelled image."""

    @property
    def name(self) -> str:
        """Stem of the image."""
        ...

    def outlines_other(self) -> bool:
        """Tell whether nuclei that no class names are outlined too."""
        ...

    def read(self) -> LabelledImage:
        """Read image and labels."""
        ...


@dataclass(frozen=True, slots=True)
class Meaning:
    """How labels are to be taken."""

    data_set: DataSet
    scheme: ClassScheme
    mpp: float | None


@dataclass(frozen=True, slots=True)
class MaskFiles:
    """Files of the mask layout."""

    name: str
    image: Path
    instances: Path
    classes: Path | None
    ignore: Path | None
    meaning: Meaning

    def outlines_other(self) -> bool:
        """Tell whether nuclei that no class names are outlined too."""
        if self.classes is None:
            return True
        instances, class_map = read_labels(self.instances), read_labels(self.classes)
        no_image = np.empty((*instances.shape, 0), np.uint8)
        labelled = self._labelled(no_image, instances, class_map, None)
        return bool((labelled.classes == BACKGROUND).any())

    def read(self) -> LabelledImage:
        """Read image and labels."""
        image, instances = _read_image(self.image), read_labels(self.instances)
        class_map = None if self.classes is None else read_labels(self.classes)
        # an image without ignore areas may have no such mask
        there = self.ignore is not None and self.ignore.is_file()
        ignore = read_labels(self.ignore) > 0 if self.ignore is not None and there else None
        return self._labelled(image, instances, class_map, ignore)

    def _labelled(
        self,
        image: npt.NDArray[np.uint8],
        instances: npt.NDArray[np.int32],
        class_map: npt.NDArray[np.int32] | None,
        ignore: npt.NDArray[np.bool_] | None,
    ) -> LabelledImage:
        return labelled_image(
            self.name,
            image,
            instances,
            class_map,
            ignore,
            self.meaning.data_set,
            self.meaning.scheme,
            patient=patient_of(self.name),
            mpp=self.meaning.mpp,
        )


@dataclass(frozen=True, slots=True)
class DotFiles:
    """An image with dots."""

    name: str
    image: Path
    dots: Sequence[tuple[float, float, str]]
    meaning: Meaning

    def outlines_other(self) -> bool:
        """Tell whether nuclei that no class names are outlined too."""
        return True  # nothing is outlined: every prediction may lie on a nucleus without a dot

    def read(self) -> LabelledImage:
        """Read image and labels."""
        image = _read_image(self.image)
        data_set, scheme = self.meaning.data_set, self.meaning.scheme
        nothing = np.zeros(image.shape[:2], np.int32)
        labelled = labelled_image(
            self.name,
            image,
            nothing,
            None,
            None,
            data_set,
            scheme,
            patient=patient_of(self.name),
            mpp=self.meaning.mpp,
        )
        # a dot on pixel 3 means the middle of the fourth
        points = np.array([[x + 0.5, y + 0.5] for x, y, _ in self.dots]).reshape(-1, 2)
        classes = np.array([data_set.class_id(c, scheme) for *_, c in self.dots], np.uint8)
        return replace(labelled, dots=Dots(points, classes))


@dataclass(frozen=True, slots=True)
class ChallengeFiles:
    """Files of the challenge's layout."""

    name: str
    image: Path
    outlines: Path
    folder: str | None
    meaning: Meaning

    def outlines_other(self) -> bool:
        """Tell whether nuclei that no class names are outlined too."""
        return False  # the XML names the four classes only

    def read(self) -> LabelledImage:
        """Read image and labels."""
        image = _read_image(self.image)
        data_set, scheme = self.meaning.data_set, self.meaning.scheme
        annotations = read_annotations(self.outlines, scheme)
        height, width = image.shape[:2]
        drawn, class_ids, ambiguous = draw_outlines(annotations.outlines, width, height, scheme)
        # an outline that is wholly covered has no pixel
        class_ids = class_ids[np.unique(drawn[drawn > 0]) - 1]
        mpp = self.meaning.mpp or data_set.mpp
        ignore = ambiguous if ambiguous.any() else None
        return LabelledImage(
            name=self.name,
            image=image,
            instances=consecutive(drawn),
            classes=class_ids,
            weights=np.array(
                [data_set.weight_of(scheme.name_of(k)) for k in class_ids], np.float32
            ),
            ignore=with_rim(ignore, drawn.shape, round(data_set.rim_um / mpp)),
            data_set=data_set,
            mpp=mpp,
            patient=patient_of(self.name, otherwise=self.folder),
            file_mpp=annotations.mpp,
        )


def mask_files(folder: Path, meaning: Meaning) -> list[MaskFiles]:
    """Find the images of a folder in the mask layout.

    Raises
    ------
    DataError
        If an image has no mask, or a mask no image.
    """
    images = _images_of(folder)
    masks = {path.stem: path for path in sorted((folder / INSTANCES).glob("*.png"))}
    lonely = sorted(images.keys() ^ masks.keys())
    if lonely:
        raise DataError(
            f"{lonely[0]} is in only one of {IMAGES}/ and {INSTANCES}/ of {folder.name}; "
            "each image needs a mask (.png) of its stem, and each mask an image."
        )
    classes = folder / CLASSES if (folder / CLASSES).is_dir() else None
    ignore = folder / IGNORE if (folder / IGNORE).is_dir() else None
    return [
        MaskFiles(
            name=stem,
            image=image,
            instances=masks[stem],
            classes=classes and classes / f"{stem}.png",
            ignore=ignore and ignore / f"{stem}.png",
            meaning=meaning,
        )
        for stem, image in images.items()
    ]


def dot_files(folder: Path, meaning: Meaning) -> list[DotFiles]:
    """Find the images of a folder in the dots layout; one without a dot is among them.

    Raises
    ------
    DataError
        If there are no dots, they cannot be read, or belong to an image that is not there.
    """
    if not (folder / POINTS).is_file():
        raise DataError(
            f"{folder.name} has no {POINTS}, and dots are what {meaning.data_set.title} has; "
            "give its folder, or another data set (--classes)."
        )
    dots: defaultdict[str, list[tuple[float, float, str]]] = defaultdict(list)
    try:
        with (folder / POINTS).open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                dots[row["image"]].append((float(row["x_px"]), float(row["y_px"]), row["class"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{POINTS} of {folder.name} cannot be read ({told_by(error)}); it needs the columns image, "
            "x_px, y_px and class, and numbers in the second and third."
        ) from error
    images = _images_of(folder)
    if lonely := sorted(dots.keys() - images.keys()):
        raise DataError(f"{lonely[0]} has dots and no image in {IMAGES}/ of {folder.name}; add it.")
    return [DotFiles(stem, image, dots[stem], meaning) for stem, image in images.items()]


def _images_of(folder: Path) -> dict[str, Path]:
    """Return the images by the name their masks have; a name may have points of its own."""
    files = sorted(path for path in (folder / IMAGES).glob("*") if path.is_file())
    return {path.stem: path for path in files}


def challenge_files(folder: Path, meaning: Meaning) -> list[ChallengeFiles]:
    """Find the images of a folder in the challenge's layout; those without outlines are left out.

    Raises
    ------
    DataError
        If outlines have no image beside them.
    """
    files = []
    for outlines in sorted(folder.rglob("*.xml"), key=lambda path: path.stem):
        image = _image_beside(outlines)
        patient_folder = outlines.parent.name if outlines.parent != folder else None
        files.append(ChallengeFiles(outlines.stem, image, outlines, patient_folder, meaning))
    outlined = {each.outlines.with_suffix("") for each in files}
    for image in sorted(folder.rglob("*")):
        if image.suffix.lower() in _CHALLENGE_SUFFIXES and image.with_suffix("") not in outlined:
            logger.warning("%s has no outlines (.xml) and is left out", image.name)
    return files


def _image_beside(outlines: Path) -> Path:
    for suffix in _CHALLENGE_SUFFIXES:
        image = outlines.with_suffix(suffix)
        if image.is_file():
            return image
    raise DataError(
        f"{outlines.name} has no image beside it; it needs {outlines.stem}.svs or .tif."
    )


def _read_image(path: Path) -> npt.NDArray[np.uint8]:
    slide = open_slide(path)
    try:
        width, height = slide.info.width, slide.info.height
        return slide.read_level0(Region(0, 0, width, height), (width, height))
    finally:
        slide.close()
