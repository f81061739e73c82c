"""Figures as pictures for paper, drawn from the same figures that the pages show.

Plotly needs a browser to make a picture. The few kinds of figures that a report holds are drawn by
matplotlib instead, from plotly's own description of them, so that the numbers are the same.
"""

import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
"""DejaVu's letters, which matplotlib ships."""

_DOTS_PER_INCH = 220
_LETTERS = 7.5
_GRID, _TEXT = "#e3e7ee", "#2a2a2a"
_COLOURS = ("#636efa", "#ef553b", "#00cc96", "#ab63fa")  # plotly's own, where a figure names none
_DASHES = {"dash": "--", "dot": ":"}
_HATCHES = ("", "/////", ".....", "xxxx", "-----", "\\\\\\\\")
"""Of what is stacked, in turn: on a grey print colours alone look alike."""


def draw_on_paper(figure: go.Figure, width_in: float, height_in: float) -> Image.Image:
    """Return a figure of bars, histograms, boxes and lines as a picture on white.

    Parameters
    ----------
    figure : Figure
        Of one of the modules beside this one.
    width_in, height_in : float

    Raises
    ------
    TypeError
        If it holds a kind of trace that nobody has taught this module.

    Examples
    --------
    >>> draw_on_paper(go.Figure(go.Bar(x=["a", "b"], y=[1, 2])), 2.0, 1.0).size
    (440, 220)
    """
    paper = Figure(figsize=(width_in, height_in), dpi=_DOTS_PER_INCH, layout="constrained")
    axes = paper.add_subplot()
    _draw_traces(axes, figure)
    _draw_shapes(axes, figure)
    _dress(axes, figure)
    file = io.BytesIO()
    paper.savefig(file, format="png")
    return Image.open(file).convert("RGB")


def _draw_traces(axes: Axes, figure: go.Figure) -> None:
    top: npt.NDArray[np.float64] | None = None
    lower: tuple[Any, Any] | None = None
    for number, trace in enumerate(figure.data):
        colour = _COLOURS[number % len(_COLOURS)]
        if isinstance(trace, go.Bar):
            stacked = figure.layout.barmode == "stack"
            hatch = _HATCHES[number % len(_HATCHES)] if stacked else ""
            top = _draw_bars(axes, trace, colour, figure, top if stacked else None, hatch)
        elif isinstance(trace, go.Histogram):
            _draw_histogram(axes, trace, colour)
        elif isinstance(trace, go.Scatter):
            _draw_line(axes, trace, colour, lower)
            lower = (trace.x, trace.y)
        elif isinstance(trace, go.Box):
            _draw_box(axes, trace, colour, number)
        else:
            raise TypeError(f"{type(trace).__name__} is not drawn on paper.")


def _draw_bars(
    axes: Axes,
    trace: go.Bar,
    colour: str,
    figure: go.Figure,
    top: npt.NDArray[np.float64] | None,
    hatch: str,
) -> npt.NDArray[np.float64]:
    """Draw bars, on those below them where they are stacked; return where they end."""
    colours = _as_list(trace.marker.color, colour)
    thick = 1 - (figure.layout.bargap or 0.2)
    lies = trace.orientation == "h"
    places, lengths = (trace.y, trace.x) if lies else (trace.x, trace.y)
    lengths = np.nan_to_num(np.asarray(lengths, dtype=float))
    start = np.zeros_like(lengths) if top is None else top
    if lies:
        error = _error(trace.error_x)
        axes.barh(list(places), lengths, thick, color=colours, xerr=error, error_kw=_ERROR_LINES)
        for place, length, words in zip(places, lengths, trace.text or (), strict=False):
            axes.annotate(
                words, (length, place), (3, 0), textcoords="offset points", va="center",
                fontsize=_LETTERS, color=_TEXT, annotation_clip=False,
            )  # fmt: skip
    else:
        width = thick if trace.width is None else np.asarray(trace.width, dtype=float)
        axes.bar(
            list(places), lengths, width, bottom=start, color=colours, yerr=_error(trace.error_y),
            error_kw=_ERROR_LINES, label=trace.name, hatch=hatch or None,
            edgecolor="white" if hatch else None, linewidth=0,
        )  # fmt: skip
    return start + lengths


_ERROR_LINES = {"elinewidth": 1, "capsize": 2, "ecolor": _TEXT}


def _error(error: Any) -> npt.NDArray[np.float64] | None:
    if error.array is None:
        return None
    both = (error.array if error.arrayminus is None else error.arrayminus, error.array)
    return np.nan_to_num(np.stack([np.asarray(each, dtype=float) for each in both]))


def _draw_histogram(axes: Axes, trace: go.Histogram, colour: str) -> None:
    values = np.asarray(trace.x, dtype=float)
    start, size = trace.xbins.start, trace.xbins.size
    count = max(1, int(np.floor((values.max(initial=start) - start) / size)) + 1)
    edges = start + size * np.arange(count + 1)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.hist(values, edges, color=_as_list(trace.marker.color, colour)[0], rwidth=0.96)


def _draw_line(axes: Axes, trace: go.Scatter, colour: str, lower: tuple[Any, Any] | None) -> None:
    x, y = np.asarray(trace.x, dtype=float), np.asarray(trace.y, dtype=float)
    name = trace.name if trace.showlegend is not False else None
    if trace.fill == "tonexty" and lower is not None:
        below = np.interp(x, np.asarray(lower[0], float), np.asarray(lower[1], float))
        shade, opacity = _shade(trace.fillcolor or colour)
        axes.fill_between(x, below, y, color=shade, alpha=opacity, linewidth=0, label=name)
    if trace.line.width != 0:
        marker = "o" if "markers" in (trace.mode or "") else None
        axes.plot(
            x, y, color=trace.line.color or colour, linewidth=1.3, marker=marker, markersize=3,
            label=name,
        )  # fmt: skip


def _draw_box(axes: Axes, trace: go.Box, colour: str, number: int) -> None:
    """Draw a box with all its points to the left of it."""
    values = np.asarray(trace.y, dtype=float)
    line = {"color": colour, "linewidth": 1.1}
    axes.boxplot(
        values, positions=[number], tick_labels=[trace.name], widths=0.3, showfliers=False,
        boxprops=line, whiskerprops=line, capprops=line, medianprops={**line, "linewidth": 1.8},
    )  # fmt: skip
    # beside one another in the order of the table, so that equal figures are equal pictures
    offsets = np.resize(np.linspace(-0.12, 0.12, 5), len(values))
    axes.plot(number - 0.34 + offsets, values, "o", color=colour, markersize=2.6, alpha=0.8)
    axes.set_xlim(-0.7, number + 0.5)


def _draw_shapes(axes: Axes, figure: go.Figure) -> None:
    """Draw bands and lines that reach from the bottom to the top, and the words on them."""
    for shape in figure.layout.shapes:
        if shape.type == "rect":
            shade, opacity = _shade(shape.fillcolor)
            axes.axvspan(shape.x0, shape.x1, color=shade, alpha=opacity, linewidth=0, zorder=0)
        else:
            style = _DASHES.get(shape.line.dash, "-")
            axes.axvline(shape.x0, color=shape.line.color, linestyle=style, linewidth=1.2)
    for words in figure.layout.annotations:
        axes.annotate(
            words.text, (words.x, 1), (2, -2), xycoords=("data", "axes fraction"),
            textcoords="offset points", va="top", fontsize=_LETTERS - 1, color=_TEXT,
        )  # fmt: skip


def _dress(axes: Axes, figure: go.Figure) -> None:
    layout = figure.layout
    axes.set_axisbelow(True)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.tick_params(labelsize=_LETTERS, length=0, colors=_TEXT)
    for side in axes.spines.values():
        side.set_color(_GRID)
    axes.set_xlabel(layout.xaxis.title.text or "", fontsize=_LETTERS, color=_TEXT)
    axes.set_ylabel(layout.yaxis.title.text or "", fontsize=_LETTERS, color=_TEXT)
    if layout.xaxis.range is not None:
        axes.set_xlim(*layout.xaxis.range)
    if layout.yaxis.autorange == "reversed":
        axes.invert_yaxis()
    if layout.yaxis.rangemode == "tozero":
        axes.set_ylim(0, axes.get_ylim()[1] * 1.05)
    # matplotlib writes 1e6 in a corner; numbers in full are understood
    for axis in (axes.xaxis, axes.yaxis):
        formatter = axis.get_major_formatter()
        if hasattr(formatter, "set_scientific"):
            formatter.set_scientific(False)
    handles, names = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False,
            fontsize=_LETTERS, handlelength=1, columnspacing=1, borderaxespad=0.2,
        )  # fmt: skip


def _as_list(colour: Any, otherwise: str) -> list[str]:
    if colour is None:
        return [otherwise]
    return [colour] if isinstance(colour, str) else list(colour)


def _shade(colour: str) -> tuple[Any, float]:
    """Return colour and opacity of ``rgba(r, g, b, a)``, or of any other name.

    Examples
    --------
    >>> _shade("rgba(255, 0, 128, 0.3)"), _shade("#ff0000")
    (((1.0, 0.0, 0.5019607843137255), 0.3), ('#ff0000', 1.0))
    """
    if not colour.startswith("rgba("):
        return colour, 1.0
    *rgb, opacity = (float(part) for part in colour[5:-1].split(","))
    return tuple(part / 255 for part in rgb), opacity
