"""Tiles of real tissue, by which the ranges of 8-bit integers are chosen."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seg_core.errors import DataError
from seg_core.geometry import Raster, Window
from seg_core.labelled.layouts import IMAGES
from seg_core.samples import sample_path
from seg_core.slide import Slide, TissueMask, find_tissue, open_slide

_SEED = 1

SAMPLES = ("hgsc_nest", "hgsc_stromal_he", "cmu_small_region")
"""Samples whose tissue the training images lack."""


def calibration_tiles(
    folders: Sequence[Path], mpp: float, tile_px: int, count: int
) -> list[npt.NDArray[np.uint8]]:
    """Cut tiles at random places out of images of tissue and of samples, the same each time.

    Every image gives as many tiles, give or take one, whatever its size: the ranges are to cover
    as many stains as there are.

    Parameters
    ----------
    folders : sequence of Path
        Labelled images in the mask layout, or just folders of images. They are taken at their own
        pixels, as in training; those smaller than a tile, or without tissue, are left out.
    mpp : float
        The model's. A sample that says how large its pixels are is read at it.
    tile_px : int
    count : int

    Returns
    -------
    tiles : list of (tile_px, tile_px, 3) uint8

    Raises
    ------
    DataError
        If a folder has no images.
    """
    rng = np.random.default_rng(_SEED)
    with ExitStack() as opened:
        slides = [open_slide(path, mpp=mpp) for folder in folders for path in _images(folder)]
        slides += [_open_sample(sample_path(name), mpp) for name in SAMPLES]
        for slide in slides:
            opened.enter_context(closing(slide))
        sources = [
            _tiles_on_tissue(slide, raster, tissue, tile_px, rng)
            for slide in slides
            if min((raster := slide.raster(mpp)).width, raster.height) >= tile_px
            and (tissue := find_tissue(slide)).mask.any()
        ]
        return [next(source) for source in islice(cycle(sources), count)]


def _images(folder: Path) -> list[Path]:
    within = folder / IMAGES if (folder / IMAGES).is_dir() else folder
    paths = sorted(path for path in within.glob("*") if path.is_file())
    if not paths:
        raise DataError(
            f"{folder.name} has no images; give a folder of images of tissue, or one with images/."
        )
    return paths


def _open_sample(path: Path, mpp: float) -> Slide:
    """Open a sample at its own resolution; where nobody knows that, at the model's."""
    slide = open_slide(path)
    if slide.info.mpp is not None:
        return slide
    slide.close()
    return open_slide(path, mpp=mpp)


def _tiles_on_tissue(
    slide: Slide, raster: Raster, tissue: TissueMask, tile_px: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.uint8]]:
    while True:
        x = int(rng.integers(0, raster.width - tile_px + 1))
        y = int(rng.integers(0, raster.height - tile_px + 1))
        window = Window(x, y, tile_px, tile_px)
        if tissue.touches(raster, window):
            yield slide.read(raster, window)
