"""Figures of nuclei by class: counts, densities, and their measures."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from seg_core.classes import ClassScheme
from seg_core.digits import in_digits
from seg_core.figures.style import lay_out
from seg_core.nuclei import Measure

_INTERVAL = "#808080"  # seen on a bar, on white and on a dark page
_BAR_PX = 34
_BAR_MARGIN_PX = 60
_DISTRIBUTION_PX = 320
_PARTS_PX = 340
_SCATTER_PX = 400
_MAP_PX = 420

# The largest nuclei of all are often two that were taken for one; they would squeeze the others.
_SHOWN_SHARE = 0.995

_DENSITY_TITLE = "Nuclei per mm² of tissue"


def density_bars(classes: pd.DataFrame, scheme: ClassScheme) -> go.Figure:
    """Draw a bar for each class: nuclei per mm², with the interval where there is one.

    Parameters
    ----------
    classes : DataFrame
        `seg_core.scoring.Statistics.classes`.
    scheme : ClassScheme

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> classes = pd.DataFrame({"class_name": ["epithelial", "lymphocyte"], "count": [3, 1],
    ...                         "share": [0.75, 0.25], "density_per_mm2": [300.0, 100.0],
    ...                         "density_low": [200.0, 50.0], "density_high": [400.0, 190.0]})
    >>> figure = density_bars(classes, MONUSAC)
    >>> figure.data[0].x.tolist(), figure.data[0].error_x.array.tolist()
    ([300.0, 100.0], [100.0, 90.0])
    """
    interval = _interval(classes)
    bars = go.Bar(
        x=classes["density_per_mm2"].to_numpy(),
        y=classes["class_name"].to_numpy(),
        orientation="h",
        marker_color=[scheme.colours[name] for name in classes["class_name"]],
        error_x=interval,
        # above a bar's interval there is no room for words; the table has them
        text=_densities(classes) if interval is None else None,
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:,.1f} per mm²<extra></extra>",
    )
    figure = lay_out(go.Figure(bars), height=_BAR_MARGIN_PX + _BAR_PX * len(classes), bargap=0.35)
    figure.update_layout(margin_r=60 if interval is None else 20)
    figure.update_xaxes(title=_DENSITY_TITLE, rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    return figure


def densities_by_part(parts: Mapping[str, pd.DataFrame], scheme: ClassScheme) -> go.Figure:
    """Draw the densities of several parts of a slide side by side.

    Parameters
    ----------
    parts : mapping of str to DataFrame
        `seg_core.scoring.Statistics.classes` by name of the part.
    scheme : ClassScheme
    """
    figure = go.Figure()
    names: list[str] = next(iter(parts.values()))["class_name"].tolist() if parts else []
    for row, name in enumerate(names):
        own = pd.DataFrame([classes.iloc[row] for classes in parts.values()])
        figure.add_bar(
            x=list(parts),
            y=own["density_per_mm2"].to_numpy(),
            error_y=_interval(own),
            name=name,
            marker_color=scheme.colours[name],
            hovertemplate="%{x}: %{y:,.1f} per mm²",
        )
    lay_out(figure, height=_PARTS_PX, barmode="group", showlegend=True)
    figure.update_yaxes(title=_DENSITY_TITLE, rangemode="tozero")
    figure.update_xaxes(type="category")
    return figure


def measure_histogram(histogram: pd.DataFrame, scheme: ClassScheme, measure: Measure) -> go.Figure:
    """Draw how a measure is distributed, the bars of all classes on top of one another.

    Parameters
    ----------
    histogram : DataFrame
        Of `seg_core.store.NucleusQueries.histogram`; a class without nuclei is left out.
    scheme : ClassScheme
    measure : Measure

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> from seg_core.nuclei import MEASURES
    >>> counted = pd.DataFrame({"low": [0.0, 20.0], "high": [20.0, 40.0],
    ...                         "epithelial": [0, 0], "lymphocyte": [3, 1]})
    >>> figure = measure_histogram(counted, MONUSAC, MEASURES["area_um2"])
    >>> [(bars.name, bars.x.tolist()) for bars in figure.data]
    [('lymphocyte', [10.0, 30.0])]
    """
    names = [name for name in scheme.colours if name in histogram and histogram[name].any()]
    figure = go.Figure()
    for name in names:
        figure.add_bar(
            x=((histogram["low"] + histogram["high"]) / 2).to_numpy(),
            y=histogram[name].to_numpy(),
            width=(histogram["high"] - histogram["low"]).to_numpy(),
            name=name,
            marker_color=scheme.colours[name],
            hovertemplate=f"%{{y}} of about %{{x:.{measure.digits}f}} {measure.unit}",
        )
    lay_out(
        figure,
        height=_DISTRIBUTION_PX,
        barmode="stack",
        bargap=0,
        hovermode="x",
        showlegend=True,
    )
    figure.update_xaxes(
        title=measure.title,
        range=_shown_range(histogram, names),
        hoverformat=f".{measure.digits}f",
    )
    figure.update_yaxes(title="Nuclei")
    return figure


def measure_violins(sample: pd.DataFrame, scheme: ClassScheme, measure: Measure) -> go.Figure:
    """Draw a measure of some nuclei as a violin for each class, with median and quartiles.

    Parameters
    ----------
    sample : DataFrame
        ``class_name`` and the column of the measure.
    scheme : ClassScheme
    measure : Measure
    """
    figure = go.Figure()
    for name, values in _by_class(sample, scheme):
        figure.add_violin(
            y=values[measure.column].to_numpy(),
            name=name,
            line_color=scheme.colours[name],
            box_visible=True,
            points=False,
            spanmode="hard",
            hoveron="violins",
        )
    lay_out(figure, height=_DISTRIBUTION_PX)
    figure.update_yaxes(title=measure.title)
    return figure


def measure_scatter(
    sample: pd.DataFrame,
    scheme: ClassScheme,
    x: Measure,
    y: Measure,
    picked: Collection[int] = (),
) -> go.Figure:
    """Draw two measures of some nuclei against each other.

    Parameters
    ----------
    sample : DataFrame
        ``nucleus_id``, ``class_name`` and the columns of both measures.
    scheme : ClassScheme
    x, y : Measure
    picked : collection of int
        Ids of nuclei that are selected: the others fade.
    """
    figure = go.Figure()
    chosen = np.fromiter(picked, dtype=np.int64)
    for name, points in _by_class(sample, scheme):
        selected = np.flatnonzero(points["nucleus_id"].isin(chosen)) if len(chosen) else None
        figure.add_scattergl(
            x=points[x.column].to_numpy(),
            y=points[y.column].to_numpy(),
            customdata=points["nucleus_id"].to_numpy(),
            mode="markers",
            name=name,
            marker={"color": scheme.colours[name], "size": 5, "opacity": 0.65},
            selectedpoints=selected,
            unselected={"marker": {"opacity": 0.08}},
            hovertemplate=f"nucleus %{{customdata}}<br>{x.title}: %{{x:.{x.digits}f}}"
            f"<br>{y.title}: %{{y:.{y.digits}f}}",
        )
    lay_out(figure, height=_SCATTER_PX, dragmode="lasso", showlegend=True)
    figure.update_layout(legend_itemsizing="constant")
    figure.update_xaxes(title=x.title)
    figure.update_yaxes(title=y.title)
    return figure


def density_map(
    density_per_mm2: np.ndarray, corner_mm: tuple[float, float], side_mm: float
) -> go.Figure:
    """Draw the density of nuclei in squares of the slide, as it lies there.

    Parameters
    ----------
    density_per_mm2 : (R, C) float64
        NaN where there is too little tissue; such a square is left empty.
    corner_mm : (float, float)
        Upper left corner of the first square, mm from the corner of the slide.
    side_mm : float
    """
    rows, columns = density_per_mm2.shape
    heat = go.Heatmap(
        z=density_per_mm2,
        x=corner_mm[0] + (np.arange(columns) + 0.5) * side_mm,
        y=corner_mm[1] + (np.arange(rows) + 0.5) * side_mm,
        colorscale="Viridis",
        zmin=0,
        colorbar={"title": "per mm²"},
        hovertemplate="%{z:,.0f} per mm²<br>x %{x:.2f} mm, y %{y:.2f} mm<extra></extra>",
        hoverongaps=False,
    )
    figure = lay_out(go.Figure(heat), height=_MAP_PX)
    figure.update_xaxes(title="x, mm", showgrid=False, constrain="domain", zeroline=False)
    figure.update_yaxes(
        title="y, mm", showgrid=False, autorange="reversed", scaleanchor="x", zeroline=False
    )
    return figure


def _by_class(sample: pd.DataFrame, scheme: ClassScheme) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of each class that is there, in the scheme's order."""
    groups = dict(iter(sample.groupby("class_name")))
    return [(name, groups[name]) for name in scheme.colours if name in groups]


def _interval(classes: pd.DataFrame) -> dict[str, object] | None:
    """Return the error bars of densities; None where there are no intervals."""
    if classes["density_low"].isna().all():
        return None
    density = classes["density_per_mm2"]
    return {
        "type": "data",
        "symmetric": False,
        "array": (classes["density_high"] - density).to_numpy(),
        "arrayminus": (density - classes["density_low"]).to_numpy(),
        "thickness": 2,
        "color": _INTERVAL,
    }


def _shown_range(histogram: pd.DataFrame, names: list[str]) -> list[float] | None:
    """Return the axis that holds nearly all nuclei; None, the plotter's choice, without any."""
    if not names:
        return None
    counted = histogram[names].sum(axis=1).cumsum()
    first = int(np.searchsorted(counted, (1 - _SHOWN_SHARE) * counted.iloc[-1]))
    last = int(np.searchsorted(counted, _SHOWN_SHARE * counted.iloc[-1]))
    return [float(histogram["low"].iloc[first]), float(histogram["high"].iloc[last])]


def _densities(classes: pd.DataFrame) -> list[str]:
    """Label a bar by what its length is; counts and shares stand in the table."""
    return ["" if np.isnan(each) else in_digits(each) for each in classes["density_per_mm2"]]
