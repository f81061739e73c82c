"""The nuclei of a run, their summary by class, and the squares of its TIL scores, as CSV.

A comma between columns, a point in numbers, one row of names with their units; see
`seg_core.files.csv`.
"""

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

from seg_core.errors import ExportError
from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.export.places import with_places
from seg_core.files.atomic import new_text_file
from seg_core.files.csv import write_csv
from seg_core.nuclei import empty_table, label_uncertain
from seg_core.roi import Roi
from seg_core.scoring import describe_run, measure_columns
from seg_core.store import Run
from seg_core.til import TilResult


def write_nuclei_csv(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> int:
    """Write a row for each nucleus.

    The columns are those of the nucleus table without its outlines:

    ``slide``, ``run``, ``part``
        The same in each row: the name of the slide (empty where it is anonymous), the id of the run,
        and what was counted: all that was analysed or a ROI, and what was left out of it.
    ``roi``
        The ROIs that hold its centroid, the smallest first; empty where none does.
    ``nucleus_id``
        1 to N, unique in the run.
    ``class_name``, ``class_score``
        The class, and how sure it is, 0 to 1; see `seg_core.nuclei.measures`.
    ``share_background``, ``share_<class>``
        The model's own probability of each class, or its share in the vote of the nucleus' pixels where
        the model has no context head, 0 to 1; whatever a classifier or people have said since.
    ``x_px``, ``y_px``, ``x_um``, ``y_um``
        The centroid twice: in level-0 pixels of the slide, and in µm from the corner of level 0.
    ``area_um2``, ``perimeter_um``
        Area of the nucleus' pixels, and length of its outline by Crofton's formula.
    ``major_um``, ``minor_um``, ``eccentricity``
        Axes of the ellipse with the same second moments, and its eccentricity, 0 if round.
    ``solidity``, ``circularity``
        Area of the outline by that of its convex hull; 4 π area / perimeter².
    ``haematoxylin_od``, ``eosin_od``
        Mean optical density of each stain.
    ``voted_class``
        Only with a ``min_score``: the class of a nucleus that is called *uncertain*, too.

    Parameters
    ----------
    run : Run
    path : Path
    options : ExportOptions
        ``other``, ``min_score``, ``part``, ``rois``, ``anonymous`` and ``force``.

    Returns
    -------
    rows : int
        Number of nuclei written.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    slide_mpp = run.slide_mpp
    counted = options.counted(run)
    told = {"slide": options.slide_name(run), "run": run.run_id, "part": counted.title}
    rois = options.rois_of(run)
    later = "".join([*counted.names(run), *(roi.name for roi in rois)])
    rows = 0
    with new_text_file(path, force=options.force) as file:
        for part in counted.nuclei(run):
            # whether a byte-order mark is needed is seen in the first rows and in these names
            if len(part):
                columns = _csv_columns(part, slide_mpp, rois, told)
                write_csv(columns, file, header=rows == 0, later=later)
                rows += len(part)
        if not rows:
            empty = label_uncertain(empty_table(run.model_scheme), options.min_score)
            write_csv(_csv_columns(empty, slide_mpp, rois, told), file)
    return rows


def write_summary_csv(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> None:
    """Write a row for each class: `seg_core.scoring` of what counts.

    ``slide``, ``run``, ``part`` (all that was analysed or a ROI), ``left_out`` (the ROIs taken out of
    it), ``other_counted`` and ``min_score`` say of what, the same in each row.

    ``count``, ``share`` of all nuclei counted (0 to 1), ``density_per_mm2`` of tissue with its 95 %
    interval ``density_low`` and ``density_high`` and, where that is too narrow, the reason in
    ``density_caution``; then mean, standard deviation, quartiles and
    median of each measure (``mean_area_um2``, ``sd_area_um2``, ``q1_area_um2`` and so on). In the
    last columns, the same in each row: ``tissue_um2``, which densities divide by, ``no_interval``,
    the reason why there are no intervals, the taught ``classifier`` that named the nuclei, and how
    many ``corrections`` were made by hand.

    Parameters
    ----------
    run : Run
    path : Path
    options : ExportOptions
        ``other`` and ``min_score``, which have rows of their own, ``part``, ``rois``, ``anonymous`` and
        ``force``.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    with new_text_file(path, force=options.force) as file:
        counted = options.counted(run)
        statistics = describe_run(run, counted)
        summary = measure_columns(statistics)
        summary.insert(0, "slide", options.slide_name(run))
        summary.insert(1, "run", run.run_id)
        for place, (name, value) in enumerate(counted.facts().items(), start=2):
            summary.insert(place, name, value)
        summary = summary.assign(
            tissue_um2=statistics.tissue_um2,
            no_interval=statistics.no_interval,
            classifier=run.classifier or "",
            corrections=len(run.corrections()),
        )
        write_csv(summary, file)


def write_til_csv(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> int:
    """Write a row for each square with tissue that the TIL scores are made of.

    Nuclei that no class names are in no score.

    ``slide`` and ``run`` say of what; ``part`` is the name of the assessment, ``left_out`` those of the ROIs
    taken out of it, ``min_score`` the class score below which nuclei are in no score, ``tumour_rois`` the
    ROIs that its epithelium and stroma were sought in, empty where no tumour was drawn; ``x_px``, ``y_px`` are the square's corner and
    ``side_px`` its side in level-0 pixels; areas are in µm², densities per mm²; what a square does
    not have is empty.

    Parameters
    ----------
    run : Run
    path : Path
    options : ExportOptions
        ``min_score``, ``rois`` or ``assessed``, ``anonymous`` and ``force``.

    Returns
    -------
    rows : int
        Number of squares written.

    Raises
    ------
    ExportError
        If there is such a file already, it cannot be written, or no part has TIL scores.
    StoreError
        If the run has no nuclei yet.
    SlideError
        If the slide is no longer where it was, or has changed.
    """
    with new_text_file(path, force=options.force) as file:
        scores = options.til_scores(run)
        told = {"slide": options.slide_name(run), "run": run.run_id}
        left_out = options.counted(run).facts()["left_out"]
        parts = [
            each.result.squares.assign(
                **told,
                part=each.name,
                left_out=left_out,
                min_score=options.min_score,
                tumour_rois=_tumour_of(each.result),
            )
            for each in scores
            if each.result
        ]
        if not parts:
            reasons = " ".join(f"{each.name}: {each.reason}" for each in scores)
            raise ExportError(f"no TIL scores can be written. {reasons}".rstrip())
        squares = pd.concat(parts, ignore_index=True)
        first = [*told, "part", "left_out", "min_score", "tumour_rois"]
        write_csv(squares[[*first, *squares.columns.drop(first)]], file)
    return len(squares)


def _tumour_of(result: TilResult) -> str:
    return ", ".join(result.tumour.names) if result.tumour else ""


def _csv_columns(
    table: gpd.GeoDataFrame, slide_mpp: float, rois: Sequence[Roi], told: dict[str, str]
) -> pd.DataFrame:
    columns = pd.DataFrame(with_places(table, slide_mpp, rois).drop(columns="geometry"))
    first = [*told, "roi"]
    return columns.assign(**told)[[*first, *columns.columns.drop("roi")]]
