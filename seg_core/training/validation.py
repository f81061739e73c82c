"""Figures to follow a run by: cheap, on whole images, from the maps alone.

The figures that a card states come from ``python -m seg_core evaluate``; these choose among the
checkpoints of one run.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from seg_core.classes import ClassScheme
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model.network import TwoHeadUnet
from seg_core.nuclei.ternary import ternary_of
from seg_core.training.config import SourceConfig, TrainConfig
from seg_core.training.dataset import read_images

STRIDE_PX = 32


class Validation:
    """The validation images of a run, read once."""

    def __init__(self, config: TrainConfig, scheme: ClassScheme) -> None:
        self._config = config
        self._scheme = scheme
        self._sources = [
            (each, [image.at(config.mpp) for image in read_images(each)])
            for each in config.validation
        ]

    @property
    def images(self) -> list[LabelledImage]:
        """All of them, source by source."""
        return [image for _, images in self._sources for image in images]

    def figures(self, network: TwoHeadUnet) -> dict[str, float]:
        """Return the figures of every source, named ``<source> <figure>``, and ``score``.

        ``score`` chooses the best step: the mean of the IoU of the classes with at least 100
        reference nuclei (background included), the ternary Dice, and, where *other* nuclei are
        labelled, the share of nuclei whose class is right. Rare classes are left out of it:
        their figures are noise.
        """
        figures: dict[str, float] = {}
        chosen: list[float] = []
        for source, images in self._sources:
            found, counted = self._of_source(source, images, network)
            figures |= {f"{source.name} {name}": value for name, value in found.items()}
            chosen += counted
        return {"score": float(np.mean(chosen)), **figures} if chosen else figures

    def _of_source(
        self, source: SourceConfig, images: Sequence[LabelledImage], network: TwoHeadUnet
    ) -> tuple[dict[str, float], list[float]]:
        names = ("background", *self._scheme.names)
        kinds = len(names)
        pixels = np.zeros((kinds, kinds), dtype=np.int64)
        ternary = np.zeros((3, 3), dtype=np.int64)
        nuclei = np.zeros((kinds, kinds), dtype=np.int64)
        for image in images:
            class_map, ternary_map = self.maps(image, network)
            valid = np.ones_like(class_map, bool) if image.ignore is None else ~image.ignore
            pixels += _pixel_table(image, class_map, valid, kinds)
            truth = ternary_of(image.instances)
            ternary += _table(truth[valid], ternary_map[valid], 3)
            nuclei += _nucleus_table(image, class_map, kinds)
        dice = _dice(ternary)[1:]
        figures = {"inside dice": dice[0], "boundary dice": dice[1]}
        chosen = [float(np.mean(dice))]
        counts = nuclei.sum(axis=1)
        if source.name == "monusac":
            iou = _iou(pixels)
            figures |= {f"{name} iou": value for name, value in zip(names, iou, strict=True)}
            figures["class mean iou"] = float(np.mean(iou))
            chosen.append(
                float(np.mean([v for k, v in enumerate(iou) if not k or counts[k] >= 100]))
            )
        elif counts.any():
            right = nuclei.diagonal() / np.maximum(counts, 1)
            shown = ("other", *self._scheme.names)
            figures |= {f"{shown[k]} right": right[k] for k in range(kinds) if counts[k]}
            figures["other as lymphocyte"] = nuclei[0, 2] / max(counts[0], 1)
            chosen.append(float(np.mean(right[counts >= 100])))
        return {name: float(value) for name, value in figures.items()}, chosen

    def maps(
        self, image: LabelledImage, network: TwoHeadUnet
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Return class map and ternary map of a whole image in one go."""
        height, width = image.instances.shape
        padding = ((0, -height % STRIDE_PX), (0, -width % STRIDE_PX), (0, 0))
        padded = np.pad(image.image, padding, mode="symmetric").astype(np.float32) / 255
        mean, std = np.array(self._config.mean, np.float32), np.array(self._config.std, np.float32)
        pixels = torch.from_numpy((padded - mean) / std).permute(2, 0, 1).unsqueeze(0)
        dtype = torch.bfloat16 if self._config.bf16 else torch.float32
        with torch.inference_mode(), torch.autocast("cpu", dtype, enabled=self._config.bf16):
            logits = network(pixels.contiguous(memory_format=torch.channels_last))
        logits = logits[0, :, :height, :width]
        return (
            logits[:-3].argmax(0).numpy().astype(np.uint8),
            logits[-3:].argmax(0).numpy().astype(np.uint8),
        )


def _pixel_table(
    image: LabelledImage,
    class_map: npt.NDArray[np.uint8],
    valid: npt.NDArray[np.bool_],
    kinds: int,
) -> npt.NDArray[np.int64]:
    truth = np.concatenate([[0], image.classes])[image.instances]
    known = valid & (truth != UNKNOWN)
    return _table(truth[known], class_map[known], kinds)


def _nucleus_table(
    image: LabelledImage, class_map: npt.NDArray[np.uint8], kinds: int
) -> npt.NDArray[np.int64]:
    """Count reference nuclei by their class and the class most of their pixels were given."""
    count = len(image.classes)
    votes = np.bincount(
        image.instances.ravel() * kinds + class_map.ravel(), minlength=(count + 1) * kinds
    )
    called = votes.reshape(count + 1, kinds)[1:].argmax(axis=1)
    known = image.classes != UNKNOWN
    return _table(image.classes[known], called[known], kinds)


def _table(
    truth: npt.NDArray[np.integer], found: npt.NDArray[np.integer], kinds: int
) -> npt.NDArray[np.int64]:
    pairs = truth.astype(np.int64) * kinds + found
    return np.bincount(pairs, minlength=kinds * kinds).reshape(kinds, kinds)


def _iou(table: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    both = table.diagonal()
    return both / np.maximum(table.sum(axis=0) + table.sum(axis=1) - both, 1)


def _dice(table: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return 2 * table.diagonal() / np.maximum(table.sum(axis=0) + table.sum(axis=1), 1)
