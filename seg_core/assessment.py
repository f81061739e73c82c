"""From a finished run to its TIL scores."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd

from seg_core.errors import RegionError
from seg_core.jobs import Progress, Report
from seg_core.model.card import card_of_weights
from seg_core.roi import Roi, roi_of_region
from seg_core.slide import TissueMask
from seg_core.statistics import tissue_of
from seg_core.store import Run
from seg_core.store.files import store_errors, write_json
from seg_core.store.rois import rois_of
from seg_core.til import TilResult, TilSettings, confusion_of, score_tils

TIL_FILE = "til.json"
"""Name of the scores in the folder of a run."""

WHOLE = "all that was analysed"
"""Name of the part that is no ROI."""


def assess(
    run: Run,
    *,
    rois: Sequence[Roi] = (),
    settings: TilSettings | None = None,
    report: Report | None = None,
) -> TilResult:
    """Score the TILs of a run or of ROIs in it; nothing is written.

    Parameters
    ----------
    run : Run
        Finished.
    rois : sequence of Roi
        See `seg_core.til.score_tils`.
    settings : TilSettings, optional
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
        If no ROI to include lies on the tissue that was analysed.
    """
    return _scored(run, run.nuclei(), tissue_of(run), rois, settings, report)


@dataclass(frozen=True)
class Part:
    """What one assessment covers.

    Attributes
    ----------
    name : str
        That of a ROI, or `WHOLE`.
    rois : tuple of Roi
        The ROI, if it is one, and all ROIs to exclude.
    """

    name: str
    rois: tuple[Roi, ...] = ()


@dataclass(frozen=True)
class AssessedPart:
    """The scores of a part, or the reason why it has none."""

    name: str
    result: TilResult | None
    reason: str | None = None


def parts_of(rois: Sequence[Roi]) -> list[Part]:
    """Return all that was analysed and each ROI to include, those to exclude taken out of all."""
    excluded = tuple(roi for roi in rois if roi.kind == "exclude")
    included = [roi for roi in rois if roi.kind == "include"]
    return [Part(WHOLE, excluded), *(Part(roi.name, (roi, *excluded)) for roi in included)]


def assess_parts(
    run: Run, parts: Sequence[Part], *, settings: TilSettings | None = None
) -> Iterator[AssessedPart]:
    """Score parts of a run one by one; a ROI that lies elsewhere is no reason to stop.

    Raises
    ------
    StoreError, SlideError
        As `assess` does.
    """
    nuclei, tissue = run.nuclei(), tissue_of(run)
    for part in parts:
        try:
            result = _scored(run, nuclei, tissue, part.rois, settings, None)
        except RegionError as error:
            yield AssessedPart(part.name, None, str(error))
        else:
            yield AssessedPart(part.name, result, result.reason)


def kept_rois(run: Run) -> list[Roi]:
    """Return the ROIs that the store keeps with a run's slide.

    Raises
    ------
    RegionError
        If their file was changed by hand and can no longer be read.
    """
    folder = run.path.parent
    return rois_of(folder.parent, folder.name)


def _scored(
    run: Run,
    nuclei: gpd.GeoDataFrame,
    tissue: TissueMask,
    rois: Sequence[Roi],
    settings: TilSettings | None,
    report: Report | None,
) -> TilResult:
    result = score_tils(
        nuclei,
        tissue,
        rois=rois,
        analysed=run.roi or roi_of_region(run.region),
        settings=settings,
        report=None if report is None else lambda done, of: report(Progress("scores", done, of)),
    )
    card = card_of_weights(run.facts.question.model_sha256)
    return replace(result, confusion=None if card is None else confusion_of(card.metrics))


def keep_scores(run: Run, result: TilResult) -> Path:
    """Write the scores of a whole run into its folder, over those before.

    Returns
    -------
    path : Path

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    with store_errors(run.path):
        write_json(run.path / TIL_FILE, result.to_json())
    return run.path / TIL_FILE
