"""From a finished run to its TIL scores."""

from collections.abc import Sequence
from pathlib import Path

from seg_core.roi import Roi, roi_of_region
from seg_core.statistics import tissue_of
from seg_core.store import Run
from seg_core.store.files import store_errors, write_json
from seg_core.til import TilResult, TilSettings, score_tils

TIL_FILE = "til.json"
"""Name of the scores in the folder of a run."""


def assess(run: Run, *, rois: Sequence[Roi] = (), settings: TilSettings | None = None) -> TilResult:
    """Score the TILs of a run or of ROIs in it; nothing is written.

    Parameters
    ----------
    run : Run
        Finished.
    rois : sequence of Roi
        See `seg_core.til.score_tils`.
    settings : TilSettings, optional

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
    nuclei = run.nuclei()
    return score_tils(
        nuclei,
        tissue_of(run),
        rois=rois,
        analysed=run.roi or roi_of_region(run.region),
        settings=settings,
    )


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
