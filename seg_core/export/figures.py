"""Figures for pages and reports; the only module that imports plotly.

Colours are those of the class scheme; everything else is left to the theme of whoever shows the
figure.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import DEFAULT_PLOTLY_COLORS
from plotly.subplots import make_subplots

from seg_core.classes import ClassScheme

_BAR_PX = 34
_MARGIN_PX = 60
_HISTOGRAM_PX = 300
_BINS = 40
_CURVE_COLUMNS, _CURVE_PX = 3, 240

# The largest nuclei of all are often two that were taken for one; they would squeeze the others.
_SHOWN_SHARE = 0.995


def density_bars(summary: pd.DataFrame, scheme: ClassScheme) -> go.Figure:
    """Draw a bar for each class: nuclei per mm².

    Parameters
    ----------
    summary : DataFrame
        Of `seg_core.nuclei.summarise`: ``class_name``, ``count``, ``share``, ``density_per_mm2``.
    scheme : ClassScheme

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> summary = pd.DataFrame({"class_name": ["epithelial", "lymphocyte"], "count": [3, 1],
    ...                         "share": [0.75, 0.25], "density_per_mm2": [300.0, 100.0]})
    >>> figure = density_bars(summary, MONUSAC)
    >>> figure.data[0].x.tolist()
    [300.0, 100.0]
    """
    bars = go.Bar(
        x=summary["density_per_mm2"].to_numpy(),
        y=summary["class_name"].to_numpy(),
        orientation="h",
        marker_color=[scheme.colours[name] for name in summary["class_name"]],
        text=[_with_share(*row) for row in zip(summary["count"], summary["share"], strict=True)],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:,.1f} per mm²<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_layout(
        height=_MARGIN_PX + _BAR_PX * len(summary),
        margin={"l": 0, "r": 110, "t": 8, "b": 0},
        bargap=0.35,
    )
    figure.update_xaxes(title="Nuclei per mm² of tissue", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    return figure


def area_histogram(histogram: pd.DataFrame, scheme: ClassScheme) -> go.Figure:
    """Draw how large the nuclei are, the bars of all classes on top of one another.

    Parameters
    ----------
    histogram : DataFrame
        Of `seg_core.nuclei.histogram` over ``area_um2``; a class without nuclei is left out.
    scheme : ClassScheme

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> counted = pd.DataFrame({"low": [0.0, 20.0], "high": [20.0, 40.0],
    ...                         "epithelial": [0, 0], "lymphocyte": [3, 1]})
    >>> [(bars.name, bars.x.tolist()) for bars in area_histogram(counted, MONUSAC).data]
    [('lymphocyte', [10.0, 30.0])]
    """
    names = [
        name for name in scheme.names_with_other if name in histogram and histogram[name].any()
    ]
    figure = go.Figure()
    for name in names:
        figure.add_bar(
            x=((histogram["low"] + histogram["high"]) / 2).to_numpy(),
            y=histogram[name].to_numpy(),
            width=(histogram["high"] - histogram["low"]).to_numpy(),
            name=name,
            marker_color=scheme.colours[name],
            hovertemplate="%{y} of about %{x:.0f} µm²",
        )
    figure.update_layout(
        barmode="stack",
        bargap=0,
        height=_HISTOGRAM_PX,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        hovermode="x",
        showlegend=True,
    )
    figure.update_xaxes(title="Area of a nucleus, µm²", range=_shown_range(histogram, names))
    figure.update_yaxes(title="Nuclei")
    return figure


def _shown_range(histogram: pd.DataFrame, names: list[str]) -> list[float] | None:
    """Return the axis that holds nearly all nuclei; None, the plotter's choice, without any."""
    if not names:
        return None
    counted = histogram[names].sum(axis=1).cumsum()
    last = int(np.searchsorted(counted, _SHOWN_SHARE * counted.iloc[-1]))
    return [0.0, float(histogram["high"].iloc[last])]


def _with_share(count: int, share: float) -> str:
    return f"{count:,} ({share:.1%})"


def to_html(figure: go.Figure, *, with_library: bool) -> str:
    """Return a figure as a piece of HTML, on white.

    Parameters
    ----------
    figure : Figure
    with_library : bool
        Also write plotly.js, 4.5 MB, which the first figure of a page needs to bring.

    Examples
    --------
    >>> piece = to_html(go.Figure(), with_library=False)
    >>> piece.startswith("<div"), len(piece) < 10_000
    (True, True)
    """
    on_white = go.Figure(figure).update_layout(template="plotly_white")
    return on_white.to_html(
        full_html=False,
        include_plotlyjs=with_library,
        config={"displaylogo": False, "responsive": True},
    )


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
                )
                figure.add_trace(line, place // _CURVE_COLUMNS + 1, place % _CURVE_COLUMNS + 1)
    figure.update_layout(height=_CURVE_PX * rows, margin={"l": 40, "r": 10, "t": 40, "b": 30})
    return figure
