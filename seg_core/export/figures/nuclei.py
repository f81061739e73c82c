"""Figures of nuclei: densities and measures by class."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from seg_core.classes import ClassScheme

_BAR_PX = 34
_MARGIN_PX = 60
_HISTOGRAM_PX = 300

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
