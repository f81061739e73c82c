"""A run as a row of the catalogue: what it is, and what has been found on it as it counts now."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any

import pandas as pd

from seg_core.classes import OTHER
from seg_core.cohort.summary import (
    FIGURES,
    SUMMARY_FILE,
    is_kept_for,
    is_outdated,
    keep_summary,
    read_kept,
    summary_of,
)
from seg_core.errors import StoreError
from seg_core.scoring import counted_of
from seg_core.scoring.assessment import TIL_FILE
from seg_core.scoring.counted import NO_REGIONS, regions_version
from seg_core.store import Run
from seg_core.store.label import read_label
from seg_core.store.overlay import NO_NAMES

_UM2_PER_MM2 = 1e6

RUN_COLUMNS = (
    *(
        "folder",
        "slide",
        "name",
        "status",
        "error",
        "roi",
        "model",
        "engine",
        "precision",
        "settings",
    ),
    *("started", "finished", "seconds", "megapixels", "peak_rss_mb", "mpp", "tissue_mm2", "nuclei"),
    *("other", "classifier", "corrections", "warnings", "slide_path", "model_sha256"),
)

TIL_COLUMNS = (
    *(
        "til_evaluable",
        "til_reason",
        "til_pct",
        "til_low",
        "til_high",
        "til_tiger_pct",
        "phenotype",
    ),
    *("til_per_mm2", "til_per_mm2_low", "til_per_mm2_high", "til_stroma_per_mm2", "etils_pct"),
    *("epithelium_mm2", "stroma_mm2", "tumour_rois"),
)

OUTDATED_SCORE = (
    "its score is of before nuclei were called otherwise, regions were drawn or the score was defined anew; "
    "start the cohort again, or score the analysis with the command til."
)
"""Why a run with a score has none in the tables."""


def run_row(run: Run, store: Path) -> dict[str, Any]:
    """Return the row of a run; the columns of what it has not are missing.

    Raises
    ------
    SegCoreError
        If its files are damaged or gone.
    """
    facts = run.facts
    counts = _counts_of(run)
    other = counts.pop(OTHER, None)
    row: dict[str, Any] = {
        "folder": folder_of(run, store),
        "slide": run.slide_path.name,
        "name": read_label(run.path).name or None,
        "status": facts.status,
        "error": facts.error,
        "roi": None if run.roi is None else run.roi.name,
        "model": facts.question.model,
        "engine": facts.engine,
        "precision": facts.precision,
        "settings": json.dumps(facts.question.settings.to_json()),
        "started": facts.started,
        "finished": facts.finished,
        "seconds": facts.seconds,
        "megapixels": facts.megapixels,
        "peak_rss_mb": number_or_nan(facts.peak_rss_mb),
        "mpp": run.slide_mpp,
        "tissue_mm2": facts.tissue_um2 / _UM2_PER_MM2,
        "nuclei": sum(counts.values()) if counts else math.nan,
        "other": number_or_nan(other),
        "warnings": " ".join(facts.warnings) or None,
        "slide_path": str(run.slide_path),
        "model_sha256": facts.question.model_sha256,
    }
    if facts.status == "finished":
        row["tissue_mm2"] = _tissue_mm2(run, _summary_of(run))
        row["classifier"] = run.classifier
        row["corrections"] = len(run.corrections())
        if is_kept_for(run, TIL_FILE):
            row |= _til_of(read_kept(run.path / TIL_FILE))
        elif is_outdated(run, TIL_FILE):
            row["til_reason"] = OUTDATED_SCORE
        for name, figures in class_figures(run).items():
            row[f"count_{name}"] = figures["count"]
            for figure, column in _DENSITIES.items():
                row[column.format(name)] = figures[figure]
    return row


_DENSITIES = {
    "density_per_mm2": "{}_per_mm2",
    "density_low": "{}_per_mm2_low",
    "density_high": "{}_per_mm2_high",
}


def class_figures(run: Run) -> dict[str, dict[str, float]]:
    """Return count, share and density of each class; intervals where a summary was kept."""
    summary = _summary_of(run)
    kept = summary.get("classes", {})
    found = _counts_of(run)
    counts = {name: found.get(name, 0) for name in run.scheme.names}
    total, mm2 = sum(counts.values()), _tissue_mm2(run, summary)
    return {
        name: {
            "count": count,
            "share": count / total if total else math.nan,
            "density_per_mm2": count / mm2 if mm2 else math.nan,
            "density_low": math.nan,
            "density_high": math.nan,
            **{figure: number_or_nan(value) for figure, value in _kept_of(kept, name).items()},
        }
        for name, count in counts.items()
    }


def _summary_of(run: Run) -> dict[str, Any]:
    """Return the summary that was kept; made now where ROIs bound what counts since.

    How much tissue they leave is known from nowhere else.
    """
    if not is_kept_for(run, SUMMARY_FILE):
        if regions_version(run) == NO_REGIONS:
            return {}
        try:
            keep_summary(run)
        except StoreError:  # the store can be read only, or is full
            return summary_of(run)
    return read_kept(run.path / SUMMARY_FILE)


def _tissue_mm2(run: Run, summary: dict[str, Any]) -> float:
    """Return how much tissue counts; that of a summary of before regions is all of it.

    NaN where ROIs bound what counts, and the slide was gone when it was to be measured.
    """
    found = summary.get("tissue_um2", run.facts.tissue_um2)
    if found is None and regions_version(run) == NO_REGIONS:
        found = run.facts.tissue_um2
    return number_or_nan(found) / _UM2_PER_MM2


def _kept_of(kept: object, name: str) -> dict[str, float | None]:
    """Return the figures of a class that a summary has; none where another version wrote it."""
    figures = kept.get(name) if isinstance(kept, dict) else None
    if not isinstance(figures, dict):
        return {}
    return {
        figure: value
        for figure, value in figures.items()
        if figure in FIGURES and isinstance(value, int | float | NoneType)
    }


def _counts_of(run: Run) -> dict[str, int]:
    """Return the number of nuclei by name, as they are called and counted now."""
    if run.status == "finished" and regions_version(run) != NO_REGIONS:
        return run.nucleus_queries().counts(counted_of(run, other=True).selection(run))
    if run.status == "finished" and run.names_version != NO_NAMES:
        return run.counts()
    return dict(run.facts.counts)


def _til_of(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the scores of ``til.json`` as columns."""
    if not kept:
        return {}
    try:
        return _columns_of(kept)
    except (KeyError, TypeError, AttributeError):  # another version wrote them
        return {}


def _columns_of(kept: dict[str, Any]) -> dict[str, Any]:
    score, densities = kept["stil_area_pct"], kept["density_per_mm2_interval95"]
    return {
        "til_evaluable": kept["evaluable"],
        "til_reason": kept["reason"],
        "til_pct": number_or_nan(score["value"]),
        "til_low": number_or_nan(score["low"]),
        "til_high": number_or_nan(score["high"]),
        "til_tiger_pct": number_or_nan(kept["tiger_til"]),
        "phenotype": kept["phenotype"],
        "til_per_mm2": number_or_nan(densities["tissue"]["value"]),
        "til_per_mm2_low": number_or_nan(densities["tissue"]["low"]),
        "til_per_mm2_high": number_or_nan(densities["tissue"]["high"]),
        "til_stroma_per_mm2": number_or_nan(densities["stroma"]["value"]),
        "etils_pct": number_or_nan(kept["etils_pct"]),
        "epithelium_mm2": number_or_nan(kept["areas_mm2"].get("epithelium")),
        "stroma_mm2": number_or_nan(kept["areas_mm2"].get("stroma")),
        "tumour_rois": ", ".join(kept.get("tumour_rois", [])) or None,
    }


def is_scored(row: Mapping[Any, Any]) -> bool:
    """Tell whether a row has the TIL scores of its nuclei as they are called and counted now."""
    return bool(pd.notna(row.get("til_evaluable")))


def number_or_nan(value: float | None) -> float:
    """Return a number that a column of numbers can hold."""
    return math.nan if value is None else value


def folder_of(run: Run, store: Path) -> str:
    """Return what names a run in its store: ``<slide id>/<run id>``."""
    return run.path.relative_to(store).as_posix()
