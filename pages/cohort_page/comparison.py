"""How groups of patients differ, and how two measures go together."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.cohort_page.cohort_table import open_slide_of
from seg_core.cohort.compare import by_patient, compare_groups

_USUAL = ("til_pct", "lymphocyte_per_mm2", "til_stroma_per_mm2")

_NO_MEASURES = {
    *("seconds", "megapixels", "peak_rss_mb", "mpp", "til_low", "til_high", "til_evaluable"),
}

_METHOD = """
A patient's slides are averaged first: *n* are patients, and a slide without a patient counts as one of its own. *p* is
of the rank test of Mann and Whitney, of Kruskal and Wallis where *all* groups are tested; *adjusted* is for all that
is compared here (Benjamini and Hochberg). The shift is the median difference between a patient of the first group and
one of the second (Hodges and Lehmann), in the measure's unit. Delta tells how much more often the first has the higher value
(Cliff): 0 no difference, 1 always. Both have 95 % intervals. For research only.
"""


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
        default=[each for each in _USUAL if each in measures][:1] or measures[:1],
        key="_measures",
    )
    if not chosen:
        return
    found = compare_groups(table, chosen, group=group)
    for column, measure in zip(st.columns(min(len(chosen), 3)) * len(chosen), chosen, strict=False):
        column.plotly_chart(strips(by_patient(table, measure, group=group), measure, group))
    st.dataframe(found.dropna(axis="columns", how="all"), hide_index=True)
    st.caption(_METHOD)
    st.download_button(
        "Comparison as CSV",
        found.to_csv(index=False),
        f"{name}-by-{group}.csv",
        "text/csv",
        icon=":material/download:",
    )


def show_scatter(table: pd.DataFrame) -> None:
    """Plot two measures of each slide; chosen points are listed and can be opened."""
    measures = measures_of(table)
    if len(measures) < 2:
        st.info("A scatter plot needs two measures; no slide of this cohort has them yet.")
        return
    across, up = st.columns(2)
    x = across.selectbox("Across", measures, key="_x")
    y = up.selectbox("Up", measures, index=1, key="_y")
    points = table.dropna(subset=[x, y]).reset_index(drop=True)
    figure = go.Figure(
        go.Scatter(
            x=points[x],
            y=points[y],
            mode="markers",
            text=points["slide"],
            hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis_title=x, yaxis_title=y, dragmode="lasso", height=480, margin={"t": 20}
    )
    event = st.plotly_chart(figure, on_select="rerun", key="_scatter")
    rows = event["selection"]["point_indices"]
    chosen = points.iloc[rows] if rows else points.iloc[:0]
    st.caption("Draw around points to list their slides.")
    if len(chosen):
        st.dataframe(chosen[["slide", "patient", "group", x, y]], hide_index=True)
        slide = st.selectbox("Slide", chosen["slide"].tolist(), key="_lassoed")
        if st.button("Open in the viewer", icon=":material/biotech:"):
            open_slide_of(chosen[chosen["slide"] == slide].iloc[0])


def strips(patients: pd.DataFrame, measure: str, group: str) -> go.Figure:
    """Return each patient as a point beside the box of the group."""
    figure = go.Figure()
    for name, part in patients.groupby("group"):
        figure.add_box(
            y=part["value"],
            name=f"{name} (n = {len(part)})",
            text=part["patient"],
            boxpoints="all",
            pointpos=-1.6,
            jitter=0.5,
            hovertemplate="%{text}: %{y:.4g}<extra></extra>",
        )
    figure.update_layout(
        yaxis_title=measure, xaxis_title=group, showlegend=False, height=360, margin={"t": 20}
    )
    return figure


def measures_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of numbers that differ among the slides."""
    return [
        str(name)
        for name in table.columns
        if name not in _NO_MEASURES and _differs(_numbers(table[name]))
    ]


def groupings_of(table: pd.DataFrame) -> list[str]:
    """Return the columns that name at least two groups and more slides than groups."""
    inner = {"slide", "folder", "slide_path", "cohort", "patient", "error", "warnings", "settings"}
    times = {"started", "finished", "state", "status", "model", "model_sha256", "engine"}
    return [
        str(name)
        for name in table.columns
        if name not in inner | times
        and table[name].dtype == object
        and 2 <= table[name].nunique() < max(len(table), 3)
    ]


def _differs(numbers: "pd.Series[float]") -> bool:
    return bool(numbers.min() < numbers.max())


def _numbers(column: "pd.Series[float]") -> "pd.Series[float]":
    if column.dtype == bool:
        return pd.Series(np.nan, index=column.index)
    return pd.to_numeric(column, errors="coerce")
