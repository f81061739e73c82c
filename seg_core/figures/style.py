"""What all figures share: legend, margins, how they are downloaded and written into a report."""

from typing import Any

import plotly.graph_objects as go

# Three times the pixels of the screen: sharp on a slide and in print.
_DOWNLOAD_SCALE = 3


BUTTONS_PX = 32
"""What the buttons of a plot take; they come up at its upper edge, over whatever is drawn there."""

_LEGEND_BELOW = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0}
"""A legend at a figure's lower edge: however many lines it takes, plotly makes room for them."""

_LEGEND_PX = 24


def lay_out(
    figure: go.Figure, *, height: int, showlegend: bool = False, **changes: Any
) -> go.Figure:
    """Give a figure its height, no air around it, and 1,000 written as elsewhere.

    The buttons have the uppermost row to themselves, the legend stands below.

    Parameters
    ----------
    figure : Figure
    height : int
        Of the plot with its axes, px; buttons and a line of the legend come on top of it.
    showlegend : bool
    **changes
        Anything else that ``Figure.update_layout`` takes.
    """
    return _with_plain_numbers(figure).update_layout(
        height=height + BUTTONS_PX + _LEGEND_PX * showlegend,
        margin={"l": 0, "r": 0, "t": BUTTONS_PX, "b": 0},
        legend={**_LEGEND_BELOW, "traceorder": "normal"},
        showlegend=showlegend,
        **changes,
    )


def _with_plain_numbers(figure: go.Figure) -> go.Figure:
    """Write 1,000 beside axes and scales of colours as in tables, and not 1k."""
    plain = {"exponentformat": "none", "separatethousands": True}
    figure.update_xaxes(**plain)
    figure.update_yaxes(**plain)
    return figure.update_traces(colorbar=plain, selector={"type": "heatmap"})


def config_of(name: str) -> dict[str, Any]:
    """Return the settings of plotly with which a figure is downloaded under a name.

    Examples
    --------
    >>> config_of("densities")["toImageButtonOptions"]["filename"]
    'densities'
    """
    return {
        "displaylogo": False,
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": _DOWNLOAD_SCALE},
    }


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
