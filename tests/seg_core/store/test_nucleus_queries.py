"""Answers of the queries against the same questions asked of the whole table in pandas."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from nuclei_tables import queries_of, random_nuclei

from seg_core.classes import MONUSAC, OTHER, UNCERTAIN, ClassScheme, NucleusClass
from seg_core.errors import StoreError
from seg_core.nuclei import VOTED_CLASS, empty_table, label_uncertain
from seg_core.store import NucleusQueries, Selection
from seg_core.store.nuclei_file import write_nuclei

LEAST = 0.5
NAMES = MONUSAC.counted_names(other=False, uncertain=True)
EVERYTHING = Selection(MONUSAC.names_with_other)
TRIANGLE = shapely.Polygon([(100, 50), (900, 300), (200, 700)])


@pytest.fixture(scope="module")
def table() -> gpd.GeoDataFrame:
    return random_nuclei(3000)


@pytest.fixture(scope="module")
def queries(table: gpd.GeoDataFrame, tmp_path_factory: pytest.TempPathFactory) -> NucleusQueries:
    return queries_of(table, tmp_path_factory.mktemp("it's a run"))


@pytest.fixture
def chosen(table: gpd.GeoDataFrame) -> pd.DataFrame:
    """What `PICKY` means, in pandas."""
    labelled = label_uncertain(table, LEAST)
    chosen = labelled[
        labelled["class_name"].isin(["lymphocyte", UNCERTAIN])
        & labelled["class_score"].between(0.3, 0.9)
        & labelled["area_um2"].between(20, 60)
        & shapely.contains_xy(TRIANGLE, labelled["x"], labelled["y"])
    ]
    return pd.DataFrame(chosen.drop(columns="geometry"))


PICKY = Selection(
    ("lymphocyte", UNCERTAIN), LEAST, TRIANGLE, scores=(0.3, 0.9), areas_um2=(20.0, 60.0)
)


def test_every_condition_of_a_selection_counts(
    queries: NucleusQueries, chosen: pd.DataFrame
) -> None:
    counts = chosen["class_name"].value_counts()
    assert counts.min() > 10
    assert queries.counts(PICKY) == {name: counts[name] for name in PICKY.names}


def test_pages_are_the_sorted_table_cut_in_pieces(
    queries: NucleusQueries, chosen: pd.DataFrame
) -> None:
    pages = [
        queries.page(PICKY, sort_by="area_um2", descending=True, offset=offset, limit=50)
        for offset in range(0, len(chosen), 50)
    ]
    assert [len(page) for page in pages] == [50] * (len(chosen) // 50) + [len(chosen) % 50]
    expected = chosen.sort_values("area_um2", ascending=False, ignore_index=True)
    pd.testing.assert_frame_equal(pd.concat(pages, ignore_index=True), expected, check_dtype=False)


def test_the_voted_class_is_told_only_with_a_threshold(queries: NucleusQueries) -> None:
    assert VOTED_CLASS not in queries.page(EVERYTHING, limit=1)
    assert VOTED_CLASS in queries.page(Selection(NAMES, LEAST), limit=1)


def test_equal_values_are_sorted_by_id(queries: NucleusQueries) -> None:
    ids = queries.page(EVERYTHING, sort_by="class_name", limit=300)["nucleus_id"]
    assert ids.is_monotonic_increasing


def test_measures_are_described_as_pandas_does(
    queries: NucleusQueries, table: gpd.GeoDataFrame
) -> None:
    labelled = label_uncertain(table, LEAST)
    described = queries.describe(Selection(NAMES, LEAST), ["area_um2", "class_score"])
    assert len(described) == 2 * len(NAMES)
    for row in described.itertuples():
        values = labelled[labelled["class_name"] == row.class_name][row.measure].astype(float)
        expected = values.describe()
        found = [row.count, row.mean, row.sd, row.q1, row.median, row.q3]
        np.testing.assert_allclose(found, expected[["count", "mean", "std", "25%", "50%", "75%"]])


def test_a_class_without_nuclei_has_nothing_to_describe(queries: NucleusQueries) -> None:
    nowhere = Selection(("lymphocyte",), part=shapely.box(-9, -9, -8, -8))
    described = queries.describe(nowhere, ["area_um2"])
    assert described["count"].tolist() == [0]
    assert described[["mean", "sd", "q1", "median", "q3"]].isna().all(axis=None)
    assert queries.extent(nowhere, "area_um2") is None
    bins = queries.histogram(nowhere, "area_um2")
    assert (len(bins), list(bins.columns)) == (0, ["low", "high", "lymphocyte"])


@pytest.mark.parametrize("measure", ["area_um2", "class_score"])
def test_the_histogram_is_that_of_numpy(
    queries: NucleusQueries, table: gpd.GeoDataFrame, measure: str
) -> None:
    bins = queries.histogram(EVERYTHING, measure, bins=17)
    assert bins["low"].iloc[0] == 0
    assert bins["high"].iloc[-1] == pytest.approx(table[measure].max())
    for name in EVERYTHING.names:
        values = table[table["class_name"] == name][measure].astype(float)
        expected, _ = np.histogram(values, 17, range=(0, float(table[measure].max())))
        assert bins[name].sum() == len(values)
        # a value on the edge of two bins may fall on either side
        assert np.abs(bins[name] - expected).sum() <= 2


def test_a_measure_that_is_0_everywhere_is_one_bin(tmp_path: Path) -> None:
    flat = random_nuclei(5).assign(eccentricity=0.0)
    bins = queries_of(flat, tmp_path).histogram(EVERYTHING, "eccentricity", bins=4)
    assert bins.iloc[:, 2:].sum(axis=1).tolist() == [5, 0, 0, 0]


def test_a_sample_is_the_same_each_time_and_never_too_large(queries: NucleusQueries) -> None:
    columns = ["area_um2", "class_name"]
    first, again = (queries.sample(EVERYTHING, columns, most=200, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert len(first) == first["nucleus_id"].nunique() == 200
    assert list(first.columns) == ["nucleus_id", "class_name", "area_um2"]
    other_seed = queries.sample(EVERYTHING, columns, most=200, seed=4)
    assert set(other_seed["nucleus_id"]) != set(first["nucleus_id"])
    assert len(queries.sample(EVERYTHING, columns, most=3000, seed=3)) == 3000


def test_a_lasso_takes_all_nuclei_inside_not_only_those_drawn(
    queries: NucleusQueries, table: gpd.GeoDataFrame
) -> None:
    lasso = shapely.Polygon([(20, 0.3), (60, 0.4), (40, 0.9)])
    ids = queries.within(EVERYTHING, lasso, "area_um2", "eosin_od")
    inside = shapely.contains_xy(lasso, table["area_um2"], table["eosin_od"])
    assert list(ids) == table["nucleus_id"][inside].tolist()
    picked = Selection(MONUSAC.names_with_other, part=TRIANGLE, ids=ids)
    both = inside & shapely.contains_xy(TRIANGLE, table["x"], table["y"])
    assert sum(queries.counts(picked).values()) == both.sum()
    assert sum(queries.counts(Selection(MONUSAC.names_with_other, ids=())).values()) == 0


def test_squares_count_every_nucleus_where_it_lies(
    queries: NucleusQueries, table: gpd.GeoDataFrame
) -> None:
    found = queries.squares(EVERYTHING, (10.0, -20.0), 100.0)
    assert found["count"].sum() == len(table)
    one = found[(found["row"] == 3) & (found["column"] == -1)]["count"].sum()
    assert one == (table["x"].lt(10) & table["y"].between(280, 380)).sum()


def test_outlines_are_those_of_the_table(queries: NucleusQueries, table: gpd.GeoDataFrame) -> None:
    found = queries.outlines([3, 2999])
    assert found == {number: table.geometry[number - 1] for number in (3, 2999)}


def test_an_empty_table_answers_too(tmp_path: Path) -> None:
    queries = queries_of(empty_table(), tmp_path)
    assert queries.counts(EVERYTHING) == dict.fromkeys(MONUSAC.names_with_other, 0)
    assert len(queries.page(EVERYTHING, limit=9)) == 0
    assert len(queries.sample(EVERYTHING, ["x"], most=5, seed=1)) == 0
    assert queries.outlines([]) == {}
    assert OTHER in queries.describe(EVERYTHING, ["x"])["class_name"].tolist()


def test_a_column_that_is_none_is_refused(queries: NucleusQueries) -> None:
    with pytest.raises(ValueError, match="is no column of the table of nuclei"):
        queries.page(EVERYTHING, sort_by="x; drop table nuclei", limit=1)


@pytest.mark.parametrize("name", ["plasma cell", "T-cell (CD3+)", "a'b", 'a"b', "select"])
def test_classes_of_any_name_have_shares_that_are_asked_for(
    table: gpd.GeoDataFrame, tmp_path: Path, name: str
) -> None:
    """A blank in the name of a class was taken for damage of the file."""
    scheme = ClassScheme((NucleusClass(1, name, "#0072ff"),))
    share = f"share_{name}"
    renamed = table[:50].rename(columns={"share_epithelial": share}).assign(class_name=name)
    own = renamed.drop(columns=[f"share_{each}" for each in MONUSAC.names[1:]])
    write_nuclei([own], tmp_path / "nuclei.parquet", scheme)
    queries = NucleusQueries(tmp_path / "nuclei.parquet", scheme)
    everything = Selection((name,))
    found = queries.page(everything, sort_by=share, limit=50)
    assert found[share].tolist() == sorted(own[share])
    assert queries.extent(everything, share) == (own[share].min(), own[share].max())
    assert queries.histogram(everything, share)[name].sum() == 50
    (mean,) = queries.describe(everything, [share])["mean"]
    assert mean == pytest.approx(own[share].mean())


@pytest.mark.parametrize(("name", "beside"), [("run?", "runs"), ("run[s]", "runs"), ("r*", "runs")])
def test_a_folder_whose_name_reads_as_a_pattern_is_that_folder(
    table: gpd.GeoDataFrame, tmp_path: Path, name: str, beside: str
) -> None:
    """DuckDB read what lay in other folders of such names too, or instead."""
    for folder in (name, beside):
        (tmp_path / folder).mkdir()
    queries = queries_of(table[:100], tmp_path / name)
    queries_of(table, tmp_path / beside)
    assert sum(queries.counts(EVERYTHING).values()) == 100


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "nuclei.parquet").write_bytes(b"no parquet at all")
    with pytest.raises(StoreError, match="is missing or damaged; start the same analysis again"):
        NucleusQueries(tmp_path / "nuclei.parquet", MONUSAC).counts(EVERYTHING)
    with pytest.raises(StoreError, match="is missing or damaged; start the same analysis again"):
        NucleusQueries(tmp_path / "none.parquet", MONUSAC).outlines([1])
