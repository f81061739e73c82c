import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from seg_core.classes import MONUSAC
from seg_core.errors import StoreError
from seg_core.nuclei.nucleus_table import FEATURES, empty_table
from seg_core.store import write_nuclei
from seg_core.store.nuclei_file import iterate_nuclei, read_features, read_nuclei


def some_nuclei(first: int, count: int) -> gpd.GeoDataFrame:
    """Rows with a value of the right dtype in each column."""
    empty = empty_table()
    ids = np.arange(first, first + count)
    columns = {
        name: pd.Series(ids if dtype != object else ["lymphocyte"] * count, dtype=dtype)
        for name, dtype in empty.drop(columns="geometry").dtypes.items()
    }
    outlines = shapely.box(ids, 0, ids + 1.5, 2)
    return gpd.GeoDataFrame(columns, geometry=outlines)[empty.columns]


def test_parts_are_read_back_as_one_table_by_geopandas(tmp_path: Path) -> None:
    path = tmp_path / "nuclei.parquet"
    parts = [some_nuclei(0, 3), some_nuclei(3, 4)]
    write_nuclei(iter(parts), path, MONUSAC)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    table = gpd.read_parquet(path)
    expected = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(pd.DataFrame(table), pd.DataFrame(expected))
    assert table.crs is None
    assert table.geometry.geom_equals(expected.geometry).all()
    geo = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert geo["primary_column"] == "geometry"
    assert geo["columns"]["geometry"]["encoding"] == "WKB"


def test_features_are_a_column_of_fixed_length_that_only_its_own_reader_reads(
    tmp_path: Path,
) -> None:
    path = tmp_path / "nuclei.parquet"
    features = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float16)
    parts = [some_nuclei(0, 5), some_nuclei(5, 2)]
    described = [
        part.assign(**{FEATURES: list(features[first : first + len(part)])})
        for first, part in zip((0, 5), parts, strict=True)
    ]
    write_nuclei([described[0], empty_table(), described[1]], path, MONUSAC, feature_count=4)
    assert str(pq.read_schema(path).field(FEATURES).type).startswith("fixed_size_list")
    np.testing.assert_array_equal(read_features(path), features)
    expected = pd.DataFrame(pd.concat(parts, ignore_index=True))
    pd.testing.assert_frame_equal(pd.DataFrame(read_nuclei(path)), expected)
    assert FEATURES not in next(iterate_nuclei(path)).columns


def test_a_file_without_features_has_none(tmp_path: Path) -> None:
    write_nuclei([some_nuclei(0, 5)], tmp_path / "nuclei.parquet", MONUSAC)
    assert read_features(tmp_path / "nuclei.parquet") is None


def test_reading_in_parts_gives_the_same_rows(tmp_path: Path) -> None:
    path = tmp_path / "nuclei.parquet"
    write_nuclei([some_nuclei(0, 5), some_nuclei(5, 2)], path, MONUSAC)
    parts = list(iterate_nuclei(path, rows=3))
    assert max(len(part) for part in parts) <= 3
    joined = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(pd.DataFrame(joined), pd.DataFrame(read_nuclei(path)))


@pytest.mark.parametrize("parts", [[], [empty_table()]])
def test_no_nuclei_are_a_table_with_all_columns(
    tmp_path: Path, parts: list[gpd.GeoDataFrame]
) -> None:
    write_nuclei(parts, tmp_path / "nuclei.parquet", MONUSAC)
    table = read_nuclei(tmp_path / "nuclei.parquet")
    assert len(table) == 0
    assert list(table.columns) == list(empty_table().columns)
    pd.testing.assert_series_equal(table.dtypes, empty_table().dtypes)


def test_a_table_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    def parts() -> object:
        yield some_nuclei(0, 3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_nuclei(parts(), tmp_path / "nuclei.parquet", MONUSAC)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", [None, "", "no parquet at all"])
def test_a_missing_or_damaged_table_is_refused_in_words(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "nuclei.parquet"
    if text is not None:
        path.write_text(text)
    sentence = r"nuclei.parquet is missing or damaged; start the same analysis again"
    with pytest.raises(StoreError, match=sentence):
        read_nuclei(path)
    with pytest.raises(StoreError, match=sentence):
        next(iterate_nuclei(path))
