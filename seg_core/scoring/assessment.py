"""From a finished run to its TIL scores."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd

from seg_core.errors import ModelError, RegionError
from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import write_sealed
from seg_core.model.card import card_of_weights
from seg_core.nuclei import label_uncertain
from seg_core.process.progress import Progress, ProgressCallback
from seg_core.scoring import Part, counted_of
from seg_core.scoring.counted import FiguresVersion, told_apart
from seg_core.slide import TissueMask
from seg_core.store import Run
from seg_core.til import (
    NEEDED_ROLES,
    AssessedPart,
    TilResult,
    TilSettings,
    confusion_of,
    score_tils,
)

TIL_FILE = "til.json"
"""Name of the scores in the folder of a run."""


def assess(
    run: Run,
    *,
    part: Part | None = None,
    version: FiguresVersion | None = None,
    settings: TilSettings | None = None,
    min_score: float = 0.0,
    report: ProgressCallback | None = None,
) -> TilResult:
    """Score the TILs of a run or of a part of it; nothing is written.

    Parameters
    ----------
    run : Run
        Finished.
    part : Part, optional
        One of `seg_core.scoring.parts_of`; by default all that was analysed less what the ROIs that
        are kept with the slide leave out, within the tumour where one was drawn.
    version : FiguresVersion, optional
        Of the run before the ROIs were read that the part is of. Without it the scores of a part cannot
        be kept; of all that was analysed it is asked for here.
    settings : TilSettings, optional
    min_score : float
        Nuclei with a lower class score are *uncertain*: neither lymphocytes nor epithelium.
    report : callable, optional
        Called when a step begins; it may raise to stop the work.

    Returns
    -------
    result : TilResult

    Raises
    ------
    StoreError
        If the run has no nuclei yet.
    SlideError
        If the slide is no longer where it was, or has changed.
    RegionError
        If the part has no tissue that was analysed, or the kept ROIs can no longer be read.
    ModelError
        If the model, or the taught classifier that named the nuclei, tells lymphocytes or epithelium
        not apart from other nuclei.
    """
    if part is None:
        version = FiguresVersion.now(run)
        part = counted_of(run).part
    nuclei = label_uncertain(run.nuclei(), min_score)
    result = _scored(run, nuclei, run.tissue(), part, settings, report)
    return replace(result, version=None if version is None else version.to_json())


def assess_parts(
    run: Run,
    parts: Sequence[Part],
    *,
    settings: TilSettings | None = None,
    min_score: float = 0.0,
) -> Iterator[AssessedPart]:
    """Score parts of a run one by one; what has no scores has the reason instead.

    Raises
    ------
    StoreError, SlideError
        As `assess` does.
    """
    nuclei, tissue = label_uncertain(run.nuclei(), min_score), run.tissue()
    for part in parts:
        try:
            result = _scored(run, nuclei, tissue, part, settings, None)
        except (RegionError, ModelError) as error:
            yield AssessedPart(part.name, None, str(error))
        else:
            yield AssessedPart(part.name, result, result.reason)


def _scored(
    run: Run,
    nuclei: gpd.GeoDataFrame,
    tissue: TissueMask,
    part: Part,
    settings: TilSettings | None,
    report: ProgressCallback | None,
) -> TilResult:
    run.require_roles(NEEDED_ROLES, "TIL scores")
    result = score_tils(
        nuclei,
        tissue,
        scheme=told_apart(run),
        within=part.polygon,
        tumour=part.tumour,
        settings=settings,
        report=None if report is None else lambda done, of: report(Progress("scores", done, of)),
    )
    card = card_of_weights(run.facts.question.model_sha256)
    # what the model confuses says nothing of what a classifier taught since does
    return replace(
        result,
        confusion=confusion_of(card.metrics, run.scheme)
        if card is not None and run.classifier is None
        else None,
        warnings=run.facts.warnings,
    )


def keep_scores(run: Run, result: TilResult) -> Path:
    """Write the scores of a whole run into its folder, over those before.

    They are of the names and ROIs that were read for them, whatever people have said since.

    Returns
    -------
    path : Path

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    ValueError
        If the scores do not tell which names and ROIs they are of.
    """
    if result.version is None:
        raise ValueError("the scores do not tell which names and ROIs they are of.")
    content = {**result.to_json(), **result.version}
    with store_errors(run.path):
        write_sealed(run.path / TIL_FILE, content)
    return run.path / TIL_FILE
