"""Figures on paper: the numbers are those of the figure that the pages show."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from PIL import Image

from seg_core.classes import MONUSAC, rgb_of
from seg_core.figures import paper
from seg_core.figures.nuclei import density_bars, measure_histogram
from seg_core.figures.paper import draw_on_paper
from seg_core.nuclei import MEASURES

NAMES = ["epithelial", "lymphocyte"]
CLASSES = pd.DataFrame(
    {
        "class_name": NAMES,
        "count": [3, 1],
        "share": [0.75, 0.25],
        "density_per_mm2": [300.0, 100.0],
        "density_low": [200.0, 50.0],
        "density_high": [400.0, 190.0],
    }
)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch):
    """Draw a figure and return the axes that it was drawn on."""
    seen: list[Axes] = []
    dress = paper._dress

    def remember(axes: Axes, figure: go.Figure) -> None:
        dress(axes, figure)
        seen.append(axes)

    monkeypatch.setattr(paper, "_dress", remember)

    def draw(figure: go.Figure) -> Axes:
        draw_on_paper(figure, 3.0, 2.0)
        return seen[-1]

    return draw


def shown_colours(picture: Image.Image) -> set[tuple[int, ...]]:
    return set(map(tuple, np.asarray(picture).reshape(-1, 3).tolist()))


def test_bars_have_lengths_intervals_and_colours_of_the_classes(drawn) -> None:
    figure = density_bars(CLASSES, MONUSAC)
    axes = drawn(figure)
    (bars,) = (each for each in axes.containers if isinstance(each, BarContainer))
    assert [bar.get_width() for bar in bars] == [300, 100]
    (lines,) = bars.errorbar[2]
    ends = [segment[:, 0].tolist() for segment in lines.get_segments()]
    np.testing.assert_allclose(ends, [[200, 400], [50, 190]])
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES
    assert axes.yaxis_inverted()
    assert axes.get_xlabel() == "Nuclei per mm² of tissue"
    colours = shown_colours(draw_on_paper(figure, 3.0, 2.0))
    assert {rgb_of(MONUSAC.colours[name]) for name in NAMES} <= colours


def test_without_intervals_densities_stand_at_the_bars(drawn) -> None:
    axes = drawn(density_bars(CLASSES.assign(density_low=np.nan, density_high=np.nan), MONUSAC))
    assert [text.get_text() for text in axes.texts] == ["300", "100"]


def test_a_histogram_stacks_the_classes_and_names_them(drawn) -> None:
    counted = pd.DataFrame(
        {"low": [0.0, 20.0], "high": [20.0, 40.0], "epithelial": [2, 5], "lymphocyte": [3, 1]}
    )
    axes = drawn(measure_histogram(counted, MONUSAC, MEASURES["area_um2"]))
    low, high = axes.containers
    assert [bar.get_height() for bar in low] == [2, 5]
    assert [(bar.get_y(), bar.get_height()) for bar in high] == [(2, 3), (5, 1)]
    assert [bar.get_x() for bar in low] == [0, 20]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == NAMES
    assert axes.get_xlim() == (0, 40)


def test_what_is_stacked_can_be_told_apart_on_a_grey_print(drawn) -> None:
    counted = pd.DataFrame(
        {"low": [0.0, 10.0], "high": [10.0, 20.0]} | {name: [3, 1] for name in MONUSAC.names}
    )
    axes = drawn(measure_histogram(counted, MONUSAC, MEASURES["area_um2"]))
    hatches = [bars[0].get_hatch() for bars in axes.containers if isinstance(bars, BarContainer)]
    assert len(set(hatches)) == len(hatches) == len(MONUSAC.names)


def test_values_fall_into_the_bins_that_the_figure_names(drawn) -> None:
    values = [0.0, 1.9, 2.0, 5.0]
    figure = go.Figure(go.Histogram(x=values, xbins={"start": 0.0, "size": 2.0}))
    figure.add_vline(x=3.0, line_dash="dash", line_color="#d1495b")
    axes = drawn(figure)
    assert [bar.get_height() for bar in axes.containers[0]] == [2, 1, 1]
    assert axes.lines[0].get_xdata()[0] == 3.0
    assert axes.lines[0].get_linestyle() == "--"


def test_a_line_and_the_band_below_another_are_drawn(drawn) -> None:
    x = [0.0, 1.0, 2.0]
    figure = go.Figure(
        [
            go.Scatter(x=x, y=[0.0, 0.0, 0.0], line_width=0, showlegend=False),
            go.Scatter(
                x=x, y=[1.0, 2.0, 1.0], line_width=0, fill="tonexty", name="envelope",
                fillcolor="rgba(128, 128, 128, 0.3)",
            ),
            go.Scatter(x=x, y=[5.0, 6.0, 7.0], line_color="#d1495b", name="observed"),
        ]
    )  # fmt: skip
    axes = drawn(figure)
    (line,) = axes.lines
    assert line.get_ydata().tolist() == [5, 6, 7]
    (band,) = axes.collections
    extents = band.get_paths()[0].get_extents()
    assert (extents.ymin, extents.ymax, band.get_alpha()) == (0, 2, 0.3)
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert sorted(names) == ["envelope", "observed"]


def test_a_figure_of_nothing_is_drawn(drawn) -> None:
    nothing = pd.DataFrame({"low": [0.0], "high": [1.0], "epithelial": [0]})
    drawn(measure_histogram(nothing, MONUSAC, MEASURES["area_um2"]))
    drawn(go.Figure(go.Histogram(x=[], xbins={"start": 0.0, "size": 2.0})))


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(TypeError, match="Pie is not drawn on paper"):
        draw_on_paper(go.Figure(go.Pie(values=[1, 2])), 2.0, 1.0)


def test_a_box_has_its_points_beside_it(drawn) -> None:
    values = [1.0, 2.0, 4.0, 8.0]
    axes = drawn(go.Figure([go.Box(y=values, name="A"), go.Box(y=[3.0], name="B")]))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["A", "B"]
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert [list(line.get_ydata()) for line in points] == [values, [3.0]]
    assert max(points[0].get_xdata()) < -0.15  # the box begins there
    medians = [line.get_ydata()[0] for line in axes.lines if line.get_linewidth() == 1.8]
    assert medians == [3.0, 3.0]
