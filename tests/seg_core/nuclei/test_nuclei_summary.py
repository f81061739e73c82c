import numpy as np
import pandas as pd
import pytest

from seg_core.classes import MONUSAC
from seg_core.nuclei import empty_table, histogram, summarise


@pytest.fixture
def table() -> pd.DataFrame:
    names = ["lymphocyte"] * 3 + ["epithelial"] * 1 + ["other"] * 4
    return pd.DataFrame({"class_name": names, "area_um2": [20.0, 22, 30, 60, 1, 2, 3, 4]})


def test_classes_are_counted_without_other(table: pd.DataFrame):
    summary = summarise(table, 2e6, MONUSAC)
    assert summary["class_name"].tolist() == list(MONUSAC.names)
    assert summary["count"].tolist() == [1, 3, 0, 0]
    assert summary["share"].tolist() == [0.25, 0.75, 0, 0]
    assert summary["density_per_mm2"].tolist() == [0.5, 1.5, 0, 0]


def test_other_is_a_last_row_and_part_of_the_whole_on_demand(table: pd.DataFrame):
    summary = summarise(table, 2e6, MONUSAC, other=True)
    assert summary["class_name"].tolist() == list(MONUSAC.names_with_other)
    assert summary["share"].tolist() == [0.125, 0.375, 0, 0, 0.5]


def test_areas_are_described_by_class(table: pd.DataFrame):
    row = summarise(table, None, MONUSAC).set_index("class_name").loc["lymphocyte"]
    assert row["mean_area_um2"] == 24
    assert row["median_area_um2"] == 22
    assert row["sd_area_um2"] == pytest.approx(np.std([20, 22, 30], ddof=1))


@pytest.mark.parametrize("area_um2", [None, 0.0])
def test_without_an_area_there_is_no_density(table: pd.DataFrame, area_um2: float | None):
    assert summarise(table, area_um2, MONUSAC)["density_per_mm2"].isna().all()


def test_no_nuclei_are_an_ordinary_summary():
    summary = summarise(empty_table(), 1e6, MONUSAC)
    assert summary["count"].tolist() == [0, 0, 0, 0]
    assert summary["density_per_mm2"].tolist() == [0, 0, 0, 0]
    assert summary[["share", "mean_area_um2", "median_area_um2"]].isna().all(axis=None)


def test_every_counted_nucleus_is_in_one_bin(table: pd.DataFrame):
    bins = histogram(table, MONUSAC, bins=7)
    assert list(bins.columns) == ["low", "high", *MONUSAC.names]
    assert len(bins) == 7
    assert (bins["low"].iloc[0], bins["high"].iloc[-1]) == (0, 60)
    assert bins[list(MONUSAC.names)].sum().tolist() == [1, 3, 0, 0]
    np.testing.assert_array_equal(bins["low"][1:], bins["high"][:-1])


def test_the_histogram_counts_other_on_demand_and_any_measure(table: pd.DataFrame):
    bins = histogram(
        table.rename(columns={"area_um2": "eosin_od"}) * 1,
        MONUSAC,
        column="eosin_od",
        bins=3,
        other=True,
    )
    assert bins["other"].tolist() == [4, 0, 0]


def test_measures_below_zero_have_bins_too():
    table = pd.DataFrame({"class_name": ["lymphocyte"] * 2, "eosin_od": [-0.5, -0.1]})
    bins = histogram(table, MONUSAC, column="eosin_od", bins=2)
    assert bins["low"].tolist() == pytest.approx([-0.5, -0.3])
    assert bins["lymphocyte"].tolist() == [1, 1]


def test_no_nuclei_have_no_bins():
    bins = histogram(empty_table(), MONUSAC)
    assert len(bins) == 0
    assert list(bins.columns) == ["low", "high", *MONUSAC.names]
