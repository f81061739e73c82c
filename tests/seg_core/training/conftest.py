"""Two small labelled images in the mask layout, and a run on them that takes seconds."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from seg_core.training.config import AugmentConfig, SourceConfig, TrainConfig

COLOURS = {1: (120, 60, 140), 2: (50, 20, 110), 3: (90, 20, 60), 4: (150, 90, 150)}
"""RGB of the nuclei by class id."""


@pytest.fixture
def labelled_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "labelled"
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


@pytest.fixture
def tiny_config(labelled_folder: Path) -> TrainConfig:
    folder = str(labelled_folder)
    return TrainConfig(
        name="tiny",
        encoder="tu-test_resnet.r160_in1k",
        steps=12,
        sources=(SourceConfig("monusac", folder, 1.0, centres=(0.0, 0.4, 0.3, 0.1, 0.1)),),
        validation=(SourceConfig("monusac", folder, 1.0),),
        crop_px=64,
        batch=4,
        warm_up=2,
        learning_rate=5e-3,
        validate_every=6,
        save_minutes=0.0,
        bf16=False,
        augment=AugmentConfig(elastic=0.5, paste=0.5),
    )
