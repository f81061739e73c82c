"""What an analysis was, in words by which readers tell it from others of the same slide."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from pages.shared import visitor
from pages.shared.told_apart import told_apart
from seg_core.model.card import card_of_weights
from seg_core.settings import PRECISION_TITLES, STAIN_TITLES
from seg_core.store import Run
from seg_core.store.label import RunLabel, read_label

_PART, _TIME = "Part", "Finished"
_NOBODY = "not known"


def facets(run: Run) -> dict[str, str]:
    """Return all that distinguishes an analysis, by what it is."""
    question = run.facts.question
    settings = question.settings
    card = card_of_weights(question.model_sha256)
    skipped = ["glass"] * settings.tissue_only + ["pen marks"] * settings.quality
    return {
        _PART: part_of(run),
        "µm/px": f"{question.slide_mpp:.4g}",
        "Model": question.model if card is None else card.title or card.name,
        "Named by": run.classifier or "the model",
        "Precision": PRECISION_TITLES.get(run.facts.precision, run.facts.precision),
        "Tile": f"{settings.tile_px} px",
        "Views": str(settings.views),
        "Stain": STAIN_TITLES[settings.stain],
        "Skipped": " and ".join(skipped) or "nothing",
        "By": whose(read_label(run.path)),
        _TIME: _time(run),
    }


def titles(runs: Sequence[Run]) -> dict[Path, str]:
    """Return a line for each analysis that tells it from the others, by its folder.

    Its name, the part, what is not the same in all of them, and when it was finished.
    """
    told = {run.path: facets(run) for run in runs}
    differing = {
        facet
        for facet in next(iter(told.values()), {})
        if len({each[facet] for each in told.values()}) > 1
    } - {_PART, _TIME}
    lines = {
        run.path: " · ".join(
            (
                *filter(None, [read_label(run.path).name]),
                told[run.path][_PART],
                *(
                    with_unit(facet, told[run.path][facet])
                    for facet in told[run.path]
                    if facet in differing
                ),
                told[run.path][_TIME],
            )
        )
        for run in runs
    }
    # What the command line alone may set apart, as the overlap of tiles, is no facet.
    return told_apart(lines, {run.path: run.run_id for run in runs})


def whose(label: RunLabel) -> str:
    """Say who asked for an analysis."""
    if label.owner and label.owner == visitor.folder_name():
        return "you"
    return label.person or ("another reader" if label.owner else _NOBODY)


def with_unit(facet: str, value: str) -> str:
    """Return a facet as it is read in a line with others: a figure with what it is of."""
    match facet:
        case "By" if value == _NOBODY:
            return "by an unknown reader"
        case "By" | "Named by":
            return f"{facet.lower()} {value}"
        case "Views":
            return "1 view" if value == "1" else f"{value} views"
        case "Skipped":
            return f"{value} skipped"
        case "Precision":
            return f"precision {value}"
        case "Tile":
            return f"tiles of {value}"
        case "µm/px":
            return f"{value} {facet}"
        case _:
            return f"finished {value}" if facet == _TIME else value


def part_of(run: Run) -> str:
    """Return what of its slide an analysis has looked at."""
    mpp = run.slide_mpp
    size = f"{run.region.width * mpp:,.0f} × {run.region.height * mpp:,.0f} µm"
    if run.covers_slide:
        return "Whole slide"
    corner = f"at x {run.region.x:,}, y {run.region.y:,}"
    return f"{size} {corner}" if run.roi is None else f"{run.roi.name}, {size}"


def _time(run: Run) -> str:
    """Return when a run was finished, in the reader's own time."""
    finished = datetime.fromisoformat(run.facts.finished or run.facts.started)
    return day_of(finished)


def day_of(time: datetime) -> str:
    """Return a time with its day, in the reader's own zone, and the year where it is another one."""
    here = time.astimezone(_zone(st.context.timezone))
    now = datetime.now(here.tzinfo)
    return f"{here:%d %b, %H:%M}" if here.year == now.year else f"{here:%d %b %Y, %H:%M}"


def _zone(name: str | None) -> ZoneInfo | None:
    """Return the zone that a browser says it is in; None, the server's, where there is none such."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None
