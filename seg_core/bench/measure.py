"""Time each setting from the slide to its maps and nuclei, in turns with the others."""

import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.analysis import peak_rss_mb
from seg_core.evaluation.faster import keeps_accuracy
from seg_core.maps import MapBand
from seg_core.model import Engine, ModelCard, find_model, make_engine
from seg_core.nuclei import find_nuclei
from seg_core.process.pipelines import write_behind
from seg_core.question import Question
from seg_core.settings import AnalysisSettings, EngineName, Precision
from seg_core.slide import Slide, open_slide
from seg_core.store import MapsWriter, RunMaps, write_nuclei
from seg_core.store.piece_files import PieceFiles
from seg_core.tiling import Blender, TileGrid, predict
from seg_core.tiling.predict import read_tiles

STAGES = ("read", "infer", "blend", "nuclei", "write")

# The network alone is timed on so many pixels of tiles and taken for all: half a minute at most.
_NETWORK_PX = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Setting:
    """What is timed: the reference, or an engine with a precision and a size of tiles."""

    engine: str
    precision: Precision
    tile_px: int

    def settings(self) -> AnalysisSettings:
        """Return the options of such an analysis; no tile is spared, as the reference spares none."""
        engine: EngineName = "torch" if self.engine == "torch" else "openvino"
        return AnalysisSettings(
            engine=engine, precision=self.precision, tile_px=self.tile_px, tissue_only=False
        )


REFERENCE = Setting("reference", "fp32", AnalysisSettings().tile_px)


@dataclass
class Times:
    """Seconds of a setting, one number a round: ``maps`` end to end, and each stage by itself."""

    maps: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in STAGES})

    def stage(self, name: str) -> float:
        """Return the median of a stage."""
        return median(self.stages[name])


def measure(
    region: Path,
    model: str | None,
    settings: list[Setting],
    *,
    rounds: int,
    report: Callable[[int, int], None],
) -> list[dict[str, Any]]:
    """Time settings in turns and weigh their memory.

    Parameters
    ----------
    region : Path
        A slide at the model's resolution, worked on whole.
    model : str or None
    settings : list of Setting
        The reference is timed before them.
    rounds : int
        How often each is timed; figures are medians.
    report : callable
        Called with the number of steps done and of all.

    Returns
    -------
    rows : list of dict
        See `seg_core.bench.command`.
    """
    card, weights = find_model(model)
    asked = [REFERENCE, *settings]
    total, done = len(asked) * (rounds + 1), 0
    memory = {}
    for setting in asked:
        memory[setting] = _peak_rss_mb_of(region, model, setting)
        report(done := done + 1, total)
    with closing(open_slide(region)) as slide:
        workers = {each: _worker(each, card, weights) for each in asked}
        times = {each: Times() for each in asked}
        for _ in range(rounds):
            for setting, worker in workers.items():
                _time(setting, worker, card, slide, times[setting])
                report(done := done + 1, total)
        megapixels = slide.info.width * slide.info.height / 1e6
        mm2 = megapixels * (slide.raster(card.mpp).mpp / 1000) ** 2 * 1e6
    return [
        _row(each, times[each], times[REFERENCE], card, megapixels, mm2, memory[each])
        for each in asked
    ]


def _row(
    setting: Setting,
    times: Times,
    reference: Times,
    card: ModelCard,
    megapixels: float,
    mm2: float,
    peak_rss_mb: float | None,
) -> dict[str, Any]:
    seconds, alone = median(times.maps), sum(times.stage(name) for name in STAGES)
    # the reference finds no nuclei, so its time for a mm² would be that of something else
    with_nuclei = None if setting == REFERENCE else (seconds + times.stage("nuclei")) / mm2
    return {
        "engine": setting.engine,
        "precision": setting.precision,
        "tile": setting.tile_px,
        "encoder": card.encoder,
        "seconds": round(seconds, 2),
        "ratio": round(median(reference.maps) / seconds, 2),
        "network_seconds": round(times.stage("infer"), 2),
        "network_ratio": round(reference.stage("infer") / times.stage("infer"), 2),
        "mpx_per_s": round(megapixels / seconds, 3),
        "s_per_mm2_025": with_nuclei and round(with_nuclei, 2),
        # at 0.5 µm/px a mm² has a quarter of the pixels
        "s_per_mm2_05": with_nuclei and round(with_nuclei / 4, 2),
        "peak_rss_mb": peak_rss_mb,
        "keeps_accuracy": keeps_accuracy(card, setting.precision, setting.tile_px),
        "share": {name: round(times.stage(name) / alone, 3) for name in STAGES},
    }


def _worker(setting: Setting, card: ModelCard, weights: Path) -> Any:
    """Load a `Reference` or an `Engine` and let it answer: compiling is no part of what is timed."""
    tile = np.zeros((setting.tile_px, setting.tile_px, 3), np.uint8)
    # torch is no part of what an analysis in OpenVINO holds in memory
    if setting == REFERENCE:
        from seg_core.bench import reference

        worker = reference.Reference(card, weights)
        list(worker.run(iter([(0, tile)])))
        return worker
    engine = make_engine(card, weights, setting.settings())
    list(engine.run(iter([(0, tile)])))
    list(engine.describe(iter([(0, tile)])))
    return engine


def _time(setting: Setting, worker: Any, card: ModelCard, slide: Slide, times: Times) -> None:
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if setting == REFERENCE:
            times.maps.append(_seconds(partial(_reference_maps, worker, card, slide, folder)))
            stages = _reference_stages(worker, card, slide, times.maps[-1], folder)
        else:
            bands: list[MapBand] = []
            make = partial(_make_maps, worker, card, slide, setting.settings(), folder, bands)
            times.maps.append(_seconds(make))
            stages = _stages(worker, card, slide, setting.settings(), folder, bands)
    for name, seconds in stages.items():
        times.stages[name].append(seconds)


def _make_maps(
    engine: Engine,
    card: ModelCard,
    slide: Slide,
    settings: AnalysisSettings,
    folder: Path,
    bands: list[MapBand],
) -> None:
    """Make maps as an analysis does, and remember them."""
    raster = slide.raster(card.mpp)
    pieces = PieceFiles(folder / "pieces")
    pieces.begin()
    with (
        MapsWriter(folder / "maps.zarr", raster, class_count=len(card.scheme.classes)) as writer,
        write_behind(writer.write, name="map writer") as write,
    ):
        asked = (slide, raster, raster.window, engine, settings)
        for band in predict(*asked, with_features=True):
            bands.append(band)
            pieces.write(band)
            write(band)


def _stages(
    engine: Engine,
    card: ModelCard,
    slide: Slide,
    settings: AnalysisSettings,
    folder: Path,
    bands: list[MapBand],
) -> dict[str, float]:
    """Do each stage by itself; in an analysis they go on at the same time."""
    raster = slide.raster(card.mpp)
    grid = TileGrid.of(raster, settings)
    tiles: list[tuple[int, npt.NDArray[np.uint8]]] = []
    asked = np.ones((grid.rows, grid.columns), np.bool_)
    read = _seconds(lambda: tiles.extend(read_tiles(slide, raster, grid, asked)))
    infer = _network_seconds(engine, tiles)
    # any answer will do, as long as it is of the tile's size: tiles are smaller at the far edges
    one_each = {tile.shape: (0, tile) for _, tile in tiles}
    answers = {shape: next(engine.describe(iter([tile]))) for shape, tile in one_each.items()}

    def blend() -> None:
        blender = Blender(grid, grid.cell_rows(raster.window), asked)
        for number, tile in tiles:
            row, column = divmod(number, grid.columns)
            answer = answers[tile.shape]
            blender.add(column, row, answer.logits, answer.features)
            list(blender.finished())

    def write() -> None:
        count = len(card.scheme.classes)
        with MapsWriter(folder / "again" / "maps.zarr", raster, class_count=count) as writer:
            for band in bands:
                writer.write(band)

    (folder / "again").mkdir()
    return {
        "read": read,
        "infer": infer,
        "blend": _seconds(blend),
        "write": _seconds(write),
        "nuclei": _seconds(partial(_find_nuclei, engine, card, slide, settings, folder)),
    }


def _find_nuclei(
    engine: Engine, card: ModelCard, slide: Slide, settings: AnalysisSettings, folder: Path
) -> None:
    raster = slide.raster(card.mpp)
    tables, _ = find_nuclei(
        RunMaps(folder / "maps.zarr").read,
        partial(slide.read, raster),
        Question("", raster, raster.region, None, card.name, card.sha256, settings),
        card.scheme,
        read_pieces=PieceFiles(folder / "pieces").read,
    )
    path = folder / "nuclei.parquet"
    write_nuclei(tables, path, card.scheme, feature_count=engine.feature_count)


def _reference_maps(worker: Any, card: ModelCard, slide: Slide, folder: Path) -> None:
    raster = slide.raster(card.mpp)
    grid = TileGrid.of(raster, REFERENCE.settings())
    maps = worker.maps_of(slide.read(raster, raster.window), grid)
    np.save(folder / "maps.npy", np.stack(maps))


def _reference_stages(
    worker: Any, card: ModelCard, slide: Slide, whole: float, folder: Path
) -> dict[str, float]:
    """Time what can be timed by itself; the rest is blending."""
    raster = slide.raster(card.mpp)
    grid = TileGrid.of(raster, REFERENCE.settings())
    maps = np.load(folder / "maps.npy")
    stages = {
        "read": _seconds(lambda: slide.read(raster, raster.window)),
        "infer": _network_seconds(
            worker, list(worker.cut(slide.read(raster, raster.window), grid))
        ),
        "write": _seconds(lambda: np.save(folder / "again.npy", maps)),
        "nuclei": 0.0,
    }
    return {**stages, "blend": max(0.0, whole - sum(stages.values()))}


def _network_seconds(worker: Any, tiles: list[tuple[int, npt.NDArray[np.uint8]]]) -> float:
    """Return what the network alone needs for all tiles, by some of them."""
    pixels = np.cumsum([tile.shape[0] * tile.shape[1] for _, tile in tiles])
    count = int(np.searchsorted(pixels, _NETWORK_PX)) + 1
    some = tiles[:count]
    seconds = _seconds(lambda: deque(worker.run(iter(some)), maxlen=0))
    return seconds * float(pixels[-1] / pixels[len(some) - 1])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _peak_rss_mb_of(region: Path, model: str | None, setting: Setting) -> float | None:
    """Do it all once in a process of its own, and return the most memory that held."""
    question = [str(region), model, setting.engine, setting.precision, setting.tile_px]
    ended = subprocess.run(
        [sys.executable, "-m", "seg_core.bench.alone", json.dumps(question)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    peak: float | None = json.loads(ended.stdout)
    return peak


def work_once(region: Path, model: str | None, setting: Setting) -> float | None:
    """Make maps and nuclei once, and return the most memory this process held."""
    card, weights = find_model(model)
    with closing(open_slide(region)) as slide, TemporaryDirectory() as temporary:
        worker = _worker(setting, card, weights)
        folder = Path(temporary)
        if setting == REFERENCE:
            _reference_maps(worker, card, slide, folder)
        else:
            _make_maps(worker, card, slide, setting.settings(), folder, [])
            _find_nuclei(worker, card, slide, setting.settings(), folder)
    return peak_rss_mb()
