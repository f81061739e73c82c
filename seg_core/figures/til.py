"""Figures of the TIL scores."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from seg_core.digits import in_unit
from seg_core.figures.style import lay_out
from seg_core.geometry import Raster
from seg_core.picture.encoding import jpeg_url
from seg_core.picture.til_painting import SQUARE_MAPS, SquareMap, colours_of_numbers
from seg_core.til import TilResult

_MAP_PX, _PLOT_PX = 400, 225
_SQUARES_OPACITY = 0.6
_UM_PER_MM = 1000.0

_BAR, _LINE, _ENVELOPE = "#4c78a8", "#d1495b", "rgba(128, 128, 128, 0.3)"
_BINS = 30

# Some lymphocytes far off in an empty corner would squeeze the others.
_SHOWN_QUANTILE = 0.99


def til_map(
    result: TilResult, shown: SquareMap, grid: Raster, rgb: npt.NDArray[np.uint8]
) -> go.Figure:
    """Draw the squares over the slide; each square's middle is a point that can be clicked.

    The points of the second trace carry in ``customdata`` the middle of their square in level-0
    pixels and its side.

    Parameters
    ----------
    result : TilResult
    shown : SquareMap
    grid, rgb
        Of `seg_core.picture.til_painting.backdrop_of`.
    """
    mm_per_px = grid.slide_mpp / _UM_PER_MM
    squares = shown.values(result)
    side_px = squares["side_px"].iloc[0] if len(squares) else 1.0
    x = (squares["x_px"] + side_px / 2).to_numpy(float)
    y = (squares["y_px"] + side_px / 2).to_numpy(float)
    figure = go.Figure()
    if len(squares):
        figure.add_trace(_tiles(shown, squares, side_px, mm_per_px))
    figure.add_scatter(
        x=x * mm_per_px,
        y=y * mm_per_px,
        mode="markers",
        marker={"opacity": 0, "size": 14, "symbol": "square"},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        # A list: an array reaches the browser packed, and comes back as its places, 0, 1 and 2.
        customdata=np.stack([x, y, np.full_like(x, side_px)], axis=1).tolist(),
        text=_words(shown, squares),
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    for word, colour in (shown.colours or {}).items():
        legend = {"color": colour, "size": 12, "symbol": "square"}
        figure.add_scatter(x=[None], y=[None], mode="markers", name=word, marker=legend)
    region = grid.region
    left, top = region.x * mm_per_px, region.y * mm_per_px
    width, height = region.width * mm_per_px, region.height * mm_per_px
    figure.add_layout_image(
        source=jpeg_url(rgb),
        x=left,
        y=top,
        sizex=width,
        sizey=height,
        xref="x",
        yref="y",
        sizing="stretch",
        layer="below",
    )
    lay_out(
        figure,
        height=_MAP_PX,
        showlegend=shown.colours is not None,
        hovermode="closest",
        hoverdistance=-1,
        clickmode="event+select",
        dragmode="pan",
        plot_bgcolor="rgba(0, 0, 0, 0)",
    )
    axis = {"showgrid": False, "zeroline": False, "constrain": "domain"}
    figure.update_xaxes(range=[left, left + width], title="x, mm", **axis)
    figure.update_yaxes(range=[top + height, top], scaleanchor="x", title="y, mm", **axis)
    return figure


def _tiles(shown: SquareMap, squares: pd.DataFrame, side_px: float, mm_per_px: float) -> go.Heatmap:
    columns = _places(squares["x_px"], side_px)
    rows = _places(squares["y_px"], side_px)
    values = squares["value"]
    if shown.colours is not None:
        numbers = values.map({word: number for number, word in enumerate(shown.colours)})
        steps = np.linspace(0, 1, len(shown.colours) + 1)
        scale = [
            (float(step), colour)
            for number, colour in enumerate(shown.colours.values())
            for step in steps[number : number + 2]
        ]
        limits = (-0.5, len(shown.colours) - 0.5)
    else:
        numbers, limits = values, (0.0, shown.limit(squares))
        shades = colours_of_numbers(9)
        scale = [(number / 8, colour) for number, colour in enumerate(shades)]
    z = np.full((int(rows.max()) + 1, int(columns.max()) + 1), np.nan)
    z[rows, columns] = numbers.to_numpy(float)
    side_mm = side_px * mm_per_px
    return go.Heatmap(
        z=z,
        x0=squares["x_px"].min() * mm_per_px + side_mm / 2,
        y0=squares["y_px"].min() * mm_per_px + side_mm / 2,
        dx=side_mm,
        dy=side_mm,
        zmin=limits[0],
        zmax=limits[1],
        colorscale=scale,
        showscale=shown.colours is None,
        colorbar={"title": {"text": shown.unit, "side": "right"}, "thickness": 12},
        opacity=_SQUARES_OPACITY,
        hoverinfo="skip",
        xgap=1,
        ygap=1,
    )


def _places(corners_px: pd.Series, side_px: float) -> npt.NDArray[np.int64]:
    offsets = (corners_px - corners_px.min()).to_numpy(float)
    return np.round(offsets / side_px).astype(np.int64)


def _words(shown: SquareMap, squares: pd.DataFrame) -> list[str]:
    words = [
        value if isinstance(value, str) else f"{in_unit(value, shown.unit)} {shown.unit}"
        for value in squares["value"]
    ]
    counts = zip(words, squares["lymphocyte"], squares["epithelial"], strict=True)
    return [
        f"{word}<br>{lymphocytes:,.0f} lymphocytes, {epithelial:,.0f} epithelial"
        for word, lymphocytes, epithelial in counts
    ]


def square_distribution(result: TilResult) -> go.Figure:
    """Draw how many of the squares of the map have which area score, with the score of the whole."""
    values = SQUARE_MAPS["stil"].values(result)["value"].to_numpy(float)
    highest = max(values.max(initial=0), result.stil_area_pct.value or 0, 1.0)
    figure = go.Figure(
        go.Histogram(
            x=values,
            xbins={"start": 0.0, "size": _bin_width(highest)},
            marker_color=_BAR,
            hovertemplate="%{y} squares of %{x} %<extra></extra>",
        )
    )
    if result.stil_area_pct.value is not None:
        figure.add_vline(x=result.stil_area_pct.value, line_color=_LINE, line_dash="dash")
    return _laid_out(figure, "sTIL area of a square, % of stroma", "Squares")


def _bin_width(highest: float) -> float:
    """Return a width of 1, 2 or 5 times a power of ten with which 30 bins reach a number.

    Examples
    --------
    >>> _bin_width(1.0), _bin_width(43.0), _bin_width(60.0)
    (0.05, 2.0, 2.0)
    """
    smallest = highest / _BINS
    power = 10.0 ** np.floor(np.log10(smallest))
    widths = (float(round(factor * power, 12)) for factor in (1, 2, 5, 10))
    return next(width for width in widths if width >= smallest)


def dilation_curve(result: TilResult) -> go.Figure:
    """Draw the area score against the dilation that makes the epithelium."""
    found = sorted(result.sensitivity, key=lambda each: each.dilation_um)
    figure = go.Figure(
        go.Scatter(
            x=[each.dilation_um for each in found],
            y=[each.stil_area_pct for each in found],
            customdata=[[each.epithelium_mm2, each.stroma_mm2] for each in found],
            mode="lines+markers",
            line_color=_BAR,
            hovertemplate="%{y:.2f} % at %{x:.4~r} µm<br>E %{customdata[0]:.3~r} mm², "
            "S %{customdata[1]:.3~r} mm²<extra></extra>",
        )
    )
    figure.add_vline(x=result.settings.dilation_um, line_color=_LINE, line_dash="dash")
    figure.update_yaxes(rangemode="tozero")
    return _laid_out(figure, "Dilation of epithelial nuclei, µm", "sTIL area, %")


def cross_l_curve(result: TilResult) -> go.Figure:
    """Draw L(r) − r, lymphocytes to epithelium, with the envelope of random labelling."""
    cross = result.cross
    radius = np.array(cross.radius_um)
    low, own, high = (
        np.array(each, dtype=float) - radius
        for each in (cross.l_low_um, cross.l_um, cross.l_high_um)
    )
    figure = go.Figure(
        [
            go.Scatter(x=radius, y=low, line_width=0, showlegend=False, hoverinfo="skip"),
            go.Scatter(
                x=radius,
                y=high,
                line_width=0,
                fill="tonexty",
                fillcolor=_ENVELOPE,
                name=f"{result.settings.labellings} random labellings",
                hoverinfo="skip",
            ),
            go.Scatter(
                x=radius,
                y=own,
                line_color=_LINE,
                name="observed",
                hovertemplate="r %{x:.4~r} µm: L − r %{y:.1f} µm<extra></extra>",
            ),
        ]
    )
    return _laid_out(figure, "r, µm", "L(r) − r, µm", showlegend=True)


def distance_histogram(result: TilResult) -> go.Figure:
    """Draw how far lymphocytes are from the nearest epithelial nucleus."""
    distances = result.distances_um["distance_um"].to_numpy(float)
    end = float(np.quantile(distances, _SHOWN_QUANTILE)) if len(distances) else 1.0
    figure = go.Figure(
        go.Histogram(
            x=distances,
            xbins={"start": 0.0, "size": max(end, 1.0) / _BINS},
            marker_color=_BAR,
            hovertemplate="%{y} lymphocytes at %{x} µm<extra></extra>",
        )
    )
    if result.distances.median_um is not None:
        figure.add_vline(x=result.distances.median_um, line_color=_LINE, line_dash="dash")
    figure.update_xaxes(range=[0.0, max(end, 1.0)])
    return _laid_out(figure, "To nearest epithelial nucleus, µm", "Lymphocytes")


def _laid_out(figure: go.Figure, x: str, y: str, *, showlegend: bool = False) -> go.Figure:
    lay_out(figure, height=_PLOT_PX, showlegend=showlegend, bargap=0.04)
    # the last number of the x axis reaches beyond its end
    figure.update_layout(margin_r=8)
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y)
    return figure
