"""Figures of training runs."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
from plotly.colors import DEFAULT_PLOTLY_COLORS
from plotly.subplots import make_subplots

from seg_core.figures.style import BUTTONS_PX, lay_out

_CURVE_COLUMNS, _CURVE_PX = 3, 280
_TITLES_PX = 32  # of the upper panels
_LAST_STEP_PX = 10  # half of the number below the right end of an axis


def training_curves(logs: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Draw the losses and figures of training runs against the step, a panel for each.

    Parameters
    ----------
    logs : mapping of str to DataFrame
        By name of the run: ``step`` and the columns to draw.
    """
    names = list(dict.fromkeys(name for log in logs.values() for name in log.columns))
    names = [name for name in names if name not in {"step", "rate"}]
    rows = -(-len(names) // _CURVE_COLUMNS)
    figure = make_subplots(rows, _CURVE_COLUMNS, subplot_titles=names)
    for number, (run, log) in enumerate(logs.items()):
        colour = DEFAULT_PLOTLY_COLORS[number % len(DEFAULT_PLOTLY_COLORS)]
        for place, name in enumerate(names):
            if name in log:
                line = go.Scatter(
                    x=log["step"].to_numpy(),
                    y=log[name].to_numpy(),
                    name=run,
                    legendgroup=run,
                    showlegend=place == 0,
                    line_color=colour,
                    hovertemplate="step %{x:,d}: %{y:.4f}",
                )
                figure.add_trace(line, place // _CURVE_COLUMNS + 1, place % _CURVE_COLUMNS + 1)
    figure.update_xaxes(title="Step")
    lay_out(figure, height=_CURVE_PX * rows, showlegend=True)
    return figure.update_layout(margin_t=BUTTONS_PX + _TITLES_PX, margin_r=_LAST_STEP_PX)
