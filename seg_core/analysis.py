"""From a slide to its nuclei: the rooms in order."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

import geopandas as gpd
import shapely

from seg_core.classes import ClassScheme
from seg_core.errors import JobCancelled, RegionError, StainError, StoreError
from seg_core.files.lease import held
from seg_core.geometry import Region
from seg_core.model import Engine, ModelCard, find_model, make_engine
from seg_core.nuclei import find_nuclei
from seg_core.process.memory import return_memory
from seg_core.process.pipelines import write_behind
from seg_core.process.worker import Progress, Report, Stage
from seg_core.roi import Roi
from seg_core.settings import AnalysisSettings
from seg_core.slide import (
    NormalisedSlide,
    Slide,
    StainFit,
    TissueMask,
    assess_quality,
    find_tissue,
    fit_stain,
    open_slide,
    slide_id,
)
from seg_core.store import (
    MapsWriter,
    Question,
    Run,
    RunFacts,
    RunMaps,
    Status,
    open_run,
    write_facts,
    write_nuclei,
)
from seg_core.store.maps import discard_maps
from seg_core.store.run import MAPS_FOLDER, NUCLEI_FILE, RUN_FILE
from seg_core.tiling import predict

if sys.platform != "win32":
    import resource

_log = logging.getLogger(__name__)

_PACKAGES = (
    *("torch", "openvino", "numpy", "scipy", "opencv-python-headless", "shapely"),
    *("openslide-python", "torchstain"),
)

# Weight of the newest tile in the average pace: the last twenty or so tiles decide.
_NEWEST = 0.05


def analyse(
    slide_path: Path,
    store: Path,
    *,
    region: Region | None = None,
    roi: Roi | None = None,
    model: str | Path | None = None,
    mpp: float | None = None,
    settings: AnalysisSettings | None = None,
    report: Report | None = None,
) -> Run:
    """Find the nuclei of a slide or of a part of it, and keep them as a run.

    The same question is answered at once when its run is finished, and goes on where it stopped
    when it is not.

    Parameters
    ----------
    slide_path : Path
    store : Path
        Folder of all runs.
    region : Region, optional
        Part of the slide, level-0 pixels; what reaches past the slide is cut off.
    roi : Roi, optional
        A polygon instead: its bounding box is analysed, the nuclei with their centroid inside
        are the result.
    model : str or Path, optional
        Name or file; see `seg_core.model.find_model`.
    mpp : float, optional
        Size of a level-0 pixel, µm; wins over what the slide's file says.
    settings : AnalysisSettings, optional
    report : callable, optional
        Called with the `Progress`; when it raises `JobCancelled` the run is kept as stopped.

    Returns
    -------
    run : Run
        Finished.

    Raises
    ------
    SlideError, ResolutionError, RegionError, ModelError
        If the question makes no sense.
    StoreError
        If the run cannot be written, or another process is at it.
    JobCancelled
        If ``report`` raised it.
    """
    settings = settings or AnalysisSettings()
    with closing(open_slide(slide_path, mpp=mpp)) as slide:
        card, weights = find_model(model)
        question = _ask(slide, card, settings, region=region, roi=roi)
        folder = question.folder(store)
        if run := _finished_run(folder):
            return run
        with held(folder):
            # another process may have finished it in the meantime
            return _finished_run(folder) or _work(
                slide, card, weights, question, folder, report or _tell_nobody
            )


def _ask(
    slide: Slide,
    card: ModelCard,
    settings: AnalysisSettings,
    *,
    region: Region | None,
    roi: Roi | None,
) -> Question:
    if region is not None and roi is not None:
        raise RegionError("a region and a ROI were both given; give one of them.")
    if roi is not None and roi.kind != "include":
        raise RegionError(f"the ROI {roi.name!r} says what to leave out; give one of kind include.")
    raster = slide.raster(card.mpp)
    asked = roi.region if roi is not None else region or slide.info.bounds
    raster.window_of(asked)  # refuses what lies outside the slide
    return Question(
        slide_id=slide_id(slide.info.path),
        raster=raster,
        region=asked.intersection(raster.region) or raster.region,
        roi=roi,
        model=card.name,
        model_sha256=card.sha256,
        settings=settings,
    )


def _finished_run(folder: Path) -> Run | None:
    run = _run_in(folder)
    return run if run is not None and run.status == "finished" else None


def _run_in(folder: Path) -> Run | None:
    return open_run(folder) if (folder / RUN_FILE).is_file() else None


def _work(
    slide: Slide, card: ModelCard, weights: Path, question: Question, folder: Path, report: Report
) -> Run:
    engine = _loaded_engine(card, weights, question.settings)
    facts = _opening_facts(slide, card, engine, question, folder)
    began = time.monotonic()

    def keep(status: Status, **changes: Any) -> Run:
        seconds = round(facts.seconds + time.monotonic() - began, 3)
        changes |= {"status": status, "seconds": seconds, "peak_rss_mb": peak_rss_mb()}
        _log.info("analysis", extra=_logged(replace(facts, **changes)))
        return write_facts(folder, replace(facts, **changes))

    keep("running")
    try:
        tissue, warnings = _look_over(slide, question)
        stain, stain_warnings = _learn_stain(slide, tissue, question.settings)
        shown = slide if stain is None else NormalisedSlide(slide, stain)
        _make_maps(shown, engine, card.scheme, question, tissue, folder, _Pace("tiles", report))
        nuclei_warnings, counts = _make_nuclei(
            slide, card.scheme, question, folder, _Pace("nuclei", report)
        )
    except (JobCancelled, KeyboardInterrupt):
        keep("stopped")
        raise
    except Exception as error:
        with suppress(StoreError):  # a full disk takes no last words either
            keep("failed", error=str(error))
        raise
    return keep(
        "finished",
        finished=_now(),
        tissue_um2=_tissue_um2(tissue, question),
        counts=counts,
        warnings=(*warnings, *stain_warnings, *nuclei_warnings),
        stain=stain,
    )


def _logged(facts: RunFacts) -> dict[str, Any]:
    """Return what the log says of a run; never the slide's name, which may be a patient's."""
    return {
        "run": facts.question.run_id,
        "status": facts.status,
        "engine": facts.engine,
        "precision": facts.precision,
        "megapixels": round(facts.megapixels, 3),
        "seconds": facts.seconds,
        "nuclei": sum(facts.counts.values()),
    }


def _opening_facts(
    slide: Slide, card: ModelCard, engine: Engine, question: Question, folder: Path
) -> RunFacts:
    """Return what is known at the start, and drop maps that another engine has begun."""
    facts = RunFacts(
        question=question,
        slide=slide.info,
        scheme=card.scheme,
        status="running",
        engine=engine.name,
        precision=engine.precision,
        versions=_versions(),
        started=_now(),
        megapixels=question.window.area / 1e6,
    )
    before = _run_in(folder)
    if before is None:
        return facts
    if (before.facts.engine, before.facts.precision) != (facts.engine, facts.precision):
        discard_maps(folder / MAPS_FOLDER)
        return facts
    return replace(facts, started=before.facts.started, seconds=before.facts.seconds)


def _look_over(slide: Slide, question: Question) -> tuple[TissueMask | None, list[str]]:
    """Return the tissue, None where glass is asked too, and what must be known of it."""
    settings = question.settings
    if not settings.tissue_only:
        return None, []
    if not settings.quality:
        return find_tissue(slide, keep_pen=True), []
    quality = assess_quality(slide, question.region)
    return quality.tissue, quality.warnings(question.roi or question.region)


def _learn_stain(
    slide: Slide, tissue: TissueMask | None, settings: AnalysisSettings
) -> tuple[StainFit | None, list[str]]:
    """Return the slide's stain, None where its colours stay as they are, and why they do."""
    if settings.stain == "none":
        return None, []
    try:
        return fit_stain(slide, tissue or find_tissue(slide), settings.stain), []
    except StainError as error:
        return None, [f"the stain was not normalised: {error}"]


def _make_maps(
    slide: Slide,
    engine: Engine,
    scheme: ClassScheme,
    question: Question,
    tissue: TissueMask | None,
    folder: Path,
    pace: "_Pace",
) -> None:
    raster = question.raster
    class_count = len(scheme.classes)
    with MapsWriter(folder / MAPS_FOLDER, raster, class_count=class_count) as writer:
        bands = predict(
            slide,
            raster,
            question.window,
            engine,
            question.settings,
            wanted=None if tissue is None else partial(tissue.touches, raster),
            skip=writer.is_finished,
            report=pace,
        )
        with write_behind(writer.write, name="map writer") as write:
            for band in bands:
                write(band)


def _make_nuclei(
    slide: Slide, scheme: ClassScheme, question: Question, folder: Path, pace: "_Pace"
) -> tuple[list[str], dict[str, int]]:
    return_memory()  # of the maps, before the blocks of nuclei take as much
    raster = question.raster
    tables, warnings = find_nuclei(
        RunMaps(folder / MAPS_FOLDER).read,
        partial(slide.read, raster),
        raster,
        question.window,
        question.settings,
        scheme,
        report=pace,
    )
    counts = dict.fromkeys(scheme.names_with_other, 0)
    kept = _counted(_inside(tables, question.roi), counts)
    write_nuclei(kept, folder / NUCLEI_FILE, scheme)
    return warnings, counts


def _inside(tables: Iterable[gpd.GeoDataFrame], roi: Roi | None) -> Iterator[gpd.GeoDataFrame]:
    for table in tables:
        yield (
            table
            if roi is None
            else table[shapely.contains_xy(roi.polygon, table["x"], table["y"])]
        )


def _counted(
    tables: Iterable[gpd.GeoDataFrame], counts: dict[str, int]
) -> Iterator[gpd.GeoDataFrame]:
    for table in tables:
        for name, count in table["class_name"].value_counts().items():
            counts[str(name)] += int(count)
        yield table


def _tissue_um2(tissue: TissueMask | None, question: Question) -> float:
    area = question.area_um2 if tissue is None else tissue.area_um2(question.roi or question.region)
    return round(area, 1)


class _Pace:
    """Turns counts into `Progress`, with the time left at the average pace of late."""

    def __init__(self, stage: Stage, report: Report) -> None:
        self._stage: Stage = stage
        self._report = report
        self._done = 0
        self._at = time.monotonic()
        self._seconds_each: float | None = None

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done > self._done:
            newest = (now - self._at) / (done - self._done)
            self._seconds_each = (
                newest
                if self._seconds_each is None
                else self._seconds_each + _NEWEST * (newest - self._seconds_each)
            )
            self._done, self._at = done, now
        left = None if self._seconds_each is None else self._seconds_each * (total - done)
        self._report(Progress(self._stage, done, total, left))


_engines: dict[tuple[str, str, str], Engine] = {}


def _loaded_engine(card: ModelCard, weights: Path, settings: AnalysisSettings) -> Engine:
    """Return the engine of the last job where it is the same: a worker loads a model once."""
    key = (card.sha256, settings.engine, settings.precision)
    if key not in _engines:
        _engines.clear()  # one model at a time is in memory
        _engines[key] = make_engine(card, weights, settings)
    return _engines[key]


def _versions() -> dict[str, str]:
    versions = {"python": python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):  # not every engine is installed everywhere
            versions[name] = version(name)
    return versions


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def peak_rss_mb() -> float | None:
    """Return the largest resident memory of this process so far, None where nobody counts it."""
    if sys.platform == "win32":
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def _tell_nobody(_progress: Progress) -> None:
    """Stand in for a report that nobody wants."""
