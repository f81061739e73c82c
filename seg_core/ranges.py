"""One huge slide on several workers: its rows in ranges, each analysed by itself, then joined.

::

    plan_ranges ──► analyse_range, analyse_range, … ──► join_ranges
                    in any order, on any machine         as `analyse`, which takes over what is there

The grid of tiles hangs on the raster, so a range has the tiles that the whole slide would have
there, and a nucleus belongs to one block, so a range finds those of all blocks that need none but
its own maps; the few at its borders are found when all maps are there. What comes of it equals what
one process finds, value for value, ids included.
"""

import math
import time
from itertools import pairwise
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np

from seg_core.analysis import (
    analyse,
    check_unchanged,
    finished_run,
    learn_stain,
    look_over,
    make_maps,
)
from seg_core.errors import ModelError, SlideError
from seg_core.geometry import Region
from seg_core.model import Engine
from seg_core.nuclei import cores_within, find_blocks
from seg_core.process.pipelines import done_beside
from seg_core.process.progress import Pace, ProgressCallback
from seg_core.roi import Roi
from seg_core.settings import AnalysisSettings
from seg_core.slide import TissueMask
from seg_core.store import RowRange, RowRanges, Run, RunFacts, RunWriter, Store
from seg_core.store.maps_layout import join_step_px
from seg_core.subject import Subject, opened
from seg_core.tiling import tiles_by_row

_PX_PER_MPX = 1e6


class AnalysisOptions(TypedDict, total=False):
    """What `seg_core.analysis.analyse` can be asked beside the slide and the store."""

    region: Region | None
    roi: Roi | None
    model: str | Path | None
    mpp: float | None
    unstated_mpp: float | None
    settings: AnalysisSettings | None


def plan_ranges(
    slide_path: Path, store: Path, *, most_mpx: float, **asked: Unpack[AnalysisOptions]
) -> tuple[RowRange, ...]:
    """Cut a large slide into ranges of rows of about the same work, and keep that plan in the store.

    A plan that is there already is kept, whatever ``most_mpx`` says now, so that what was done of it
    counts.

    Parameters
    ----------
    slide_path, store : Path
    most_mpx : float
        What one range should hold at most: megapixels that the network is asked for, which on a
        slide are those with tissue, at the model's resolution.
    **asked
        As of `seg_core.analysis.analyse`.

    Returns
    -------
    ranges : tuple of RowRange
        From top to bottom; none where the slide is not worth it, is finished or was begun by a
        single process.

    Raises
    ------
    SegCoreError
        As `seg_core.analysis.analyse` does.
    """
    with opened(slide_path, **asked) as subject:
        question, runs = subject.question, Store(store)
        if question.window.area <= most_mpx * _PX_PER_MPX or finished_run(runs, question):
            return ()
        with runs.writing(question) as writer, subject.engine() as engine:
            if writer.has_maps():
                return ()
            facts = subject.opening_facts(engine)
            ranges = RowRanges(writer.folder)
            planned = ranges.plan(facts)
            if planned is None:
                tissue, _warnings = look_over(subject.slide, question)
                planned = _balanced(subject, tissue, most_mpx)
                if len(planned) < 2:
                    return ()
                writer.write_facts(facts)
                ranges.write_plan(facts, planned)
            return planned


def analyse_range(
    slide_path: Path,
    store: Path,
    rows: RowRange,
    report: ProgressCallback,
    **asked: Unpack[AnalysisOptions],
) -> None:
    """Analyse one range of a plan; what was finished of it before is not done again.

    Parameters
    ----------
    slide_path, store : Path
    rows : RowRange
    report : callable
        Called with the `seg_core.process.progress.Progress` of the range; when it raises
        `JobCancelled`, what is finished is kept.
    **asked
        As of `seg_core.analysis.analyse`.

    Raises
    ------
    BusyError
        If another process works on the range, or on the whole run.
    SegCoreError
        As `seg_core.analysis.analyse` does.
    """
    began = time.monotonic()
    with opened(slide_path, **asked) as subject, subject.engine() as engine:
        runs, question = Store(store), subject.question
        ranges = RowRanges(runs.folder(question))
        facts = subject.opening_facts(engine)
        refuse_other_engine(ranges, facts)
        if ranges.plan(facts) is None:  # joined by another process
            return
        with ranges.writing(rows) as folder:
            # Another process may have done or joined it in the meantime.
            if rows not in (ranges.plan(facts) or ()) or ranges.seconds(rows) is not None:
                return
            _work(subject, engine, facts, RunWriter(folder), rows, report)
            ranges.end(rows, round(time.monotonic() - began, 3))


def join_ranges(
    slide_path: Path, store: Path, report: ProgressCallback, **asked: Unpack[AnalysisOptions]
) -> Run:
    """Make one run of all ranges; parameters and errors as of `analyse_range`."""
    with opened(slide_path, **asked) as subject, subject.engine() as engine:
        ranges = RowRanges(Store(store).folder(subject.question))
        refuse_other_engine(ranges, subject.opening_facts(engine))
    return analyse(slide_path, store, report=report, **asked)


def refuse_other_engine(ranges: RowRanges, facts: RunFacts) -> None:
    """Refuse ranges that were planned for another engine or precision.

    Raises
    ------
    ModelError
        If so: a slide of which one half is of another arithmetic would be neither.
    """
    planned = ranges.engine()
    if planned is not None and ranges.plan(facts) is None:
        raise ModelError(
            f"this worker computes with {facts.engine} {facts.precision}, and the slide was begun "
            f"with {planned}; name --engine and --precision that all workers have."
        )


def _work(
    subject: Subject,
    engine: Engine,
    facts: RunFacts,
    writer: RunWriter,
    rows: RowRange,
    report: ProgressCallback,
) -> None:
    slide, question = subject.slide, subject.question
    tissue, _warnings = look_over(slide, question)
    stain, _warnings = learn_stain(slide, tissue, question.settings)
    writer.forget_lost_pieces(facts)
    try:
        with writer.maps_writer(question.raster, facts.scheme) as maps:
            pace = Pace("tiles", report)
            make_maps(slide, stain, engine, facts, tissue, writer, maps, pace, rows=rows)
            with done_beside(maps.make_coarser, name="coarser maps"):
                _find_nuclei(subject, facts, writer, rows, report)
        check_unchanged(question, slide.info.path)
    except SlideError:
        writer.discard_maps()
        raise


def _find_nuclei(
    subject: Subject,
    facts: RunFacts,
    writer: RunWriter,
    rows: RowRange,
    report: ProgressCallback,
) -> None:
    """Find the nuclei of all blocks that need no other maps than those of the range."""
    slide, question, scheme = subject.slide, subject.question, facts.scheme
    files = writer.blocks()
    cores = cores_within(question, rows.of(question.window), subject.head)
    blocks = find_blocks(
        writer.maps().read,
        lambda window: slide.read(question.raster, window),
        question,
        scheme,
        [core for core in cores if not files.has(core)],
        read_pieces=writer.pieces().read if facts.feature_count else None,
        head=subject.head,
        report=Pace("nuclei", report),
    )
    for block in blocks:
        files.write(block, scheme)


def _balanced(subject: Subject, tissue: TissueMask | None, most_mpx: float) -> tuple[RowRange, ...]:
    """Cut where ranges get about as many tiles each, between rows of chunks and of cells."""
    question = subject.question
    raster, window, settings = question.raster, question.window, question.settings
    wanted = None if tissue is None else lambda tile: tissue.touches(raster, tile)
    stride = settings.stride_px
    counts = tiles_by_row(raster, window, settings, wanted=wanted)
    megapixels = int(counts.sum()) * stride**2 / _PX_PER_MPX
    step = math.lcm(stride, join_step_px(raster))
    edges = range(window.y // step * step + step, window.bottom, step)
    above = np.array([counts[: edge // stride].sum() for edge in edges])
    parts = min(math.ceil(megapixels / most_mpx), len(edges) + 1)
    wished = (counts.sum() * number / parts for number in range(1, parts))
    cuts = sorted({edges[int(np.argmin(np.abs(above - wish)))] for wish in wished})
    return tuple(
        RowRange(top, bottom, int(counts[_rows_of_tiles(top, bottom, settings)].sum()))
        for top, bottom in pairwise([window.y, *cuts, window.bottom])
    )


def _rows_of_tiles(top: int, bottom: int, settings: AnalysisSettings) -> slice:
    """Return which rows of tiles a range is asked; those on a border are asked by both ranges."""
    first = (top - settings.tile_px) // settings.stride_px + 1
    return slice(max(first, 0), -(-bottom // settings.stride_px))
