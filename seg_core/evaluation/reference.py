"""Labelled images to learn from or to be measured by, in the two layouts they come in.

*The challenge's layout*: a folder a patient, in it images (``.svs`` or ``.tif``) each with an XML
of the same stem, see `monusac_xml`. Where an image is there as ``.svs`` and ``.tif`` the first is
taken: the challenge's own script wrote the second with red and blue swapped.

*The mask layout*: ``images/``, ``inst/`` (one number a nucleus), and optionally ``class/`` and
``ignore/``; the files of one image share its stem. A nucleus has the class of most of its pixels;
one whose pixels have class 0 is a nucleus of class *other*.
"""

import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, overload

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.classes import BACKGROUND, MONUSAC, OTHER, ClassScheme
from seg_core.errors import DataError
from seg_core.evaluation.metrics import Nuclei, majority_class_ids
from seg_core.evaluation.monusac_xml import draw_outlines, read_annotations
from seg_core.geometry import Region
from seg_core.slide import open_slide

logger = logging.getLogger(__name__)

IMAGES, INSTANCES, CLASSES, IGNORE = "images", "inst", "class", "ignore"
"""Folders of the mask layout."""

CLASS_NAMES: dict[str, Mapping[int, str | None]] = {
    "monusac": {0: OTHER, 1: "epithelial", 2: "lymphocyte", 3: "neutrophil", 4: "macrophage"},
    # 1 is miscellaneous (and 0 nothing at all): whichever of ours these are, nobody knows.
    # Inflammatory nuclei (2) are mostly but not only lymphocytes; 4 are spindle-shaped ones.
    "consep": {0: None, 1: None, 2: "lymphocyte", 3: "epithelial", 4: OTHER},
}
"""What the ids of a data set's class masks mean; None is a nucleus to ignore."""

_TCGA_PATIENT = re.compile(r"TCGA-[0-9A-Z]{2}-[0-9A-Z]{4}", re.IGNORECASE)
_CHALLENGE_SUFFIXES = (".svs", ".tif", ".tiff")


@dataclass(frozen=True)
class Reference:
    """One labelled image."""

    name: str
    """Stem of its files."""

    patient: str
    """Whose image it is: the first three parts of a TCGA name, else the folder or the stem."""

    image: npt.NDArray[np.uint8]
    """(H, W, 3) RGB."""

    nuclei: Nuclei
    """Instances, with classes where somebody named them."""

    ignore: npt.NDArray[np.bool_] | None
    """(H, W): where nobody knows what is right; None if there is no such place."""

    mpp: float | None
    """µm per pixel as the files have it; recorded, not used."""

    def __post_init__(self) -> None:
        for what, array in (("label", self.nuclei.labels), ("ignore", self.ignore)):
            if array is not None and array.shape != self.image.shape[:2]:
                raise DataError(
                    f"the {what} mask of {self.name} has {_size(array)} pixels, "
                    f"its image {_size(self.image)}; masks must have the size of their image."
                )


class References(Sequence[Reference]):
    """The labelled images of a folder, each read when it is asked for.

    Parameters
    ----------
    files : sequence
        In the order of their names.

    Raises
    ------
    DataError
        If two images have the same name.
    """

    def __init__(self, files: Sequence["_Files"]) -> None:
        names = [each.name for each in files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(
                f"several images are called {twice[0]}; give each a name of its own, "
                "since results are told apart by it."
            )
        self._files = files
        self.names = names

    def __len__(self) -> int:
        return len(self._files)

    @overload
    def __getitem__(self, index: int) -> Reference: ...

    @overload
    def __getitem__(self, index: slice) -> "References": ...

    def __getitem__(self, index: int | slice) -> "Reference | References":
        if isinstance(index, slice):
            return References(self._files[index])
        return self._files[index].read()

    def only(self, names: Collection[str]) -> "References":
        """Return the images of these names.

        Raises
        ------
        DataError
            If there is no image of a name.
        """
        unknown = sorted({*names} - {*self.names})
        if unknown:
            raise DataError(
                f"there is no image {unknown[0]}; name some of {', '.join(self.names[:5])} …"
            )
        return References([each for each in self._files if each.name in names])

    @cached_property
    def outlines_every_nucleus(self) -> bool:
        """Whether nuclei that none of the classes names are outlined too.

        They are where no nucleus has a class at all, and where some nucleus is *other*.
        """
        return any(each.outlines_other() for each in self._files)


def read_references(
    folder: Path,
    scheme: ClassScheme = MONUSAC,
    class_names: Mapping[int, str | None] = CLASS_NAMES["monusac"],
) -> References:
    """Find the labelled images of a folder, whichever of the two layouts it has.

    Parameters
    ----------
    folder : Path
    scheme : ClassScheme
        The ids to give to the classes.
    class_names : mapping of int to str or None
        What the ids in ``class/`` mean; see `CLASS_NAMES`. A nucleus whose id means None leaves
        its pixels as an ignore area.

    Returns
    -------
    references : References

    Raises
    ------
    DataError
        If the folder has neither layout or files are missing. Reading an image may raise it too.
    """
    files: list[_Files]
    if (folder / INSTANCES).is_dir():
        files = list(_mask_files(folder, scheme, class_names))
    elif folder.is_dir():
        files = list(_challenge_files(folder, scheme))
    else:
        raise DataError(f"there is no folder {folder.name}; give the folder of labelled images.")
    if not files:
        raise DataError(
            f"{folder.name} has no labelled images; give a folder with images/ and inst/, or one "
            "with a folder a patient and in it images (.svs or .tif), each with its .xml."
        )
    return References(files)


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
    """Read a mask of whole numbers, 8 or 16 bit.

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


class _Files(Protocol):
    """The files of one labelled image."""

    @property
    def name(self) -> str: ...

    def outlines_other(self) -> bool: ...

    def read(self) -> Reference: ...


@dataclass(frozen=True, slots=True)
class _MaskFiles:
    """Files of the mask layout."""

    name: str
    image: Path
    instances: Path
    classes: Path | None
    ignore: Path | None
    scheme: ClassScheme
    class_names: Mapping[int, str | None]

    def outlines_other(self) -> bool:
        if self.classes is None:
            return True
        labels, class_ids, _ = self._labels()
        return bool((class_ids[np.unique(labels[labels > 0]) - 1] == BACKGROUND).any())

    def read(self) -> Reference:
        image = _read_image(self.image)
        if self.classes is None:
            nuclei, ignore = Nuclei(read_labels(self.instances)), None
        else:
            labels, class_ids, unknown = self._labels()
            nuclei, ignore = Nuclei(labels, class_ids), unknown if unknown.any() else None
        if self.ignore is not None and self.ignore.is_file():
            # an image without ignore areas may have no such mask
            area = read_labels(self.ignore) > 0
            ignore = area if ignore is None or area.shape != ignore.shape else area | ignore
        return Reference(self.name, patient_of(self.name), image, nuclei, ignore, mpp=None)

    def _labels(
        self,
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
        """Return instances without the ones to ignore, their classes, and where those were."""
        assert self.classes is not None
        labels, class_map = read_labels(self.instances), read_labels(self.classes)
        if labels.shape != class_map.shape:
            raise DataError(
                f"the masks of {self.name} in {INSTANCES}/ and {CLASSES}/ differ in size; "
                "both must have the size of their image."
            )
        theirs = majority_class_ids(labels, class_map)
        unnamed = sorted({*theirs.tolist()} - {*self.class_names, BACKGROUND})
        if unnamed:
            raise DataError(
                f"{self.name} has nuclei of class {unnamed[0]}, which nobody has named; its data "
                "set may have ids of its own, see --classes."
            )
        names = [self.class_names.get(int(each)) for each in theirs]
        unknown = np.array([False, *(name is None for name in names)])[labels]
        class_ids = [BACKGROUND if name is None else self.scheme.id_of(name) for name in names]
        return np.where(unknown, 0, labels), np.array(class_ids, dtype=np.uint8), unknown


@dataclass(frozen=True, slots=True)
class _ChallengeFiles:
    """Files of the challenge's layout."""

    name: str
    image: Path
    outlines: Path
    folder: str | None
    scheme: ClassScheme

    def outlines_other(self) -> bool:
        return False  # the XML names the four classes only

    def read(self) -> Reference:
        image = _read_image(self.image)
        annotations = read_annotations(self.outlines, self.scheme)
        height, width = image.shape[:2]
        labels, class_ids, ambiguous = draw_outlines(
            annotations.outlines, width, height, self.scheme
        )
        return Reference(
            self.name,
            patient_of(self.name, otherwise=self.folder),
            image,
            Nuclei(labels, class_ids),
            ambiguous if ambiguous.any() else None,
            annotations.mpp,
        )


def _mask_files(
    folder: Path, scheme: ClassScheme, class_names: Mapping[int, str | None]
) -> list[_MaskFiles]:
    images = {path.stem: path for path in sorted((folder / IMAGES).glob("*")) if path.is_file()}
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
        _MaskFiles(
            name=stem,
            image=image,
            instances=masks[stem],
            classes=classes and classes / f"{stem}.png",
            ignore=ignore and ignore / f"{stem}.png",
            scheme=scheme,
            class_names=class_names,
        )
        for stem, image in images.items()
    ]


def _challenge_files(folder: Path, scheme: ClassScheme) -> list[_ChallengeFiles]:
    files = []
    for outlines in sorted(folder.rglob("*.xml"), key=lambda path: path.stem):
        image = _image_beside(outlines)
        patient_folder = outlines.parent.name if outlines.parent != folder else None
        files.append(_ChallengeFiles(outlines.stem, image, outlines, patient_folder, scheme))
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


def _size(array: npt.NDArray[np.generic]) -> str:
    return f"{array.shape[1]} × {array.shape[0]}"
