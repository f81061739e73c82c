"""Slides with a known answer."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from seg_core.samples import sample_path


@pytest.fixture
def noise() -> npt.NDArray[np.uint8]:
    """Random pixels: any shift of half a pixel shows."""
    return np.random.default_rng(7).integers(0, 256, (389, 515, 3), dtype=np.uint8)


@pytest.fixture
def ramp() -> npt.NDArray[np.uint8]:
    """Red rises with x and green with y, so that a colour tells its position."""
    y, x = np.mgrid[0:389, 0:515]
    return np.stack([x // 3 + 20, y // 3 + 20, np.full_like(x, 99)], axis=-1).astype(np.uint8)


@pytest.fixture
def write_pyramid(tmp_path: Path) -> Callable[..., Path]:
    """Write a tiled TIFF that OpenSlide reads, with one coarser level of downsample 2.0045."""

    def write(array: npt.NDArray[np.uint8], dots: float = 0, unit: str = "NONE") -> Path:
        path = tmp_path / "pyramid.tif"
        half = (array.shape[1] // 2, array.shape[0] // 2)
        coarse = np.asarray(Image.fromarray(array).resize(half, Image.Resampling.BOX))
        options = {
            "tile": (128, 128),
            "photometric": "rgb",
            "resolution": (dots, dots) if dots else None,
            "resolutionunit": unit,
            "metadata": None,
        }
        with tifffile.TiffWriter(path) as file:
            file.write(array, subfiletype=0, **options)
            file.write(coarse, subfiletype=1, **options)
        return path

    return write


@pytest.fixture
def svs() -> Path:
    """A real Aperio slide of 20x."""
    return sample_path("cmu_small_region")
