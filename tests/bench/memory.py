"""The memory that a whole slide of 100,000 × 80,000 px takes, the model included.

    python -m tests.bench.memory [--tile 256 512 1024] [--width PX] [--height PX]
        [--engine auto|openvino|torch]

A fifth of the slide is real tissue (see `tests.bench.huge_slide`). Each tile size is analysed in a
process of its own: the model is loaded and answers some tiles, so that it has all the memory it ever
takes; after that a rule of thumb on colours answers in its place, which finds about as many nuclei
and takes minutes instead of hours. Prints a Markdown table of the largest resident memory. With
another width and height it shows that memory depends on neither.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import get_args
from unittest.mock import patch

import cv2
import numpy as np
import numpy.typing as npt

from seg_core import analysis, subject
from seg_core.classes import BOUNDARY, INSIDE
from seg_core.model import Engine, ModelCard, make_engine
from seg_core.model.engine import NumberedLogits, NumberedTile
from seg_core.model.features import FEATURE_STRIDE_PX, DescribedTile
from seg_core.process.memory import hold_little_memory
from seg_core.process.progress import Progress
from seg_core.settings import AnalysisSettings, EngineName
from tests.bench.huge_slide import write_huge_slide

_TISSUE_SHARE = 0.2

# More than any engine works on at once.
_TILES_FOR_THE_MODEL = 8


class QuickEngine:
    """Lets the model answer the first tiles and a rule of thumb all others.

    What is darker than its surroundings is a nucleus, the darkest of it *inside*: 670 in a
    megapixel of the samples, as in dense tissue.
    """

    def __init__(self, engine: Engine) -> None:
        self.name, self.precision = engine.name, engine.precision
        self._engine, self.feature_count = engine, engine.feature_count

    def run(self, tiles: Iterable[NumberedTile]) -> Iterator[NumberedLogits]:
        """Answer each tile."""
        tiles = iter(tiles)
        yield from self._engine.run(islice(tiles, _TILES_FOR_THE_MODEL))
        for number, rgb in tiles:
            yield number, _logits(rgb)

    def describe(self, tiles: Iterable[NumberedTile]) -> Iterator[DescribedTile]:
        """Answer each tile with features that say nothing but take as much room."""
        tiles = iter(tiles)
        yield from self._engine.describe(islice(tiles, _TILES_FOR_THE_MODEL))
        for number, rgb in tiles:
            height, width = (px // FEATURE_STRIDE_PX for px in rgb.shape[:2])
            features = np.ones((self.feature_count, height, width), dtype=np.float16)
            yield DescribedTile(number, _logits(rgb), features)


def _logits(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    red = np.ascontiguousarray(rgb[..., 0])
    darker = cv2.subtract(cv2.blur(red, (61, 61)), cv2.blur(red, (7, 7)))
    nucleus, middle = darker > 10, darker > 16
    logits = np.zeros((8, *red.shape), dtype=np.float32)
    logits[2][nucleus] = 4
    logits[5 + BOUNDARY][nucleus & ~middle] = 4
    logits[5 + INSIDE][middle] = 4
    logits[0][~nucleus], logits[5][~nucleus] = 4, 4
    return logits


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tile", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--width", type=int, default=100_000)
    parser.add_argument("--height", type=int, default=80_000)
    parser.add_argument("--engine", choices=get_args(EngineName), default="auto")
    options = parser.parse_args()
    print("| slide | tile | nuclei | peak after maps, MB | peak after nuclei, MB | minutes |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        slide = Path(folder) / "huge.tif"
        write_huge_slide(slide, options.width, options.height, _TISSUE_SHARE)
        for tile_px in options.tile:
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=spawn) as child:
                row = child.submit(
                    _analysed, slide, Path(folder) / "store", tile_px, options.engine
                ).result()
            print(f"| {options.width} × {options.height} | {tile_px} | {row} |", flush=True)


def _analysed(slide: Path, store: Path, tile_px: int, engine: EngineName) -> str:
    hold_little_memory(at_work=True)  # as the command line does
    after_maps = 0.0

    def report(progress: Progress) -> None:
        nonlocal after_maps
        if progress.stage == "tiles":
            after_maps = _peak_mb()

    started = time.monotonic()
    settings = AnalysisSettings(tile_px=tile_px, engine=engine)
    with patch.object(subject, "make_engine", _make_engine):
        run = analysis.analyse(slide, store, settings=settings, report=report)
    minutes = (time.monotonic() - started) / 60
    nuclei = sum(run.facts.counts.values())
    return f"{nuclei:,} | {after_maps:,.0f} | {_peak_mb():,.0f} | {minutes:.1f}"


def _make_engine(card: ModelCard, weights: Path, settings: AnalysisSettings) -> Engine:
    return QuickEngine(make_engine(card, weights, settings))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
