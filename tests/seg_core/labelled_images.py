"""Two small labelled images in the mask layout."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

COLOURS = {1: (120, 60, 140), 2: (50, 20, 110), 3: (90, 20, 60), 4: (150, 90, 150)}
"""RGB of the nuclei by class id."""


def write_labelled_folder(folder: Path) -> Path:
    """Write two images of 192 × 160 pixels with 24 nuclei each, and return their folder."""
    for name in ("images", "inst", "class", "ignore"):
        (folder / name).mkdir(parents=True)
    for number in range(2):
        generator = np.random.default_rng(number)
        image = np.full((160, 192, 3), (235, 200, 225), np.uint8)
        inst, kinds = np.zeros((160, 192), np.uint16), np.zeros((160, 192), np.uint8)
        for k in range(24):
            centre = (12 + 24 * (k % 8), 20 + 50 * (k // 8))
            class_id = k % 4 + 1
            colour = COLOURS[class_id]
            cv2.circle(image, centre, 8, colour, -1)
            cv2.circle(inst, centre, 8, 3 * k + 2, -1)
            cv2.circle(kinds, centre, 8, class_id, -1)
        noise = generator.normal(0, 6, image.shape)
        noisy = np.clip(image + noise, 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / "images" / f"case{number}.png")
        Image.fromarray(inst).save(folder / "inst" / f"case{number}.png")
        Image.fromarray(kinds).save(folder / "class" / f"case{number}.png")
    ignore = np.zeros((160, 192), np.uint8)
    ignore[:40, :40] = 255
    Image.fromarray(ignore).save(folder / "ignore" / "case0.png")
    return folder
