import numpy as np
import pandas as pd

from seg_core.classes import MONUSAC
from seg_core.export.figures.nuclei import area_histogram, density_bars
from seg_core.nuclei import histogram

SUMMARY = pd.DataFrame(
    {
        "class_name": ["epithelial", "lymphocyte", "other"],
        "count": [30, 1200, 70],
        "share": [0.023, 0.923, 0.054],
        "density_per_mm2": [30.0, 1200.0, 70.0],
    }
)


def test_bars_have_the_colours_of_the_scheme() -> None:
    (bars,) = density_bars(SUMMARY, MONUSAC).data
    assert list(bars.marker.color) == [MONUSAC.colours[name] for name in SUMMARY["class_name"]]


def test_bars_tell_count_and_share() -> None:
    (bars,) = density_bars(SUMMARY, MONUSAC).data
    assert bars.text[1] == "1,200 (92.3%)"


def test_the_histogram_shows_each_nucleus_once() -> None:
    rng = np.random.default_rng(0)
    names = rng.choice(MONUSAC.names_with_other, 1000)
    table = pd.DataFrame({"class_name": names, "area_um2": rng.uniform(10, 60, 1000)})
    figure = area_histogram(histogram(table, MONUSAC, other=True), MONUSAC)
    shown = {bars.name: int(bars.y.sum()) for bars in figure.data}
    assert shown == {name: int((names == name).sum()) for name in MONUSAC.names_with_other}
    assert [bars.marker.color for bars in figure.data] == list(MONUSAC.colours.values())


def test_a_single_huge_nucleus_does_not_squeeze_the_others() -> None:
    areas = np.append(np.linspace(10, 60, 999), 5000.0)
    table = pd.DataFrame({"class_name": "macrophage", "area_um2": areas})
    figure = area_histogram(histogram(table, MONUSAC, bins=200), MONUSAC)
    assert figure.layout.xaxis.range[1] < 100
    assert figure.data[0].y.sum() == 1000


def test_the_histogram_names_only_classes_that_are_there() -> None:
    table = pd.DataFrame({"class_name": ["macrophage"], "area_um2": [80.0]})
    (bars,) = area_histogram(histogram(table, MONUSAC), MONUSAC).data
    assert bars.name == "macrophage"


def test_no_nuclei_give_an_empty_histogram() -> None:
    table = pd.DataFrame({"class_name": [], "area_um2": []})
    assert not area_histogram(histogram(table, MONUSAC), MONUSAC).data
