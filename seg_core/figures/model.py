"""Figures of a model: whether its class scores mean what they say."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from seg_core.figures.style import lay_out

_HEIGHT_PX = 420
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_DIAGONAL = "#8c8c8c"


def reliability_diagram(sets: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Draw the share of nuclei that are called rightly against their class score, a line a data set.

    On the diagonal a score of .8 means that eight in ten are right; below it the model is too sure
    of itself.

    Parameters
    ----------
    sets : mapping of str to DataFrame
        See `seg_core.model.measured.reliability`.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 100],
        mode="lines",
        line={"color": _DIAGONAL, "dash": "dot"},
        name="as it says",
    )
    for number, (name, bins) in enumerate(sets.items()):
        figure.add_scatter(
            x=bins["score"].to_numpy(),
            y=100 * bins["right"].to_numpy(),
            error_y={
                "type": "data",
                "symmetric": False,
                "array": 100 * (bins["high"] - bins["right"]).to_numpy(),
                "arrayminus": 100 * (bins["right"] - bins["low"]).to_numpy(),
                "thickness": 1,
            },
            customdata=bins[["nuclei"]].to_numpy(),
            mode="lines+markers",
            name=name,
            line_color=_COLOURS[number % len(_COLOURS)],
            hovertemplate="score %{x:.2f}: %{y:.0f} % of %{customdata[0]:,} nuclei are right",
        )
    lay_out(figure, height=_HEIGHT_PX, showlegend=True)
    figure.update_xaxes(
        title="Class score, mean of its bin", range=[0.35, 1.01], constrain="domain"
    )
    figure.update_yaxes(title="Share called rightly", range=[0, 102], ticksuffix=" %")
    return figure
