"""The part of the report that tells of the TIL scores."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from seg_core.digits import in_digits, in_percent, in_unit
from seg_core.errors import capitalised
from seg_core.figures import til as figures
from seg_core.picture.til_painting import draw_map
from seg_core.report.document import Block, Heading, Picture, Plots, Section, Table, Words
from seg_core.slide import Slide
from seg_core.til import DISCLAIMER, AssessedPart, TilResult
from seg_core.til.score_tables import score_table
from seg_core.til.wording import (
    basis_in_words,
    doubt_in_words,
    etils_in_words,
    eye_in_words,
    interval_in_words,
)

_MAP_PX = 900

_PART_COLUMNS = {
    "part": False,
    "sTIL area, %": True,
    "95 % interval": False,
    "TIGER-style, %": True,
    "tissue, mm²": True,
    "S, mm²": True,
    "lymphocytes per mm² S": True,
    "phenotype": False,
    "note": False,
}
"""Titles, and whether a column is numbers."""


def til_section(assessed: Sequence[AssessedPart], slide: Slide) -> Section | None:
    """Return what the report says of the parts of a run; the first is told in full.

    Parameters
    ----------
    assessed : sequence of AssessedPart
        None where no TIL scores are wanted.
    slide : Slide
    """
    if not assessed or assessed[0].result is None:
        return None
    return Section(
        "Tumour-infiltrating lymphocytes", list(_blocks(assessed, assessed[0].result, slide))
    )


def _blocks(assessed: Sequence[AssessedPart], result: TilResult, slide: Slide) -> Iterator[Block]:
    yield Words(DISCLAIMER, "warning")
    score = result.stil_area_pct
    if score.value is None:
        yield Words(capitalised(result.reason or ""), "plain")
    else:
        text = f"of the stroma is lymphocytes (sTIL area; {interval_in_words(score)})."
        yield Words(text, "plain", strong=f"{in_percent(score.value)} %")
    yield Words(basis_in_words(result, assessed[0].name))
    if result.tumour:
        yield Words(result.tumour.in_words(), "plain")
    for words in (eye_in_words(result), etils_in_words(result)):
        if words:
            yield Words(words)
    doubt = doubt_in_words(result)
    if doubt:
        yield Words(doubt, strong="If some of these are not lymphocytes.")
    if len(assessed) > 1:
        yield Heading("By ROI")
        yield Table(
            titles=list(_PART_COLUMNS),
            rows=[_row(part) for part in assessed],
            numbers=list(_PART_COLUMNS.values()),
            widths=[14, 9, 12, 12, 9, 9, 12, 12, 18],
        )
    if result.evaluable:
        yield Plots(list(_plots(result)))
        yield Picture(
            np.asarray(draw_map(result, slide, "stil", _MAP_PX)),
            "Squares by their area score",
            f"Area score of squares of {result.settings.square_um:g} µm, % of stroma.",
        )
    yield Heading("All scores")
    yield from _scores(result)


def _row(part: AssessedPart) -> list[str]:
    value = interval = tiger = tissue = stroma = density = phenotype = "–"
    result = part.result
    if result is not None:
        tissue, stroma = (in_digits(result.areas_mm2[name]) for name in ("tissue", "stroma"))
        score = result.stil_area_pct
        if score.value is not None:
            value = in_percent(score.value)
            tiger = in_percent(result.tiger_til)
            density = in_digits(result.density_per_mm2["stroma"].value)
            phenotype = result.phenotype.name or "–"
        if score.low is not None:
            interval = f"{in_percent(score.low)} to {in_percent(score.high)}"
    note = part.reason or ""
    return [part.name, value, interval, tiger, tissue, stroma, density, phenotype, note]


def _plots(result: TilResult) -> Iterator[tuple[str, object]]:
    yield "Squares by their score; dashed: the whole", figures.square_distribution(result)
    yield "Score at other dilations; dashed: as set", figures.dilation_curve(result)
    yield (
        "Distance of lymphocytes to epithelium; dashed: the median",
        figures.distance_histogram(result),
    )
    if result.cross.reason is None:
        yield "Lymphocytes around epithelium", figures.cross_l_curve(result)


def _scores(result: TilResult) -> Iterator[Block]:
    """Give the scores as a table, then what is to be said of some of them, each reason once."""
    rows = score_table(result).to_dict("records")
    told = [row for row in rows if not pd.isna(row["value"])]
    if told:
        yield Table(
            titles=["score", "value (95 %)", "unit", "formula (source)"],
            rows=[
                [
                    *(row["score"], _with_interval(row), row["unit"]),
                    f"{row['formula']} ({row['source']})",
                ]
                for row in told
            ],
            numbers=[False, True, False, False],
            widths=[20, 14, 13, 65],
        )
    named: dict[str, list[str]] = {}
    for row in rows:
        if row["note"]:
            named.setdefault(row["note"], []).append(row["score"])
    for note, names in named.items():
        yield Words(f"{', '.join(names)}: {note.rstrip('.')}.")


def _with_interval(row: dict[Any, Any]) -> str:
    value = in_unit(row["value"], row["unit"])
    if pd.isna(row["low"]):
        return value
    low, high = (in_unit(row[each], row["unit"]) for each in ("low", "high"))
    return f"{value} ({low} to {high})"
