"""Two small labelled images, and a run on them that takes seconds."""

from pathlib import Path

import pytest

from seg_core.training.config import AugmentConfig, SourceConfig, TrainConfig
from tests.seg_core.labelled_images import write_labelled_folder


@pytest.fixture
def labelled_folder(tmp_path: Path) -> Path:
    return write_labelled_folder(tmp_path / "labelled")


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
