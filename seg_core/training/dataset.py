"""Crops to learn from: a pure function of seed and step, so that a resumed run sees the same."""

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seg_core.errors import DataError, quoted
from seg_core.labelled.data_sets import UNKNOWN, DataSet, data_set_of
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.labelled.reading import read_labelled
from seg_core.nuclei.ternary import RIM_PX, ternary_of
from seg_core.training import augment
from seg_core.training.config import SourceConfig, TrainConfig, existing_folder
from seg_core.training.dots import outline_dots
from seg_core.training.naming import name_nuclei
from seg_core.training.paste import NucleusBank, paste_nuclei
from seg_core.training.types import Types

Targets = dict[str, npt.NDArray[np.int64] | npt.NDArray[np.float32]]

# Background this near a labelled nucleus was looked at by the person who drew its outline.
LOOKED_AT_PX = 8


class Source:
    """The images of one folder, and where their nuclei of each class are."""

    def __init__(self, config: SourceConfig, mpp: float) -> None:
        self.config = config
        self.images = read_images(config)
        if config.outlined_by:
            self.images = outline_dots([each.at(mpp) for each in self.images], config.outlined_by)
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
    """Read the labelled images of one source, in any of the layouts.

    Raises
    ------
    DataError
        If there is no image, images and labels do not fit, or what is held out or chosen is no
        image of the folder.
    """
    folder = existing_folder(config)
    images = read_labelled(folder, data_set_of(config.name))
    try:
        images = images.without(config.hold_out)
        if config.only:
            images = images.only(config.only)
    except DataError as error:
        raise DataError(f"`hold_out` or `only` of {quoted(config.name)}: {error}") from error
    if not images:
        raise DataError(
            f"{folder.name} holds no image to learn from; every one is held out, or `only` names "
            "none."
        )
    return list(images)


class Crops:
    """Batches of crops by step."""

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        self._sources = [Source(each, config.mpp) for each in config.sources]
        shares = np.array([each.share for each in config.sources])
        self._shares = shares / shares.sum()
        self.types = Types([image for source in self._sources for image in source.images])
        # a nucleus scanned at 20x looks softer: in a crop at 40x that alone would tell its class
        self._banks = {
            scanned_at: NucleusBank(
                [
                    image
                    for source in self._sources
                    for image in source.images
                    if image.data_set.mpp == scanned_at
                ],
                config.augment.paste_classes,
                config.mpp,
            )
            for scanned_at in {data_set_of(each.name).mpp for each in config.sources}
        }

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
        names = ("classes", "class_weight", "ternary", "ternary_weight", "types")
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
            labelled, centre, config.crop_px, config.mpp, config.augment, rng
        )
        classes, weights = labelled.classes, labelled.weights
        if rng.random() < config.augment.paste:
            image, instances, classes, weights = paste_nuclei(
                image, instances, classes, weights, self._banks[labelled.data_set.mpp], rng
            )
        enlarged = labelled.data_set.mpp > config.mpp
        image = augment.recolour(image, config.augment, rng, enlarged=enlarged)
        targets = targets_of(
            instances,
            taught,
            classes,
            weights,
            labelled.data_set,
            config.loss.touching,
        )
        targets["types"] = self.types.targets(labelled, np.where(taught, instances, 0))
        return image, targets


def targets_of(
    instances: npt.NDArray[np.int32],
    taught: npt.NDArray[np.bool_],
    classes: npt.NDArray[np.uint8],
    weights: npt.NDArray[np.float32],
    data_set: DataSet,
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
    data_set : DataSet
        What blank means, and what outlines are worth, in the ternary loss.
    touching : float
        Extra weight of boundary between two nuclei that touch.
    """
    class_of = np.concatenate([[0], classes])[instances]
    weight = np.concatenate([[1.0], weights]).astype(np.float32)[instances]
    known = taught & (class_of != UNKNOWN)
    ternary = ternary_of(instances)
    foreground = (instances > 0).astype(np.uint8)
    near = cv2.dilate(foreground, np.ones((2 * LOOKED_AT_PX + 1,) * 2, np.uint8)) > 0
    ternary_weight = np.where(near, data_set.outline_weight, data_set.blank_weight)
    ternary_weight *= 1 + (touching - 1) * between(instances)
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
