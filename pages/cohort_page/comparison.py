"""How groups of patients differ, and how two measures go together."""

import math
from functools import partial

import pandas as pd
import streamlit as st

from pages.cohort_page import drawn_around
from pages.cohort_page.cohort_table import open_slide_of, readable
from pages.shared.literal import literal
from seg_core.cohort.columns import USUAL_MEASURES, groupings_of, known, measures_of, title_of
from seg_core.cohort.compare import (
    METHOD,
    by_patient,
    compare_groups,
    numbers_of,
    reasons_in_words,
)
from seg_core.cohort.correlate import rank_correlation
from seg_core.digits import in_digits
from seg_core.errors import counted
from seg_core.figures.groups import scatter, strips
from seg_core.files.csv import csv_text
from seg_core.minus import with_minus
from seg_core.unbroken import unbroken

_FIGURES = {
    "shift": "shift",
    "shift_low": "from",
    "shift_high": "to",
    "delta": "Cliff's delta",
    "delta_low": "from",
    "delta_high": "to",
    "p": "p",
    "p_adjusted": "p, adjusted",
}
_COLUMNS = {
    name: st.column_config.TextColumn(title, alignment="right") for name, title in _FIGURES.items()
}


def show_groups(table: pd.DataFrame, name: str) -> None:
    """Plot measures by group and compare them."""
    measures = measures_of(table)
    columns = [each for each in groupings_of(table) if each not in measures]
    if not columns or not measures:
        st.info(
            "A comparison needs a column that names at least two groups, and slides with figures."
        )
        return
    left, right = st.columns([1, 2])
    group = left.selectbox("Groups by", columns, key="_by")
    chosen = right.multiselect(
        "Measures",
        measures,
        format_func=title_of,
        default=[each for each in USUAL_MEASURES if each in measures][:1] or measures[:1],
        key="_measures",
        wrap=True,
    )
    if not chosen:
        return
    found = compare_groups(table, chosen, group=group)
    for column, measure in zip(st.columns(min(len(chosen), 3)) * len(chosen), chosen, strict=False):
        column.plotly_chart(
            strips(by_patient(table, measure, group=group), title_of(measure), group)
        )
    named = found.assign(measure=found["measure"].map(title_of))
    told = {name: named[name].map(in_digits, na_action="ignore") for name in _FIGURES}
    st.dataframe(
        named.assign(**told).drop(columns="reason").dropna(axis="columns", how="all"),
        column_config=_COLUMNS,
        hide_index=True,
        placeholder="–",
    )
    for words in reasons_in_words(found):
        st.caption(unbroken(literal(words)))
    st.caption(unbroken(METHOD))
    st.download_button(
        "Comparison as CSV",
        csv_text(found),
        f"{name}-by-{group}.csv",
        "text/csv",
        icon=":material/download:",
    )


def show_scatter(table: pd.DataFrame, drawn: pd.DataFrame, name: str) -> None:
    """Plot a measure against any other column; slides that are drawn around are listed.

    Parameters
    ----------
    table : DataFrame
    drawn : DataFrame
        Its rows that were drawn around, or all.
    name : str
        Of the cohort.
    """
    measures = measures_of(table)
    columns = [*measures, *(each for each in groupings_of(table) if each not in measures)]
    if not measures or len(columns) < 2:
        st.info("A scatter plot needs two columns; no slide of this cohort has them yet.")
        return
    left, right = st.columns(2)
    usual = "til_pct" if "til_pct" in measures else measures[0]
    others = [each for each in columns if each != usual]
    x = left.selectbox("Across", columns, columns.index(others[0]), format_func=title_of, key="_x")
    y = right.selectbox("Up", measures, measures.index(usual), format_func=title_of, key="_y")
    told = table.assign(**{each: known(table[each]) for each in {x, y}})
    points = told.dropna(subset=[x, y]).reset_index(drop=True)
    across = numbers_of(points[x], x) if x in measures else points[x].tolist()
    chart = drawn_around.chart_key()
    drawn_here = st.session_state.get(chart, {}).get("selection", {}).get("point_indices")
    figure = scatter(
        points["slide"].tolist(),
        across,
        numbers_of(points[y], y),
        (title_of(x), title_of(y)),
        # the plot itself knows what was drawn around in it, and would forget it for another figure
        () if drawn_here else drawn_around.places_of(points, name),
    )
    rows = drawn_around.rows_of(points)
    st.plotly_chart(figure, on_select=partial(drawn_around.take, chart, rows, name), key=chart)
    if x in measures:
        st.caption(unbroken(_correlation_in_words(points, x, y)))
    st.caption(
        "Draw around points: *Table*, *Groups* and *TIL maps* then show their slides alone, until you "
        "press **All slides**."
    )
    if len(drawn) < len(table):
        _list_drawn(drawn, list(dict.fromkeys(["slide", "patient", "group", x, y])))


def _list_drawn(drawn: pd.DataFrame, columns: list[str]) -> None:
    """List slides; a click on one opens it."""
    shown, settings = readable(drawn, columns)
    event = st.dataframe(
        shown,
        column_config=settings,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="_drawn",
    )
    rows = event["selection"]["rows"]
    if rows:
        open_slide_of(drawn.iloc[rows[0]])


def _correlation_in_words(points: pd.DataFrame, x: str, y: str) -> str:
    found = rank_correlation(points, x, y)
    if math.isnan(found.rho):
        return (
            f"{counted(found.patients, 'patient')}: too few, or all alike, for a rank correlation."
        )
    interval = (
        ", no interval where it is 1 or -1"
        if math.isnan(found.low)
        else f", 95 % interval {found.low:.2f} to {found.high:.2f}"
    )
    p = "< 0.001" if found.p < 0.001 else f"= {found.p:.3f}"
    return (
        f"Spearman's rank correlation {with_minus(f'{found.rho:.2f}{interval}')}, p {p}, n = "
        f"{counted(found.patients, 'patient')} ({counted(found.slides, 'slide')}, averaged by patient). For research only."
    )
