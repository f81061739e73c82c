"""What an analysis makes of the slide's own state: its stain, pen marks, what is out of focus."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from painted_slides import MPP, SMALL_TILES, PaintedEngine, paint
from PIL import Image

from seg_core.analysis import analyse
from seg_core.geometry import Region, Window
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.slide import find_tissue, fit_stain, open_slide
from seg_core.store import Run, open_run

TILES = AnalysisSettings()
PART = Region(1200, 2400, 300, 300)


def test_stain_is_learned_from_the_slide_and_recorded(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    path = sample_path("cmu_small_region")
    run = analyse(path, tmp_path, region=PART, settings=replace(TILES, stain="macenko"))
    slide = open_slide(path)
    assert run.facts.stain == fit_stain(slide, find_tissue(slide), "macenko")
    assert open_run(run.path).facts.stain == run.facts.stain
    assert run.facts.warnings == ()
    everywhere = replace(TILES, stain="macenko", tissue_only=False)
    assert analyse(path, tmp_path, region=PART, settings=everywhere).facts.stain == run.facts.stain


@pytest.mark.parametrize("stain", ["none", "macenko", "reinhard"])
def test_the_network_sees_normalised_colours_and_the_nuclei_are_measured_in_their_own(
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    monkeypatch: pytest.MonkeyPatch,
    stain: str,
) -> None:
    seen: list[np.ndarray] = []
    answer = PaintedEngine.describe

    def watched(engine: PaintedEngine, tiles: object) -> object:
        kept = ((seen.append(rgb) or number, rgb) for number, rgb in tiles)  # type: ignore[attr-defined,func-returns-value]
        return answer(engine, kept)

    monkeypatch.setattr(PaintedEngine, "describe", watched)
    path = sample_path("cmu_small_region")
    run = analyse(path, tmp_path, region=PART, settings=replace(TILES, stain=stain))  # type: ignore[arg-type]
    slide = open_slide(path)
    inner = Window((run.window.x // 192 + 2) * 192, (run.window.y // 192 + 2) * 192, 256, 256)
    colours = slide.read(run.raster, inner)
    fit = run.facts.stain
    expected = colours if fit is None else fit.normalise(colours)
    assert (fit is None) == (stain == "none")
    # an enlarged window may differ from its neighbour by a grey level of rounding
    assert min(np.abs(tile.astype(int) - expected).mean() for tile in seen) < 0.5


def test_a_slide_without_two_stains_keeps_its_colours_and_the_run_says_so(
    painted_slide: Path, painted_run: Run, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    Image.new("RGB", (300, 300), "white").save(tmp_path / "blank.png")
    settings = replace(SMALL_TILES, stain="macenko")
    run = analyse(tmp_path / "blank.png", tmp_path, mpp=MPP, settings=settings)
    assert run.facts.stain is None
    (warning,) = run.facts.warnings
    assert warning.startswith("the stain was not normalised: no stain can be learned from 0")


def test_pen_marks_are_not_analysed_unless_one_says_so(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    painting = paint(600, 600)
    cv2.rectangle(painting.rgb, (0, 0), (299, 599), (20, 120, 80), -1)
    path = painting.save(tmp_path / "marked.png")
    run = analyse(path, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert run.facts.tissue_um2 < 0.5 * (600 * MPP) ** 2
    assert any("pen marks or ink cover 0.01" in sentence for sentence in run.facts.warnings)
    assert run.tissue().area_um2() == pytest.approx(run.facts.tissue_um2, abs=0.1)
    kept = analyse(path, tmp_path, mpp=MPP, settings=replace(SMALL_TILES, quality=False))
    assert kept.facts.tissue_um2 == pytest.approx((600 * MPP) ** 2)
    assert kept.tissue().area_um2() == pytest.approx(kept.facts.tissue_um2)
    assert kept.facts.warnings == ()
    assert painted_engines[0].tiles < 2 * 18**2


def test_tissue_out_of_focus_is_analysed_and_the_run_tells_its_share(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    sharp = paint(1100, 1100)
    left = sharp.rgb[:, :550]
    left[:] = cv2.GaussianBlur(left, (0, 0), 8)
    path = sharp.save(tmp_path / "soft.png")
    run = analyse(path, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert run.facts.tissue_um2 == pytest.approx((1100 * MPP) ** 2, rel=0.02)
    assert any("% of the tissue is out of focus" in sentence for sentence in run.facts.warnings)
    silent = analyse(path, tmp_path, mpp=MPP, settings=replace(SMALL_TILES, quality=False))
    assert silent.facts.warnings == ()
