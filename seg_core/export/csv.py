"""The nuclei of a run, their summary by class, and the squares of its TIL scores, as CSV.

A comma between columns, a point in numbers, one row of names with their units; see
`seg_core.files.csv`.
"""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd

from seg_core.files.atomic import new_text_file
from seg_core.files.csv import write_csv
from seg_core.scoring import describe_run, measure_columns
from seg_core.store import Run
from seg_core.store.chosen import chosen_nuclei
from seg_core.til import TilResult


def write_nuclei_csv(
    run: Run, path: Path, *, other: bool = False, min_score: float = 0.0, force: bool = False
) -> int:
    """Write a row for each nucleus.

    The columns are those of the nucleus table without its outlines:

    ``nucleus_id``
        1 to N, unique in the run.
    ``class_name``, ``class_score``
        The class, and its share of the vote of the nucleus' pixels, 0 to 1.
    ``share_background``, ``share_<class>``
        The share of each class in that vote, 0 to 1.
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
    other : bool
        Also write the nuclei that no class names.
    min_score : float
        Nuclei with a lower class score are called *uncertain*; their class is ``voted_class``.
    force : bool
        Replace a file of that name.

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
    slide_mpp = run.facts.question.slide_mpp
    parts = chosen_nuclei(run, other=other, min_score=min_score)
    rows = 0
    with new_text_file(path, force=force) as file:
        for number, part in enumerate(parts):
            write_csv(_csv_columns(part, slide_mpp), file, header=number == 0)
            rows += len(part)
    return rows


def write_summary_csv(
    run: Run, path: Path, *, other: bool = False, min_score: float = 0.0, force: bool = False
) -> None:
    """Write a row for each class: `seg_core.scoring` of the whole run.

    ``count``, ``share`` of all nuclei counted (0 to 1), ``density_per_mm2`` of tissue with its 95 %
    interval ``density_low`` and ``density_high`` and, where that is too narrow, the reason in
    ``density_caution``; then mean, standard deviation, quartiles and
    median of each measure (``mean_area_um2``, ``sd_area_um2``, ``q1_area_um2`` and so on). In the
    last columns, the same in each row: ``tissue_um2``, which densities divide by, and
    ``no_interval``, the reason why there are no intervals.

    Parameters
    ----------
    run : Run
    path : Path
    other : bool
        Also count the nuclei that no class names, in a row of their own.
    min_score : float
        Nuclei with a lower class score count as *uncertain*, in a row of their own.
    force : bool
        Replace a file of that name.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    with new_text_file(path, force=force) as file:
        statistics = describe_run(run, other=other, min_score=min_score)
        summary = measure_columns(statistics).assign(
            tissue_um2=statistics.tissue_um2, no_interval=statistics.no_interval
        )
        write_csv(summary, file)


def write_til_csv(results: Mapping[str, TilResult], path: Path, *, force: bool = False) -> int:
    """Write a row for each square with tissue that TIL assessments are made of.

    ``part`` is the name of the assessment; ``x_px``, ``y_px`` are the square's corner and
    ``side_px`` its side in level-0 pixels; areas are in µm², densities per mm²; what a square does
    not have is empty.

    Parameters
    ----------
    results : mapping of str to TilResult
        By name of the part of the slide.
    path : Path
    force : bool
        Replace a file of that name.

    Returns
    -------
    rows : int
        Number of squares written.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    """
    parts = [result.squares.assign(part=name) for name, result in results.items()]
    squares = pd.concat(parts, ignore_index=True)
    with new_text_file(path, force=force) as file:
        write_csv(squares[["part", *squares.columns.drop("part")]], file)
    return len(squares)


def _csv_columns(table: gpd.GeoDataFrame, slide_mpp: float) -> pd.DataFrame:
    columns = pd.DataFrame(table.drop(columns="geometry"))
    columns = columns.assign(x_um=columns["x"] * slide_mpp, y_um=columns["y"] * slide_mpp)
    return columns.rename(columns={"x": "x_px", "y": "y_px"})
