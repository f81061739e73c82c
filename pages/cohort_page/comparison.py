"""How groups of patients differ, and how two measures go together."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.cohort_page.cohort_table import open_slide_of
from seg_core.cohort.columns import USUAL_MEASURES, groupings_of, measures_of, title_of
from seg_core.cohort.compare import METHOD, by_patient, compare_groups
from seg_core.figures.groups import strips


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
    )
    if not chosen:
        return
    found = compare_groups(table, chosen, group=group)
    for column, measure in zip(st.columns(min(len(chosen), 3)) * len(chosen), chosen, strict=False):
        column.plotly_chart(
            strips(by_patient(table, measure, group=group), title_of(measure), group)
        )
    st.dataframe(found.dropna(axis="columns", how="all"), hide_index=True)
    st.caption(METHOD)
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
    x = across.selectbox("Across", measures, format_func=title_of, key="_x")
    y = up.selectbox("Up", measures, index=1, format_func=title_of, key="_y")
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
        xaxis_title=title_of(x),
        yaxis_title=title_of(y),
        dragmode="lasso",
        height=480,
        margin={"t": 20},
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
