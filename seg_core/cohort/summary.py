"""The summary of a run beside it: what takes the slide to compute, kept for tables of many runs."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from seg_core.files.atomic import write_json
from seg_core.files.disk_errors import store_errors
from seg_core.scoring.summary import MIN_SQUARES, SQUARE_UM, describe_run
from seg_core.store import Run
from seg_core.store.overlay import NAMES, NO_NAMES

SUMMARY_FILE = "summary.json"
"""Name of the summary in the folder of a run."""

FIGURES = ("count", "share", "density_per_mm2", "density_low", "density_high")
"""Of each class; see `seg_core.scoring.summary.Statistics.classes`."""


def keep_summary(run: Run) -> Path:
    """Count the nuclei of a run by class, with densities and their intervals, and keep that.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    statistics = describe_run(run)
    rows = statistics.classes.astype(object).replace({np.nan: None}).to_dict("records")
    content = {
        "classes": {row.pop("class_name"): row for row in rows},
        "tissue_um2": statistics.tissue_um2,
        "no_interval": statistics.no_interval,
        NAMES: run.names_version,
        "interval": {"method": "variogram", "square_um": SQUARE_UM, "min_squares": MIN_SQUARES},
    }
    path = run.path / SUMMARY_FILE
    with store_errors(run.path):
        write_json(path, content)
    return path


def is_kept_for(run: Run, file: str) -> bool:
    """Tell whether a file of figures is there, and of the nuclei as they are called now.

    Figures of before names had a version are of nuclei as they were found.
    """
    kept = read_kept(run.path / file)
    return bool(kept) and kept.get(NAMES, NO_NAMES) == run.names_version


def read_kept(path: Path) -> dict[str, Any]:
    """Return what stands in a JSON file of a run; nothing where it is missing or damaged."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
