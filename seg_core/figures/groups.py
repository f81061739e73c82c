"""Patients of several groups by one measure, and slides by two."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from seg_core.digits import in_digits
from seg_core.figures.style import lay_out

# How far a point may lie beside its group's middle, where groups are 1 apart.
_SPREAD = 0.2

_in_digits = partial(in_digits, digits=4)

# Seen on white and on the dark theme; groups are told apart by their names below.
_COLOUR = "#2a8fb0"


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
            customdata=part["value"].map(_in_digits),
            boxpoints="all",
            pointpos=-1.6,
            jitter=0.5,
            hovertemplate="%{text}: %{customdata}<extra></extra>",
            marker_color=_COLOUR,
        )
    return lay_out(figure, height=330, yaxis_title=title, xaxis_title=group)


def scatter(
    slides: Sequence[str],
    across: npt.NDArray[np.float64] | Sequence[str],
    up: npt.NDArray[np.float64],
    titles: tuple[str, str],
    selected: Sequence[int] = (),
) -> go.Figure:
    """Return a point for each slide, to be drawn around.

    Parameters
    ----------
    slides : sequence of str
        What each is called.
    across : (N,) float64 or sequence of str
        A measure, or the name of a group; points of a group are spread beside one another.
    up : (N,) float64
    titles : (str, str)
        Of both axes.
    selected : sequence of int
        Points that are shown as drawn around; the others are pale.
    """
    axis: dict[str, object] = {"title": titles[0]}
    at = np.asarray(across)
    if at.dtype.kind != "f":
        names, places = np.unique(at.astype(str), return_inverse=True)
        spread = np.random.default_rng(0).uniform(-_SPREAD, _SPREAD, len(at))
        at = places + spread
        axis |= {"tickvals": list(range(len(names))), "ticktext": list(names)}
    figure = go.Figure(
        go.Scatter(
            x=at,
            y=up,
            mode="markers",
            text=list(slides),
            customdata=[_in_digits(value) for value in up],
            hovertemplate="%{text}<br>%{customdata}<extra></extra>",
            selectedpoints=list(selected) or None,
            marker_color=_COLOUR,
        )
    )
    return lay_out(figure, height=410, xaxis=axis, yaxis_title=titles[1], dragmode="lasso")
