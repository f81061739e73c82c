"""Figures of a taught classifier: what it confuses, and where it changes a slide."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from seg_core.classes import ClassScheme
from seg_core.figures.style import lay_out
from seg_core.teaching.validation import Validation

_ROW_PX = 34
_LEAST_PX = 220
_MAP_PX = 380
_UM_PER_MM = 1000.0


def confusion_map(validation: Validation) -> go.Figure:
    """Draw what was answered where a label says otherwise, labels by row.

    Colours are shares of the labels of a class, so that rare classes are seen as well as frequent
    ones; the numbers are counts.
    """
    counts = validation.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = list(validation.names)
    heat = go.Heatmap(
        z=shares,
        customdata=100 * shares,
        x=names,
        y=names,
        text=counts,
        texttemplate="%{text}",
        colorscale="Blues",
        zmin=0,
        zmax=1,
        showscale=False,
        hovertemplate="labelled %{y}, answered %{x}: %{text}, %{customdata:.0f} % of that label<extra></extra>",
    )
    height = max(_LEAST_PX, _ROW_PX * (len(names) + 3))
    figure = lay_out(go.Figure(heat), height=height)
    figure.update_xaxes(title="Answered", showgrid=False)
    figure.update_yaxes(title="Labelled", showgrid=False, autorange="reversed")
    return figure


def change_map(changed: pd.DataFrame, scheme: ClassScheme, slide_mpp: float) -> go.Figure:
    """Draw nuclei that are to be called something else, in the colour of what they are to be.

    Parameters
    ----------
    changed : DataFrame
        ``nucleus_id``, ``x``, ``y`` (level-0 pixels), ``before``, ``after``.
    scheme : ClassScheme
    slide_mpp : float
        Size of a level-0 pixel, µm.
    """
    mm = slide_mpp / _UM_PER_MM
    figure = go.Figure()
    for name in scheme.names_with_other:
        own = changed[changed["after"] == name]
        if own.empty:
            continue
        figure.add_scattergl(
            x=own["x"].to_numpy() * mm,
            y=own["y"].to_numpy() * mm,
            customdata=own[["nucleus_id", "before"]].to_numpy(),
            mode="markers",
            name=name,
            marker={"color": scheme.colours[name], "size": 5},
            hovertemplate=f"nucleus %{{customdata[0]}}: %{{customdata[1]}} → {name}<extra></extra>",
        )
    lay_out(figure, height=_MAP_PX, showlegend=True, clickmode="event+select")
    figure.update_layout(legend_itemsizing="constant")
    figure.update_xaxes(title="x, mm", showgrid=False, zeroline=False, constrain="domain")
    figure.update_yaxes(
        title="y, mm", showgrid=False, zeroline=False, autorange="reversed", scaleanchor="x"
    )
    return figure
