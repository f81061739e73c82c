"""An analysis without weights, in the store of a dashboard that a test looks at."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from seg_core import analysis
from seg_core.classes import INSIDE
from seg_core.geometry import Region
from seg_core.model import ModelCard
from seg_core.samples import sample_path
from seg_core.store import Run
from tests.stand_in import stand_in

MPP = 0.25
EPITHELIAL, LYMPHOCYTE = 1, 2
LEFT, TOP, SIDE = 100, 100, 300


class DarkEngine:
    """Calls whatever is dark the inside of a lymphocyte: nuclei without weights."""

    name, precision = "dark", "fp32"
    feature_count = 0

    def run(self, tiles: Iterable[tuple[int, np.ndarray]]) -> Iterator[tuple[int, np.ndarray]]:
        for number, rgb in tiles:
            dark = rgb[..., 0] < 110
            logits = np.zeros((8, *dark.shape), np.float32)
            logits[[0, 5]] = 0.5
            logits[[LYMPHOCYTE, 5 + INSIDE]] = dark
            yield number, logits


class TwoToneEngine(DarkEngine):
    """Calls the darkest the inside of a lymphocyte, and what is less dark that of epithelium."""

    def run(self, tiles: Iterable[tuple[int, np.ndarray]]) -> Iterator[tuple[int, np.ndarray]]:
        for number, rgb in tiles:
            red = rgb[..., 0]
            darkest, dark = red < 75, red < 110
            logits = np.zeros((8, *red.shape), np.float32)
            logits[[0, 5]] = 0.5
            logits[LYMPHOCYTE] = 8 * darkest
            logits[EPITHELIAL] = 8 * (dark & ~darkest)
            logits[5 + INSIDE] = dark
            yield number, logits


def analyse_part(store: Path, slide: Path | None = None) -> Run:
    """Analyse a part of a sample, or of a slide."""
    return _analyse(DarkEngine(), MPP, store, Region(LEFT, TOP, SIDE, SIDE), slide)


def analyse_for_scores(store: Path, mpp: float) -> Run:
    """Analyse all of a sample, with as much epithelium as a TIL score needs."""
    return _analyse(TwoToneEngine(), mpp, store, None)


def _analyse(
    engine: DarkEngine, mpp: float, store: Path, region: Region | None, slide: Path | None = None
) -> Run:
    statistics = (0.5, 0.5, 0.5)
    card = ModelCard("dark", "dark.safetensors", "0" * 64, "none", mpp, statistics, statistics)
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, card, lambda *_: engine)
        return analysis.analyse(slide or sample_path("hgsc_nest"), store, region=region, mpp=mpp)
