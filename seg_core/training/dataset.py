"""Crops to learn from: a pure function of seed and step, so that a resumed run sees the same."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from seg_core.errors import DataError
from seg_core.evaluation.reference import (
    CLASSES,
    IGNORE,
    IMAGES,
    INSTANCES,
    read_labels,
    read_references,
)
from seg_core.nuclei.ternary import RIM_PX, ternary_of
from seg_core.training import augment
from seg_core.training.config import SourceConfig, TrainConfig, existing_folder
from seg_core.training.labels import UNKNOWN, LabelledImage, labelled_image, teaching_of
from seg_core.training.naming import name_nuclei
from seg_core.training.paste import NucleusBank, paste_nuclei

Targets = dict[str, npt.NDArray[np.int64] | npt.NDArray[np.float32]]

IMAGE_SUFFIXES = {".png", ".webp", ".jpg", ".jpeg", ".tif", ".tiff"}

# Background this near a labelled nucleus was looked at by the person who drew its outline.
LOOKED_AT_PX = 8


class Source:
    """The images of one folder, and where their nuclei of each class are."""

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self.images = read_images(config)
        if config.named_by:
            self.images = name_nuclei(self.images, config.named_by)
        self._places = {
            k: [
                (image, number)
                for image in self.images
                for number in np.flatnonzero(image.classes == k)
            ]
            for k in range(len(config.centres))
        }
        areas = np.array([image.instances.size for image in self.images], dtype=np.float64)
        self._odds = areas / areas.sum()

    def place(self, rng: np.random.Generator) -> tuple[LabelledImage, tuple[float, float]]:
        """Draw an image and a pixel (x, y) of it, by the classes' odds."""
        wanted = rng.random()
        for k, odds in enumerate(self.config.centres):
            wanted -= odds
            if wanted < 0 and self._places[k]:
                image, number = self._places[k][rng.integers(len(self._places[k]))]
                x0, y0, x1, y1 = image.boxes[number]
                return image, ((x0 + x1) / 2, (y0 + y1) / 2)
        image = self.images[rng.choice(len(self.images), p=self._odds)]
        height, width = image.instances.shape
        return image, (rng.uniform(0, width), rng.uniform(0, height))


def read_images(config: SourceConfig) -> list[LabelledImage]:
    """Read the labelled images of one source, in the mask layout or in the challenge's.

    Raises
    ------
    DataError
        If there is no image, or images and labels do not fit.
    """
    folder = existing_folder(config)
    masks = (folder / INSTANCES).is_dir()
    read = _read_masks if masks else _read_outlines
    images = list(read(folder, config))
    if not images:
        raise DataError(
            f"{folder.name} holds no image to learn from; it needs images/ and inst/, or a folder "
            "a patient with images and their .xml."
        )
    return images


def _read_masks(folder: Path, config: SourceConfig) -> Iterator[LabelledImage]:
    teaching = teaching_of(config.name)
    for path in sorted((folder / IMAGES).glob("*")):
        if path.suffix.lower() not in IMAGE_SUFFIXES or not _is_taken(path.stem, config):
            continue
        image = np.array(Image.open(path).convert("RGB"))
        instances = _mask(folder / INSTANCES / f"{path.stem}.png", image)
        if instances is None:
            raise DataError(
                f"{path.name} has no instance mask; put inst/{path.stem}.png beside images/."
            )
        class_map = _mask(folder / CLASSES / f"{path.stem}.png", image)
        ignore = _mask(folder / IGNORE / f"{path.stem}.png", image)
        taught = None if ignore is None else ignore > 0
        yield labelled_image(path.stem, image, instances, class_map, taught, teaching)


def _read_outlines(folder: Path, config: SourceConfig) -> Iterator[LabelledImage]:
    teaching = teaching_of(config.name)
    references = read_references(folder)
    for number, name in enumerate(references.names):
        if _is_taken(name, config):
            each = references[number]
            yield labelled_image(
                name, each.image, each.nuclei.labels, each.nuclei.class_map(), each.ignore, teaching
            )


def _is_taken(name: str, config: SourceConfig) -> bool:
    held_out = any(fnmatchcase(name, each) for each in config.hold_out)
    chosen = not config.only or any(fnmatchcase(name, each) for each in config.only)
    return chosen and not held_out


def _mask(path: Path, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32] | None:
    if not path.is_file():
        return None
    mask = read_labels(path)
    if mask.shape != image.shape[:2]:
        raise DataError(
            f"{path.parent.name}/{path.name} is {mask.shape[1]} × {mask.shape[0]} pixels, its "
            f"image {image.shape[1]} × {image.shape[0]}; masks and images must be of one size."
        )
    return mask


class Crops:
    """Batches of crops by step."""

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        self._sources = [Source(each) for each in config.sources]
        shares = np.array([each.share for each in config.sources])
        self._shares = shares / shares.sum()
        self._bank = NucleusBank(
            [image for s in self._sources if s.config.name == "monusac" for image in s.images],
            config.augment.paste_classes,
        )

    def class_pixels(self, kinds: int) -> npt.NDArray[np.int64]:
        """Count the labelled pixels of each class over all images."""
        pixels = np.zeros(kinds, dtype=np.int64)
        for image in (image for source in self._sources for image in source.images):
            classes = np.concatenate([[0], image.classes])[image.instances]
            pixels += np.bincount(classes[classes != UNKNOWN], minlength=kinds)
        return pixels

    def batch(self, step: int) -> dict[str, Tensor]:
        """Return the crops of a step; the same step always has the same crops."""
        config = self._config
        crops = [
            self._crop(np.random.default_rng([config.seed, step, number]))
            for number in range(config.batch)
        ]
        images = np.stack([crop[0] for crop in crops]).astype(np.float32) / 255
        images = (images - np.array(config.mean, np.float32)) / np.array(config.std, np.float32)
        names = ("classes", "class_weight", "ternary", "ternary_weight")
        return {
            "image": torch.from_numpy(images).permute(0, 3, 1, 2),
            **{
                name: torch.from_numpy(np.stack([crop[1][name] for crop in crops]))
                for name in names
            },
        }

    def _crop(self, rng: np.random.Generator) -> tuple[npt.NDArray[np.uint8], Targets]:
        source = self._sources[rng.choice(len(self._sources), p=self._shares)]
        labelled, centre = source.place(rng)
        config = self._config
        image, instances, taught = augment.cut(
            labelled, centre, config.crop_px, config.augment, rng
        )
        classes, weights = labelled.classes, labelled.weights
        if rng.random() < config.augment.paste:
            image, instances, classes, weights = paste_nuclei(
                image, instances, classes, weights, self._bank, rng
            )
        image = augment.recolour(image, config.augment, rng)
        targets = targets_of(
            instances, taught, classes, weights, labelled.blank_weight, config.loss.touching
        )
        return image, targets


def targets_of(
    instances: npt.NDArray[np.int32],
    taught: npt.NDArray[np.bool_],
    classes: npt.NDArray[np.uint8],
    weights: npt.NDArray[np.float32],
    blank_weight: float,
    touching: float,
) -> Targets:
    """Return what the two heads are to answer on a crop, and how much each pixel counts.

    Parameters
    ----------
    instances : (H, W) int32
        k is the nucleus in row k - 1 of ``classes`` and ``weights``.
    taught : (H, W) bool
        Where labels hold at all.
    classes : (N,) uint8
    weights : (N,) float32
    blank_weight : float
        Of background away from labelled nuclei in the ternary loss.
    touching : float
        Extra weight of boundary between two nuclei that touch.
    """
    class_of = np.concatenate([[0], classes])[instances]
    weight = np.concatenate([[1.0], weights]).astype(np.float32)[instances]
    known = taught & (class_of != UNKNOWN)
    ternary = ternary_of(instances)
    foreground = (instances > 0).astype(np.uint8)
    near = cv2.dilate(foreground, np.ones((2 * LOOKED_AT_PX + 1,) * 2, np.uint8)) > 0
    ternary_weight = np.where(near, 1.0, blank_weight) + (touching - 1) * between(instances)
    return {
        "classes": np.where(known, class_of, 0).astype(np.int64),
        "class_weight": np.where(known, weight, 0).astype(np.float32),
        "ternary": ternary.astype(np.int64),
        "ternary_weight": np.where(taught, ternary_weight, 0).astype(np.float32),
    }


def between(instances: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Tell which pixels of nuclei have another nucleus within the boundary's thickness."""
    labels = instances.astype(np.float32)
    size = (2 * RIM_PX + 1,) * 2
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)
    highest = cv2.dilate(labels, kernel)
    lowest = cv2.erode(np.where(labels > 0, labels, np.float32(2**24)), kernel)
    return (labels > 0) & ((highest > labels) | (lowest < labels))
