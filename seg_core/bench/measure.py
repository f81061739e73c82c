"""Time each setup from the slide to its maps and nuclei, in turns with the others.

What is timed is the analysis itself; only the stages by themselves are put together here.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seg_core.analysis import analyse
from seg_core.bench.stages import STAGES, baseline_stages, engine_stages
from seg_core.evaluation.fast_settings import keeps_accuracy
from seg_core.files.temporary import temporary_folder
from seg_core.geometry import Region
from seg_core.model import Engine, ModelCard, find_model, make_engine
from seg_core.process.memory import peak_rss_mb
from seg_core.process.progress import CountCallback, Progress, Stage
from seg_core.settings import AnalysisSettings, EngineName, Precision
from seg_core.slide import Slide, open_slide
from seg_core.tiling import TileGrid

if TYPE_CHECKING:
    from seg_core.bench.baseline import Baseline


@dataclass(frozen=True, slots=True)
class Setup:
    """What is timed: the baseline, or an engine with a precision and a size of tiles."""

    engine: str
    precision: Precision
    tile_px: int

    def settings(self) -> AnalysisSettings:
        """Return the options of such an analysis; no tile is spared, as the baseline spares none."""
        engine: EngineName = "torch" if self.engine == "torch" else "openvino"
        return AnalysisSettings(
            engine=engine, precision=self.precision, tile_px=self.tile_px, tissue_only=False
        )


BASELINE = Setup("reference", "fp32", AnalysisSettings().tile_px)


@dataclass
class Times:
    """Seconds of a setup, one number a round: ``maps`` end to end, and each stage by itself."""

    maps: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in STAGES})

    def stage(self, name: str) -> float:
        """Return the median of a stage."""
        return median(self.stages[name])


def measure(
    region: Path,
    model: str | None,
    setups: list[Setup],
    *,
    rounds: int,
    report: CountCallback,
) -> list[dict[str, Any]]:
    """Time setups in turns and weigh their memory.

    Parameters
    ----------
    region : Path
        A slide at the model's resolution, worked on whole.
    model : str or None
    setups : list of Setup
        The baseline is timed before them.
    rounds : int
        How often each is timed; figures are medians.
    report : callable
        Called with the number of steps done and of all.

    Returns
    -------
    rows : list of dict
        See `seg_core.commands.bench`.
    """
    card, weights = find_model(model)
    asked = [BASELINE, *setups]
    total, done = len(asked) * (rounds + 1), 0
    memory = {}
    for setup in asked:
        memory[setup] = _peak_rss_mb_of(region, model, setup)
        report(done := done + 1, total)
    with closing(open_slide(region)) as slide:
        workers = {each: _worker(each, card, weights) for each in asked}
        times = {each: Times() for each in asked}
        for _ in range(rounds):
            for setup, worker in workers.items():
                _time(setup, worker, slide, card, model, times[setup])
                report(done := done + 1, total)
        megapixels = slide.info.width * slide.info.height / 1e6
        mm2 = megapixels * (slide.raster(card.mpp).mpp / 1000) ** 2 * 1e6
    return [
        _row(each, times[each], times[BASELINE], card, megapixels, mm2, memory[each])
        for each in asked
    ]


def _row(
    setup: Setup,
    times: Times,
    baseline: Times,
    card: ModelCard,
    megapixels: float,
    mm2: float,
    peak_rss_mb: float | None,
) -> dict[str, Any]:
    seconds, alone = median(times.maps), sum(times.stage(name) for name in STAGES)
    # the baseline finds no nuclei, so its time for a mm² would be that of something else
    with_nuclei = None if setup == BASELINE else (seconds + times.stage("nuclei")) / mm2
    return {
        "engine": setup.engine,
        "precision": setup.precision,
        "tile": setup.tile_px,
        "encoder": card.encoder,
        "seconds": round(seconds, 2),
        "ratio": round(median(baseline.maps) / seconds, 2),
        "network_seconds": round(times.stage("infer"), 2),
        "network_ratio": round(baseline.stage("infer") / times.stage("infer"), 2),
        "mpx_per_s": round(megapixels / seconds, 3),
        "s_per_mm2_025": with_nuclei and round(with_nuclei, 2),
        # at 0.5 µm/px a mm² has a quarter of the pixels
        "s_per_mm2_05": with_nuclei and round(with_nuclei / 4, 2),
        "peak_rss_mb": peak_rss_mb,
        "keeps_accuracy": keeps_accuracy(card, setup.precision, setup.tile_px),
        "share": {name: round(times.stage(name) / alone, 3) for name in STAGES},
    }


def _worker(setup: Setup, card: ModelCard, weights: Path) -> "Baseline | Engine":
    """Load a model and let it answer once: compiling is no part of what is timed."""
    # torch is no part of what an analysis in OpenVINO holds in memory
    worker: Any
    if setup == BASELINE:
        from seg_core.bench import baseline

        worker = baseline.Baseline(card, weights)
    else:
        worker = make_engine(card, weights, setup.settings())
    tile = np.zeros((setup.tile_px, setup.tile_px, 3), np.uint8)
    list(worker.run(iter([(0, tile)])))
    if setup != BASELINE:
        list(worker.describe(iter([(0, tile)])))
    return worker


def _time(
    setup: Setup,
    worker: "Baseline | Engine",
    slide: Slide,
    card: ModelCard,
    model: str | None,
    times: Times,
) -> None:
    with temporary_folder() as folder:
        if setup == BASELINE:
            began = time.perf_counter()
            _baseline_maps(worker, card, slide, folder)
            maps = time.perf_counter() - began
            stages = baseline_stages(worker, card, slide, setup.settings(), folder)
            stages["blend"] = max(0.0, maps - sum(stages.values()))
        else:
            timed = timed_analysis(slide.info.path, model, setup.settings(), folder)
            maps, nuclei = timed.maps, timed.nuclei
            stages = engine_stages(worker, card, slide, setup.settings(), folder)
            stages["nuclei"] = nuclei
    times.maps.append(maps)
    for name in STAGES:
        times.stages[name].append(stages[name])


class TimedAnalysis(NamedTuple):
    """What `timed_analysis` has seen.

    Attributes
    ----------
    maps, nuclei : float
        Seconds.
    cpu : float
        Seconds of processor time for both, of all cores together.
    found : int
        Number of nuclei.
    """

    maps: float
    nuclei: float
    cpu: float
    found: int


def timed_analysis(
    region: Path, model: str | None, settings: AnalysisSettings, folder: Path
) -> TimedAnalysis:
    """Analyse a slide, and return how long its maps took and how long its nuclei.

    A tile is analysed before, so that loading and compiling the model are no part of it; in a store
    of its own, since on a slide of one tile it is the same question, which would be answered at once.

    Parameters
    ----------
    region : Path
        A slide, worked on whole; no tile of it is spared.
    model : str or None
    settings : AnalysisSettings
    folder : Path
        Where the runs may lie.

    Returns
    -------
    timed : TimedAnalysis
    """
    settings = replace(settings, tissue_only=False)
    first = Region(0, 0, settings.tile_px, settings.tile_px)
    analyse(region, folder / "before", region=first, model=model, settings=settings)
    began: dict[Stage, float] = {}
    cpu_began: dict[Stage, float] = {}

    def note(progress: Progress) -> None:
        began.setdefault(progress.stage, time.perf_counter())
        cpu_began.setdefault(progress.stage, time.process_time())

    run = analyse(region, folder / "timed", model=model, settings=settings, report=note)
    ended, cpu_ended = time.perf_counter(), time.process_time()
    return TimedAnalysis(
        maps=began["nuclei"] - began["tiles"],
        nuclei=ended - began["nuclei"],
        cpu=cpu_ended - cpu_began["tiles"],
        found=sum(run.facts.counts.values()),
    )


def _baseline_maps(worker: Any, card: ModelCard, slide: Slide, folder: Path) -> None:
    raster = slide.raster(card.mpp)
    grid = TileGrid.of(raster, BASELINE.settings())
    maps = worker.maps_of(slide.read(raster, raster.window), grid)
    np.save(folder / "maps.npy", np.stack(maps))


def _peak_rss_mb_of(region: Path, model: str | None, setup: Setup) -> float | None:
    """Do it all once in a process of its own, and return the most memory that held."""
    question = [str(region), model, setup.engine, setup.precision, setup.tile_px]
    ended = subprocess.run(
        [sys.executable, "-m", "seg_core.bench.alone", json.dumps(question)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    peak: float | None = json.loads(ended.stdout)
    return peak


def work_once(region: Path, model: str | None, setup: Setup) -> float | None:
    """Make maps and nuclei once, and return the most memory this process held."""
    with temporary_folder() as folder:
        if setup != BASELINE:
            return analyse(region, folder, model=model, settings=setup.settings()).facts.peak_rss_mb
        card, weights = find_model(model)
        with closing(open_slide(region)) as slide:
            _baseline_maps(_worker(setup, card, weights), card, slide, folder)
    return peak_rss_mb()
