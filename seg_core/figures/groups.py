"""Patients of several groups by one measure."""

import pandas as pd
import plotly.graph_objects as go

from seg_core.figures.style import lay_out


def strips(patients: pd.DataFrame, title: str, group: str) -> go.Figure:
    """Return each patient as a point beside the box of the group.

    Parameters
    ----------
    patients : DataFrame
        ``patient``, ``group``, ``value``; see `seg_core.cohort.compare.by_patient`.
    title : str
        Of the measure.
    group : str
        Column that names the groups.
    """
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
    return lay_out(figure, height=360, yaxis_title=title, xaxis_title=group, showlegend=False)
