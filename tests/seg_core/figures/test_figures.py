import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seg_core.classes import MONUSAC, UNCERTAIN
from seg_core.figures import style
from seg_core.figures.groups import scatter, strips
from seg_core.figures.nuclei import (
    densities_by_part,
    density_bars,
    density_map,
    measure_histogram,
    measure_scatter,
    measure_violins,
)
from seg_core.figures.training import training_curves
from seg_core.nuclei import MEASURES

AREA, SCORE = MEASURES["area_um2"], MEASURES["class_score"]

CLASSES = pd.DataFrame(
    {
        "class_name": ["epithelial", "lymphocyte", "other"],
        "count": [30, 1200, 70],
        "share": [0.023, 0.923, 0.054],
        "density_per_mm2": [30.0, 1200.0, 70.0],
        "density_low": [20.0, 1100.0, 40.0],
        "density_high": [45.0, 1350.0, 100.0],
    }
)
WITHOUT_INTERVAL = CLASSES.assign(density_low=np.nan, density_high=np.nan)


def binned(names: list[str], areas: np.ndarray, bins: int) -> pd.DataFrame:
    edges = np.linspace(0, areas.max(), bins + 1)
    counts = {
        name: np.histogram(areas[np.array(names) == name], edges)[0] for name in MONUSAC.colours
    }
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], **counts})


def test_a_thousand_is_written_on_axes_as_in_tables() -> None:
    (heat,) = density_map(np.array([[9000.0]]), (0.0, 0.0), 0.1).data
    curves = training_curves({"one": pd.DataFrame({"step": [0, 9000], "loss": [2.0, 1.0]})})
    bars = density_bars(CLASSES, MONUSAC)
    for numbers in (bars.layout.xaxis, heat.colorbar, curves.layout.xaxis):
        assert (numbers.separatethousands, numbers.exponentformat) == (True, "none")


def test_curves_of_a_training_say_what_they_are_drawn_against() -> None:
    curves = training_curves({"one": pd.DataFrame({"step": [0, 1], "loss": [2.0, 1.0]})})
    assert curves.layout.xaxis.title.text == "Step"


def test_all_that_is_drawn_is_laid_out_alike() -> None:
    """Curves of a training had margins and a legend of their own."""
    curves = training_curves({"one": pd.DataFrame({"step": [0, 1], "loss": [2.0, 1.0]})})
    others = densities_by_part({"a": CLASSES, "b": CLASSES}, MONUSAC)
    assert curves.layout.legend == others.layout.legend
    assert (curves.layout.margin.l, curves.layout.margin.b) == (0, 0)


def test_bars_have_the_colours_of_the_scheme() -> None:
    (bars,) = density_bars(CLASSES, MONUSAC).data
    assert list(bars.marker.color) == [MONUSAC.colours[name] for name in CLASSES["class_name"]]


def test_bars_are_labelled_by_their_density() -> None:
    (bars,) = density_bars(WITHOUT_INTERVAL, MONUSAC).data
    assert bars.text[1] == f"{WITHOUT_INTERVAL['density_per_mm2'].iloc[1]:,.0f}"


def test_bars_reach_over_their_interval_where_there_is_one() -> None:
    (bars,) = density_bars(CLASSES, MONUSAC).data
    np.testing.assert_array_equal(bars.error_x.array, [15, 150, 30])
    np.testing.assert_array_equal(bars.error_x.arrayminus, [10, 100, 30])
    (bare,) = density_bars(WITHOUT_INTERVAL, MONUSAC).data
    assert bare.error_x.array is None


def test_parts_stand_side_by_side_in_each_class() -> None:
    figure = densities_by_part({"Nest": CLASSES, "Rim": WITHOUT_INTERVAL}, MONUSAC)
    assert [bars.name for bars in figure.data] == CLASSES["class_name"].tolist()
    assert list(figure.data[1].x) == ["Nest", "Rim"]
    assert figure.data[1].y.tolist() == [1200, 1200]
    assert figure.data[1].error_y.array[0] == 150
    assert np.isnan(figure.data[1].error_y.array[1])


def test_the_histogram_shows_each_nucleus_once() -> None:
    rng = np.random.default_rng(0)
    names = rng.choice(list(MONUSAC.colours), 1000)
    counted = binned(names.tolist(), rng.uniform(10, 60, 1000), 40)
    figure = measure_histogram(counted, MONUSAC, AREA)
    shown = {bars.name: int(bars.y.sum()) for bars in figure.data}
    assert shown == {name: int((names == name).sum()) for name in MONUSAC.colours}
    assert [bars.marker.color for bars in figure.data] == list(MONUSAC.colours.values())
    assert figure.layout.xaxis.title.text == "Area, µm²"


def test_a_single_huge_nucleus_does_not_squeeze_the_others() -> None:
    areas = np.append(np.linspace(10, 60, 999), 5000.0)
    counted = binned(["macrophage"] * 1000, areas, 200)
    figure = measure_histogram(counted, MONUSAC, AREA)
    assert figure.layout.xaxis.range[1] < 100
    assert figure.data[0].y.sum() == 1000


def test_the_histogram_names_only_classes_that_are_there() -> None:
    (bars,) = measure_histogram(binned(["macrophage"], np.array([80.0]), 4), MONUSAC, AREA).data
    assert bars.name == "macrophage"


def test_no_nuclei_give_empty_figures() -> None:
    nothing = pd.DataFrame({"nucleus_id": [], "class_name": [], "area_um2": [], "class_score": []})
    bins = pd.DataFrame({"low": [], "high": [], "epithelial": []})
    assert not measure_histogram(bins, MONUSAC, AREA).data
    assert not measure_violins(nothing, MONUSAC, AREA).data
    assert not measure_scatter(nothing, MONUSAC, AREA, SCORE).data
    assert not densities_by_part({}, MONUSAC).data


@pytest.fixture
def sample() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "nucleus_id": [7, 8, 9],
            "class_name": ["lymphocyte", UNCERTAIN, "lymphocyte"],
            "area_um2": [20.0, 30.0, 25.0],
            "class_score": [0.9, 0.3, 0.8],
        }
    )


def test_violins_are_one_a_class_in_the_order_of_the_scheme(sample: pd.DataFrame) -> None:
    figure = measure_violins(sample, MONUSAC, AREA)
    assert [violin.name for violin in figure.data] == ["lymphocyte", UNCERTAIN]
    assert figure.data[0].y.tolist() == [20, 25]


def test_points_know_their_nucleus_and_those_picked_stand_out(sample: pd.DataFrame) -> None:
    figure = measure_scatter(sample, MONUSAC, AREA, SCORE, picked=(9,))
    lymphocytes, uncertain = figure.data
    assert lymphocytes.customdata.tolist() == [7, 9]
    assert list(lymphocytes.selectedpoints) == [1]
    assert list(uncertain.selectedpoints) == []
    assert measure_scatter(sample, MONUSAC, AREA, SCORE).data[0].selectedpoints is None


def test_the_map_lies_as_the_slide_does() -> None:
    density = np.array([[np.nan, 5.0], [1.0, 2.0]])
    figure = density_map(density, (1.0, 2.0), 0.25)
    assert figure.data[0].x.tolist() == [1.125, 1.375]
    assert figure.data[0].y.tolist() == [2.125, 2.375]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.scaleanchor == "x"


def test_patients_and_slides_say_their_value_in_digits_however_large_it_is() -> None:
    """A nucleus count of 12,346 was 1.235e+4."""
    patients = pd.DataFrame(
        {"patient": ["P1", "P2"], "group": ["a", "b"], "value": [12345.6, 0.25]}
    )
    boxes = strips(patients, "nuclei", "group").data
    assert [box.customdata.tolist() for box in boxes] == [["12,346"], ["0.25"]]
    points = scatter(["one", "two"], np.array([1.0, 2.0]), np.array([12345.6, 0.25]), ("x", "y"))
    assert list(points.data[0].customdata) == ["12,346", "0.25"]


def test_hovering_tells_no_digits_that_nobody_has_measured() -> None:
    """d3's *g* keeps zeros, r 100.000 µm, and writes powers of ten; *r* does neither, by ~."""
    for path in (Path(style.__file__).parent).glob("*.py"):
        written = re.findall(r"%\{[^}]*:([^}]+)\}", path.read_text("utf-8"))
        assert not [each for each in written if each.endswith(("g", "e"))], path.name
