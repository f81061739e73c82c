"""What the page of the TIL scores says: the score, what it stands on, and all scores as a table."""

from collections.abc import Iterator
from html import escape

import pandas as pd
import streamlit as st

from pages.shared.literal import literal
from seg_core.digits import in_percent, in_unit
from seg_core.errors import capitalised
from seg_core.til import DISCLAIMER, Score, TilResult
from seg_core.til.score_tables import formula_table, score_table
from seg_core.til.wording import (
    basis_in_words,
    doubt_in_words,
    etils_in_words,
    eye_in_words,
    interval_in_words,
)
from seg_core.unbroken import unbroken

# The score in letters that are read from across a table; the rest as the theme has it.
_STYLE = """
<style>
.til-score { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.2rem 0.8rem; }
.til-score .number { font-size: 3rem; font-weight: 600; line-height: 1.1; }
.til-score .beside { font-size: 1.5rem; font-weight: 600; }
.til-score .pair { white-space: nowrap; }
.til-score .faint { opacity: 0.75; }
</style>
"""

_SMALL_COLUMNS = 4


def show_score(result: TilResult, part_name: str) -> None:
    """Show the area score, what it was computed on, what could be wrong with it, and the others."""
    with st.container(border=True):
        st.html(_STYLE + unbroken(_headline(result)))
        st.caption(unbroken(basis_in_words(result, literal(part_name))))
        if result.tumour:
            st.markdown(f":material/gesture: {unbroken(literal(result.tumour.in_words()))}")
        eye = eye_in_words(result)
        if eye:
            st.caption(unbroken(eye))
        doubt = doubt_in_words(result)
        if doubt:
            st.markdown(f"**If some of these are not lymphocytes.** {unbroken(doubt)}")
        st.caption(f":material/science: {DISCLAIMER}")
    _show_others(result)


def show_table(result: TilResult) -> None:
    """Show all scores, and behind a fold how each is computed."""
    st.subheader("All scores", anchor=False)
    table = score_table(result)
    numbers = {
        title: [
            in_unit(value, unit) for value, unit in zip(table[name], table["unit"], strict=True)
        ]
        for name, title in {"value": "Value", "low": "95 % from", "high": "to"}.items()
    }
    _show_rows(
        pd.DataFrame(
            {"Score": table["score"], **numbers, "Unit": table["unit"], "Note": _told_once(table)}
        )
    )
    with st.expander("How is this computed?"):
        st.markdown(unbroken(_METHOD))
        _show_rows(
            formula_table(result).set_axis(
                ["Scores", "Formula", "Source", "What goes in"], axis="columns"
            )
        )


def _told_once(table: pd.DataFrame) -> list[str]:
    """Return the notes of scores; one that a score above has is not told again."""
    first: dict[str, str] = {}
    return [
        note if not note or first.setdefault(note, score) == score else f"as for {first[note]}"
        for score, note in zip(table["score"], table["note"], strict=True)
    ]


def _show_rows(rows: pd.DataFrame) -> None:
    """Show rows whose sentences go on in the next line, where a data frame would cut them off."""
    as_written = rows.map(lambda cell: unbroken(literal(cell)))
    st.table(as_written.rename(columns=unbroken), border="horizontal", hide_index=True)


_METHOD = """
TILs are the lymphocytes; neutrophils and macrophages never count. A nucleus belongs to the compartment that its centroid
lies in. **E**, the epithelium, is the union of the epithelial nuclei, grown and shrunk as the settings say, without small
islands; **S**, the stroma, is the tissue outside E and near it; **n_L** and **n_E** count the lymphocytes and epithelial nuclei on tissue, of which the viewer may show
a few more at its edge. Neither compartment was taught to the model: both are estimated from
nuclei, and benign epithelium counts like a tumour's, unless you draw the tumour: with a ROI of the kind *Tumour* both
compartments lie in it alone, and S is all tissue there outside E. Take out necrosis, carcinoma in situ and artefacts with
a ROI of the kind *Leave out*. Intervals come from how squares of tissue differ by the distance between them: they tell how the score varies over the slide,
not how often the model errs. Low, intermediate and high (Salgado et al. 2015: 10 and 40 %) are bands of the eye's estimate, which
takes in the space between the cells: an area of nuclei reads lower, so no band is given here.
Every score has a row, with a value or the reason why it has none; where a slide is not evaluable no score has a value,
since the epithelium that all of them rest on is too little or in doubt.
"""


def _headline(result: TilResult) -> str:
    score = result.stil_area_pct
    if score.value is None:
        return (
            f'<div class="til-score"><span>{escape(capitalised(result.reason or ""))}</span></div>'
        )
    tiger = result.score("tiger_til")
    return (
        f'<div class="til-score"><span class="faint">{escape(result.scores[0].label)}</span>'
        f'<span class="number">{in_percent(score.value)} %</span>'
        f'<span class="faint">of stroma, {escape(interval_in_words(score))}</span>'
        f'<span class="pair"><span class="faint">{escape(tiger.label)}</span> '
        f'<span class="beside">{in_percent(result.tiger_til)} %</span></span></div>'
    )


def _show_others(result: TilResult) -> None:
    shown = [
        # This unit stands in the label: beside the figure a small window would break it off.
        _metric(result.score("density_per_mm2_stroma"), "", 0, of="per mm²"),
        _metric(result.score("density_per_mm2_epithelium"), "", 0, of="per mm²"),
        _metric(result.score("phenotype"), "", 0),
        _metric(result.score("etils_pct"), "%", 2),
        ("Morisita-Horn", _with_unit(result.morisita_horn[0].value, "", 2)),
        _metric(result.score("intraepithelial_ratio"), "", 2),
        ("Distance to epithelium", _with_unit(result.distances.median_um, "µm", 0)),
        ("Hotspots of lymphocytes", _hotspots(result)),
    ]
    for start in range(0, len(shown), _SMALL_COLUMNS):
        row = shown[start : start + _SMALL_COLUMNS]
        for column, (label, value) in zip(st.columns(_SMALL_COLUMNS), row, strict=True):
            column.metric(label, value, border=True, height="stretch")
    etils = etils_in_words(result)
    if etils:
        st.caption(unbroken(etils))
    if result.evaluable:  # else all have the reason that stands above
        for label, reason in _missing(result):
            st.caption(f"{label}: {unbroken(reason)}")
    if result.phenotype.name:
        kinds = result.phenotype
        st.caption(
            f"Immune phenotype (research): of {kinds.valid_squares} valid squares "
            f"{kinds.inflamed} are inflamed, {kinds.excluded} excluded, {kinds.desert} desert."
        )


def _missing(result: TilResult) -> Iterator[tuple[str, str]]:
    """Give the label of each score of a small card that has no value, and why."""
    shown = {
        "density_per_mm2_stroma": None,
        "density_per_mm2_epithelium": None,
        "phenotype": "Immune phenotype (research)",
        f"morisita_horn_{result.morisita_horn[0].square_um:g}_um": None,
        "distance_median_um": None,
        "hotspots_lymphocyte_share": "Hotspots of lymphocytes",
    }
    for name, label in shown.items():
        score = result.score(name)
        if score.value is None:
            yield label or score.label, score.estimate.reason or ""


def _metric(score: Score, unit: str, digits: int, *, of: str = "") -> tuple[str, str]:
    """Return the label, with what the score is of, and its value, for a small card."""
    value = score.value
    label = f"{score.label}, {of}" if of else score.label
    return label, value if isinstance(value, str) else _with_unit(value, unit, digits)


def _hotspots(result: TilResult) -> str:
    found = result.hotspots
    return "–" if found.lymphocyte is None else f"{found.lymphocyte} of {found.squares} squares"


def _with_unit(value: float | None, unit: str, digits: int) -> str:
    return "–" if value is None else unbroken(f"{value:,.{digits}f} {unit}".strip())
