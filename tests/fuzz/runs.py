"""Runs of a store that are damaged: a finished one is read, a stopped one goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seg_core import analysis
from seg_core.errors import JobCancelled
from seg_core.geometry import Window
from seg_core.process.progress import Progress
from seg_core.settings import AnalysisSettings
from seg_core.store import Run, open_run
from tests.seg_core import painted_slides
from tests.stand_in import stand_in

_SETTINGS = AnalysisSettings(tile_px=64, overlap_px=32, block_px=256)


def finished(folder: Path) -> Path:
    """Analyse a painted slide; return the folder of its run."""
    return _analyse(_painted(folder)).path


def read(path: Path) -> object:
    """Read all that pages and exports read of a run."""
    run = open_run(path)
    maps = run.maps()
    planes = [
        (pixels.class_map, pixels.ternary_map, pixels.score)
        for pixels in (
            maps.read(Window(0, 0, *reversed(maps.level_shape(level))), level)
            for level in range(maps.level_count)
        )
    ]
    shares = [
        maps.read_shares(name, Window(0, 0, 64, 64), level).tobytes()
        for name in ("class", "ternary", "score")
        for level in range(2, maps.share_level_count)
    ]
    table = run.nuclei().to_wkb().to_csv()
    return run.facts, table, [plane.tobytes() for level in planes for plane in level], shares


def stopped(folder: Path) -> Path:
    """Stop an analysis of a painted slide when some of its maps are there; return the slide."""
    slide = _painted(folder)

    def stop(progress: Progress) -> None:
        if progress.stage == "tiles" and progress.done >= 0.7 * progress.total:
            raise JobCancelled("it was stopped.")

    with pytest.raises(JobCancelled):
        _analyse(slide, stop)
    return slide


def go_on(slide: Path) -> object:
    """Analyse a slide, with what its store holds already; return what is found."""
    _, *found = read(_analyse(slide).path)
    return found


def _painted(folder: Path) -> Path:
    return painted_slides.paint(160, 220, glass_from=130).save(folder / "painted.png")


def _analyse(slide: Path, report: Callable[[Progress], None] | None = None) -> Run:
    options = {} if report is None else {"report": report}
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, painted_slides.CARD, painted_slides.make_painted_engine)
        return analysis.analyse(
            slide, slide.parent / "store", mpp=painted_slides.MPP, settings=_SETTINGS, **options
        )
