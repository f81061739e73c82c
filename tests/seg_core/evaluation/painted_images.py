"""Labelled images in the colours that a painted engine answers."""

import argparse

import cv2
import numpy as np
from PIL import Image

from seg_core.commands.evaluate import add_evaluate
from seg_core.labelled.nuclei import Nuclei
from seg_core.model import ModelCard
from seg_core.nuclei.ternary import ternary_of
from seg_core.settings import AnalysisSettings

FP32 = AnalysisSettings(precision="fp32")
CARD = ModelCard("painted", "painted.safetensors", "0" * 64, "none", 0.25, (0.5,) * 3, (0.5,) * 3)
LEVEL = 40  # grey levels between two classes, and between inside and boundary


class PaintedEngine:
    """Reads class and ternary value of a pixel from its red and green, as `paint` puts them there."""

    name, precision = "painted", "fp32"

    def run(self, tiles):
        for number, tile in tiles:
            # resampling overshoots
            values = np.minimum(np.round(tile[..., :2] / LEVEL).astype(int), [4, 2])
            semantic = np.eye(5, dtype=np.float32)[values[..., 0]]
            ternary = np.eye(3, dtype=np.float32)[values[..., 1]]
            yield number, 9 * np.concatenate([semantic, ternary], axis=2).transpose(2, 0, 1)


def paint(labels, class_ids):
    """Return the image that the painted engine answers with these nuclei."""
    class_map = Nuclei(labels, class_ids).class_map()
    return np.stack([class_map * LEVEL, ternary_of(labels) * LEVEL, class_map * 0], axis=2)


def discs(*nuclei, shape=(150, 200), radius=12):
    """Draw a disc for each (x, y, class)."""
    labels = np.zeros(shape, np.int32)
    for label, (x, y, _) in enumerate(nuclei, start=1):
        cv2.circle(labels, (x, y), radius, label, -1)
    return labels, np.array([class_id for *_, class_id in nuclei], np.uint8)


SHOWN = ((30, 30, 1), (80, 30, 2), (130, 30, 3), (30, 90, 4), (80, 90, 0), (150, 100, 2))
REFERENCE = ((30, 30, 1), (80, 30, 2), (130, 30, 2), (30, 90, 4), (170, 40, 1))
# The image shows class 3 where the reference says 2, nothing where it has its last, one *other*
# where it has nothing, and a lymphocyte too many.


def write_image(folder, name, shown, reference, classes=True):
    labels, class_ids = discs(*reference)
    for kind in ("images", "inst", "class"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    Image.fromarray(paint(*discs(*shown))).save(folder / "images" / f"{name}.png")
    cv2.imwrite(str(folder / "inst" / f"{name}.png"), labels.astype(np.uint16))
    if classes:
        cv2.imwrite(str(folder / "class" / f"{name}.png"), Nuclei(labels, class_ids).class_map())


def command(*arguments):
    """Run `evaluate` with these words, and return how it ended."""
    parser = argparse.ArgumentParser()
    add_evaluate(parser.add_subparsers())
    options = parser.parse_args(["evaluate", *map(str, arguments)])
    return options.run(options)
