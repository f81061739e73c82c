"""The summary of a run beside it: what takes the slide to compute, kept for tables of many runs."""

from pathlib import Path
from typing import Any

import numpy as np

from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import read_sealed, write_sealed
from seg_core.scoring import counted_of
from seg_core.scoring.assessment import TIL_FILE
from seg_core.scoring.counted import FiguresVersion
from seg_core.scoring.summary import MIN_SQUARES, SQUARE_UM, describe_run
from seg_core.store import Run
from seg_core.til import TilSettings

SUMMARY_FILE = "summary.json"
"""Name of the summary in the folder of a run."""

FIGURES = ("count", "share", "density_per_mm2", "density_low", "density_high")
"""Of each class; see `seg_core.scoring.summary.Statistics.classes`."""


_INTERVAL, _SETTINGS = "interval", "settings"

# What files of figures say of how they were computed: of another way is what another version wrote.
_HOW: dict[str, dict[str, Any]] = {
    SUMMARY_FILE: {
        _INTERVAL: {"method": "variogram", "square_um": SQUARE_UM, "min_squares": MIN_SQUARES}
    },
    TIL_FILE: {_SETTINGS: TilSettings().to_json()},
}


def keep_summary(run: Run) -> Path:
    """Count the nuclei of a run by class, with densities and their intervals, and keep that.

    What the ROIs that are kept with the slide leave out does not count, as on the pages.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    RegionError
        If the ROIs that are kept with the slide can no longer be read.
    """
    content, path = summary_of(run), run.path / SUMMARY_FILE
    with store_errors(run.path):
        write_sealed(path, content)
    return path


def summary_of(run: Run) -> dict[str, Any]:
    """Return what `keep_summary` keeps, with the names and ROIs that it is of.

    Raises
    ------
    RegionError
        If the ROIs that are kept with the slide can no longer be read.
    """
    version = FiguresVersion.now(run)
    counted = counted_of(run)
    statistics = describe_run(run, counted)
    rows = statistics.classes.astype(object).replace({np.nan: None}).to_dict("records")
    return {
        "classes": {row.pop("class_name"): row for row in rows},
        "tissue_um2": statistics.tissue_um2,
        "no_interval": statistics.no_interval,
        "counted": counted.facts(),
        _INTERVAL: _HOW[SUMMARY_FILE][_INTERVAL],
        **version.to_json(),
    }


def is_kept_for(run: Run, file: str) -> bool:
    """Tell whether a file of figures is there, of the nuclei as they are called and counted now.

    Figures that were computed by other settings than those of now are of a version with another
    definition, and do not stand beside those of now.
    """
    kept = read_kept(run.path / file)
    return bool(kept) and _is_of_now(kept, run, file)


def is_outdated(run: Run, file: str) -> bool:
    """Tell whether a file of figures is there, but not of the nuclei and settings of now."""
    kept = read_kept(run.path / file)
    return bool(kept) and not _is_of_now(kept, run, file)


def _is_of_now(kept: dict[str, Any], run: Run, file: str) -> bool:
    return FiguresVersion.told_by(kept).agrees_with(FiguresVersion.now(run)) and all(
        kept.get(name, how) == how for name, how in _HOW[file].items()
    )


def read_kept(path: Path) -> dict[str, Any]:
    """Return what stands in a JSON file of a run; nothing where it is missing or damaged."""
    return read_sealed(path) or {}
