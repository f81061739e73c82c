"""Labelled images cut into patches, split by patient, with a manifest that says what is in each."""

import csv
import hashlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.classes import MONUSAC, ClassScheme
from seg_core.errors import DataError, SettingsError
from seg_core.geometry import Window
from seg_core.labelled.data_sets import MONUSAC_DATA
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.labelled.layouts import CLASSES, IGNORE, IMAGES, INSTANCES
from seg_core.labelled.reading import LabelledImages, read_labelled
from seg_core.nuclei.ternary import ternary_of

MANIFEST = "manifest.csv"
TERNARY = "ternary"
TRAIN, VALIDATION = "train", "val"
IMMUNE = ("lymphocyte", "neutrophil", "macrophage")


def export_patches(
    sources: Sequence[Path],
    out: Path,
    *,
    size_px: int = 256,
    stride_px: int = 128,
    min_foreground: float = 0.01,
    validation_share: float = 0.2,
    scheme: ClassScheme = MONUSAC,
    report: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Cut labelled images into patches.

    Below ``out`` come ``train/`` and ``val/``, each in the mask layout with ``ternary/`` beside
    (so ``train`` reads them as they are), and ``manifest.csv``: a row a patch with case, image,
    source, x0, y0, size, split, pixels and nuclei by class, and the number of immune cells. A
    nucleus is counted in every patch that shows a part of it. Of images of one name in several
    sources, the patches of the second and later ones have a number in their names.

    Parameters
    ----------
    sources : sequence of Path
        Folders in the challenge's layout or in the mask layout, with classes; both of the
        challenge's archives may be given.
    out : Path
        Must not exist yet.
    size_px, stride_px : int
    min_foreground : float
        Patches with a smaller share of nuclei are left out.
    validation_share : float
        Part of the patients that goes to ``val/``, the same ones each time.
    scheme : ClassScheme
    report : callable, optional
        Called with the number of images done and of all images.

    Returns
    -------
    warnings : list of str
        A sentence for each patient that is in several sources.

    Raises
    ------
    DataError
        If sources cannot be read, have nuclei without classes, or ``out`` exists.
    SettingsError
        If a number makes no sense.
    """
    _check(size_px, stride_px, min_foreground, validation_share)
    if out.exists():
        raise DataError(f"{out} exists already; name a folder that does not.")
    several = {source: read_labelled(source, MONUSAC_DATA, scheme) for source in sources}
    patients = _patients(several)
    split = _split(sorted(patients), validation_share)
    temporary = out.with_name(out.name + ".tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        rows = list(
            _export(several, temporary, split, size_px, stride_px, min_foreground, scheme, report)
        )
        _write_manifest(rows, temporary / MANIFEST)
        temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return [
        f"the patient {patient} is in {' and '.join(sorted(places))}; all images of a patient are "
        f"in one part, here {split[patient]}."
        for patient, places in sorted(patients.items())
        if len(places) > 1
    ]


def _check(size_px: int, stride_px: int, min_foreground: float, validation_share: float) -> None:
    if size_px < 32 or stride_px < 1:
        raise SettingsError(
            f"patches of {size_px} px every {stride_px} px cannot be; "
            "give a size of at least 32 and a stride of at least 1."
        )
    for name, value in (("foreground", min_foreground), ("validation", validation_share)):
        if not 0 <= value <= 1:
            raise SettingsError(f"the share of {name} is {value}; give a number from 0 to 1.")


def _patients(several: dict[Path, LabelledImages]) -> dict[str, set[str]]:
    """Return the names of the sources that each patient is in."""
    patients: defaultdict[str, set[str]] = defaultdict(set)
    for source, references in several.items():
        for reference in references:
            patients[reference.patient].add(source.name)
    return patients


def _split(patients: Sequence[str], validation_share: float) -> dict[str, str]:
    """Return the part of each patient; which ones it is depends on their names alone."""
    by_chance = sorted(patients, key=lambda name: hashlib.sha256(name.encode()).digest())
    count = round(validation_share * len(patients))
    return {name: VALIDATION if i < count else TRAIN for i, name in enumerate(by_chance)}


def _export(
    several: dict[Path, LabelledImages],
    out: Path,
    split: dict[str, str],
    size_px: int,
    stride_px: int,
    min_foreground: float,
    scheme: ClassScheme,
    report: Callable[[int, int], None] | None,
) -> Iterator[dict[str, Any]]:
    total = sum(len(references) for references in several.values())
    done = 0
    taken: set[str] = set()
    for source, references in several.items():
        for reference in references:
            _check_classes(reference, source)
            called = _free(reference.name, taken)
            part = split[reference.patient]
            facts = {"case": reference.patient, "image": reference.name, "source": source.name}
            for window in windows_of(reference.image.shape[:2], size_px, stride_px):
                patch = _Patch(reference, window, size_px)
                if (patch.instances > 0).mean() >= min_foreground:
                    name = f"{called}_{window.x}_{window.y}"
                    patch.write(out / part, name)
                    place = {"x0": window.x, "y0": window.y, "size": size_px, "split": part}
                    yield {"patch": name, **facts, **place, **patch.counts(scheme)}
            done += 1
            if report is not None:
                report(done, total)


def _check_classes(reference: LabelledImage, source: Path) -> None:
    """Refuse nuclei without classes: in a class mask 0 says that a nucleus is *other*."""
    if not reference.classed and len(reference.classes):
        raise DataError(
            f"{reference.name} of {source.name} has nuclei without classes, and patches would call "
            f"them other; add {CLASSES}/, or train on the images as they are, as all-nuclei."
        )


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no image has yet: several sources may have one of this name."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return free


def windows_of(shape: tuple[int, int], size_px: int, stride_px: int) -> list[Window]:
    """Return where the patches of an image lie.

    They begin at every stride; the last ones of a row and column are moved back to end at the
    image's edge. A side smaller than a patch gives one window of that side.

    Examples
    --------
    >>> [window.x for window in windows_of((256, 500), 256, 128)]
    [0, 128, 244]
    """
    height, width = shape
    return [
        Window(x, y, min(size_px, width), min(size_px, height))
        for y in _starts(height, size_px, stride_px)
        for x in _starts(width, size_px, stride_px)
    ]


def _starts(length: int, size_px: int, stride_px: int) -> list[int]:
    last = max(length - size_px, 0)
    return [*range(0, last, stride_px), last]


class _Patch:
    """A window of a labelled image; where the image is smaller, what lacks is ignored."""

    def __init__(self, reference: LabelledImage, window: Window, size_px: int) -> None:
        cut = window.slices()
        labels = reference.nuclei.labels
        ignore = reference.not_scored
        if ignore is None:
            ignore = np.zeros(labels.shape, bool)
        below, right = size_px - window.height, size_px - window.width
        padding = ((0, below), (0, right))
        self.image = np.pad(reference.image[cut], (*padding, (0, 0)), mode="symmetric")
        self.instances = np.pad(labels[cut], padding).astype(np.uint16)
        self.classes = np.pad(reference.nuclei.class_map()[cut], padding)
        self.ternary = np.pad(ternary_of(labels)[cut], padding)
        self.ignore = np.pad(ignore[cut], padding, constant_values=True)

    def write(self, folder: Path, name: str) -> None:
        planes: dict[str, npt.NDArray[Any]] = {
            IMAGES: self.image,
            INSTANCES: self.instances,
            CLASSES: self.classes,
            TERNARY: self.ternary,
            IGNORE: self.ignore.astype(np.uint8) * 255,
        }
        for kind, plane in planes.items():
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(plane).save(folder / kind / f"{name}.png")

    def counts(self, scheme: ClassScheme) -> dict[str, int]:
        """Return pixels and nuclei by class, and immune cells."""
        pixels = np.bincount(self.classes[~self.ignore], minlength=len(scheme.names) + 1)
        nuclei = self._nuclei_by_class(len(scheme.names) + 1)
        names = ("background", *scheme.names)
        return {
            **{f"{name}_pixels": int(pixels[k]) for k, name in enumerate(names)},
            **{f"{name}_nuclei": int(nuclei[k]) for k, name in enumerate(names) if k},
            "immune_nuclei": sum(int(nuclei[scheme.id_of(name)]) for name in IMMUNE),
        }

    def _nuclei_by_class(self, kinds: int) -> npt.NDArray[np.intp]:
        """Count the nuclei of which a part is here, by class."""
        ids, first = np.unique(self.instances, return_index=True)
        return np.bincount(self.classes.ravel()[first[ids > 0]], minlength=kinds)


def _write_manifest(rows: list[dict[str, Any]], path: Path) -> None:
    if not rows:
        raise DataError(
            "no patch has enough nuclei; give a smaller share of foreground or other images."
        )
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
