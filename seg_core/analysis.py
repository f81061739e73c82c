"""From a slide to its nuclei: the rooms in order."""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from seg_core.errors import JobCancelled, SlideError, StainError, StoreError
from seg_core.geometry import Region
from seg_core.maps import MapBand
from seg_core.model import Engine
from seg_core.nuclei import find_nuclei, work_by_block
from seg_core.plausibility.doubts import Onlooker, doubts_of
from seg_core.plausibility.profile import ModelProfile, read_profile
from seg_core.process.memory import peak_rss_mb
from seg_core.process.pipelines import done_beside, write_behind
from seg_core.process.progress import Cost, Pace, Progress, ProgressCallback
from seg_core.question import Question
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
    slide_id,
)
from seg_core.store import MapsWriter, RowRange, Run, RunFacts, RunWriter, Status, Store
from seg_core.store.label import RunLabel, label_new_run
from seg_core.store.opening import now
from seg_core.subject import Subject, opened
from seg_core.tiling import predict

_log = logging.getLogger(__name__)

# Of a megapixel of tissue, until this process has found some: `python -m tests.bench.time_left`.
_finding_nuclei = Cost(seconds_each=0.5)


def analyse(
    slide_path: Path,
    store: Path,
    *,
    region: Region | None = None,
    roi: Roi | None = None,
    model: str | Path | None = None,
    mpp: float | None = None,
    unstated_mpp: float | None = None,
    settings: AnalysisSettings | None = None,
    label: RunLabel | None = None,
    report: ProgressCallback | None = None,
    thoroughly: bool = False,
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
    unstated_mpp : float, optional
        The same where ``mpp`` is not given and the file says nothing.
    settings : AnalysisSettings, optional
    label : RunLabel, optional
        Kept with a run that is new.
    report : callable, optional
        Called with the `Progress`; when it raises `JobCancelled` the run is kept as stopped.
    thoroughly : bool
        Read all of a finished run before it is the answer, and make it anew where anything in it is
        damaged; else only what is seen without reading its maps.

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
    with opened(
        slide_path,
        region=region,
        roi=roi,
        model=model,
        mpp=mpp,
        unstated_mpp=unstated_mpp,
        settings=settings,
    ) as subject:
        question, runs = subject.question, Store(store)
        if run := finished_run(runs, question, thoroughly=thoroughly):
            return run.with_slide_at(Path(slide_path))
        with runs.writing(question) as writer:
            # another process may have finished it in the meantime
            if run := finished_run(runs, question, thoroughly=thoroughly):
                return run.with_slide_at(Path(slide_path))
            label_new_run(writer.folder, label)
            with subject.engine() as engine:
                facts = subject.opening_facts(engine, _begun_run(runs, question))
                profile = read_profile(subject.card, subject.weights)
                return _work(subject, engine, facts, writer, profile, report or _ignore)


def finished_run(runs: Store, question: Question, *, thoroughly: bool = False) -> Run | None:
    """Return the run of a question if it is finished and whole; what is damaged is made anew.

    Parameters
    ----------
    runs : Store
    question : Question
    thoroughly : bool
        Read all of it, which takes as long as reading its files; else what opens them alone.
    """
    run = _begun_run(runs, question)
    if run is None or run.status != "finished":
        return None
    if run.facts.feature_count is None:  # a version without features has not answered all of it
        return None
    try:
        run.maps()
        run.nucleus_queries()
    except StoreError:
        return None
    return None if thoroughly and run.damage() else run


def _begun_run(runs: Store, question: Question) -> Run | None:
    try:
        return runs.find(question)
    except StoreError:
        return None


def _work(
    subject: Subject,
    engine: Engine,
    facts: RunFacts,
    writer: RunWriter,
    profile: ModelProfile | None,
    report: ProgressCallback,
) -> Run:
    slide, question = subject.slide, facts.question
    began = time.monotonic()

    def keep(status: Status, **changes: Any) -> Run:
        seconds = round(facts.seconds + time.monotonic() - began, 3)
        changes |= {"status": status, "seconds": seconds, "peak_rss_mb": peak_rss_mb()}
        _log.info("analysis", extra=_logged(replace(facts, **changes)))
        return writer.write_facts(replace(facts, **changes))

    writer.discard_maps_of_others(facts)
    writer.refuse_busy_ranges()
    keep("running")
    try:
        facts = replace(facts, seconds=facts.seconds + writer.join_ranges(facts))
        tissue, warnings = look_over(slide, question)
        stain, stain_warnings = learn_stain(slide, tissue, question.settings)
        holds = None if tissue is None else partial(tissue.touches, question.raster)
        work = work_by_block(question, holds)
        after_s = sum(work) * _finding_nuclei.seconds_each
        pace = Pace("tiles", report, after_s=after_s)
        with writer.maps_writer(question.raster, facts.scheme) as maps:
            make_maps(slide, stain, engine, facts, tissue, writer, maps, pace)
            pace = Pace("nuclei", report, weights=work, cost=_finding_nuclei)
            with done_beside(maps.make_coarser, name="coarser maps"):
                nuclei_warnings, seen = _make_nuclei(subject, facts, writer, pace)
        check_unchanged(question, slide.info.path)
    except (JobCancelled, KeyboardInterrupt):
        if not _is_unchanged(question, slide.info.path):
            writer.discard_maps()
        with suppress(StoreError):  # a full disk takes no last words
            keep("stopped")
        raise
    except Exception as error:
        if not _is_unchanged(question, slide.info.path):
            writer.discard_maps()
        with suppress(StoreError):
            keep("failed", error=str(error))
        raise
    tissue_um2 = _tissue_um2(tissue, question)
    doubts = doubts_of(seen.nuclei, profile, slide_mpp=question.slide_mpp, tissue_um2=tissue_um2)
    run = keep(
        "finished",
        finished=now(),
        tissue_um2=tissue_um2,
        counts=seen.counts,
        warnings=(*slide.info.notes, *doubts, *warnings, *stain_warnings, *nuclei_warnings),
        stain=stain,
    )
    writer.pieces().discard()  # the table has them
    writer.blocks().discard()
    return run


def _is_unchanged(question: Question, path: Path) -> bool:
    """Tell whether a file is still the slide that was asked about; another may take its place."""
    try:
        return slide_id(path) == question.slide_id
    except SlideError:
        return False


def check_unchanged(question: Question, path: Path) -> None:
    """Refuse a file that is no longer the slide that was asked about.

    Raises
    ------
    SlideError
        If it is another one now, or cannot be read any more.
    """
    if not _is_unchanged(question, path):
        raise SlideError(
            f"{path.name} was changed or replaced while it was analysed, so nothing is kept; start "
            "the analysis again."
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


def look_over(slide: Slide, question: Question) -> tuple[TissueMask | None, list[str]]:
    """Return the tissue, None where glass is analysed too, and warnings about it."""
    settings = question.settings
    if not settings.tissue_only:
        return None, []
    if not settings.quality:
        return find_tissue(slide, keep_pen=True), []
    quality = assess_quality(slide, question.region)
    return quality.tissue, quality.warnings(question.roi or question.region)


def learn_stain(
    slide: Slide, tissue: TissueMask | None, settings: AnalysisSettings
) -> tuple[StainFit | None, list[str]]:
    """Return the slide's stain, None where its colours stay as they are, and why they do."""
    if settings.stain == "none":
        return None, []
    try:
        return fit_stain(slide, tissue or find_tissue(slide), settings.stain), []
    except StainError as error:
        return None, [f"the stain was not normalised: {error}"]


def make_maps(
    slide: Slide,
    stain: StainFit | None,
    engine: Engine,
    facts: RunFacts,
    tissue: TissueMask | None,
    writer: RunWriter,
    maps: MapsWriter,
    pace: Pace,
    *,
    rows: RowRange | None = None,
) -> None:
    """Ask the network for what is not on disk yet, in some rows of the window or in all of them.

    Then all of it is on disk; the coarser levels are not.

    Parameters
    ----------
    slide : Slide
    stain : StainFit or None
        The network sees the slide normalised by it; None: as it is.
    engine : Engine
    facts : RunFacts
        The question, and whether features of nuclei are kept.
    tissue : TissueMask or None
        Tiles without tissue are not asked; None: all are.
    writer : RunWriter
        Of the run, or of a range of it.
    maps : MapsWriter
        Its own.
    pace : Pace
        Told the tiles that are done; what it raises ends the work.
    rows : RowRange, optional
        Of the window; by default all of it.

    Raises
    ------
    SlideError
        If the slide cannot be read.
    StoreError
        If the maps cannot be written.
    """
    question, raster = facts.question, facts.question.raster
    shown = slide if stain is None else NormalisedSlide(slide, stain)
    pieces = writer.pieces()
    if facts.feature_count:
        pieces.begin()

    def keep(band: MapBand) -> None:
        pieces.write(band)  # first, since the maps record the band as finished
        maps.write(band)

    bands = predict(
        shown,
        raster,
        question.window if rows is None else rows.of(question.window),
        engine,
        question.settings,
        wanted=None if tissue is None else partial(tissue.touches, raster),
        skip=maps.is_finished,
        report=pace,
        with_features=bool(facts.feature_count),
    )
    with write_behind(keep, name="map writer") as write:
        for band in bands:
            write(band)
    maps.store_held()


def _make_nuclei(
    subject: Subject, facts: RunFacts, writer: RunWriter, pace: Pace
) -> tuple[list[str], Onlooker]:
    question, scheme = facts.question, facts.scheme
    pieces = writer.pieces()
    tables, warnings = find_nuclei(
        writer.maps().read,
        partial(subject.slide.read, question.raster),
        question,
        scheme,
        read_pieces=pieces.read if facts.feature_count else None,
        head=subject.head,
        known=writer.blocks().read,
        report=pace,
    )
    seen = Onlooker(scheme)
    writer.write_nuclei(seen.watch(_inside(tables, question.roi)), facts)
    return warnings, seen


def _inside(tables: Iterable[gpd.GeoDataFrame], roi: Roi | None) -> Iterator[gpd.GeoDataFrame]:
    for table in tables:
        yield (
            table
            if roi is None
            else table[shapely.contains_xy(roi.polygon, table["x"], table["y"])]
        )


def _tissue_um2(tissue: TissueMask | None, question: Question) -> float:
    area = question.area_um2 if tissue is None else tissue.area_um2(question.roi or question.region)
    return round(area, 1)


def _ignore(_progress: Progress) -> None:
    """Take a report that was not asked for."""
