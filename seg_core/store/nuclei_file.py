"""The nuclei of a run as GeoParquet, written and read a part at a time."""

import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from seg_core.classes import ClassScheme
from seg_core.errors import SegCoreError
from seg_core.files.atomic import replacing
from seg_core.files.disk_errors import store_errors
from seg_core.nuclei.nucleus_table import FEATURES, GEOMETRY, empty_table
from seg_core.store.seal import damaged

# Rows that are in memory at a time while a run is read: with their outlines some 50 MB.
_ROWS = 20_000

# What makes a Parquet file a GeoParquet file; level-0 pixels are no place on Earth, hence no crs.
_GEO = {
    "version": "1.1.0",
    "primary_column": GEOMETRY,
    "columns": {GEOMETRY: {"encoding": "WKB", "geometry_types": ["Polygon"], "crs": None}},
}


def write_nuclei(
    tables: Iterable[gpd.GeoDataFrame], path: Path, scheme: ClassScheme, *, feature_count: int = 0
) -> None:
    """Write the parts of a table to one file, which is there when all of them are.

    Parameters
    ----------
    tables : iterable of GeoDataFrame
        With the columns of `seg_core.nuclei.nucleus_table`; none at all gives an empty table.
    path : Path
    scheme : ClassScheme
        Classes of the model, which have columns of their own.
    feature_count : int
        Length of the column `seg_core.nuclei.nucleus_table.FEATURES`; 0 where the tables have none.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    with store_errors(path.parent), replacing(path) as temporary:
        write_geoparquet(tables, temporary, empty_table(scheme), feature_count=feature_count)


def write_geoparquet(
    tables: Iterable[gpd.GeoDataFrame],
    path: Path,
    empty: gpd.GeoDataFrame,
    *,
    feature_count: int = 0,
    metadata: Mapping[bytes, bytes] = MappingProxyType({}),
) -> int:
    """Write the parts of a table to one file as they come.

    Parameters
    ----------
    tables : iterable of GeoDataFrame
        None at all gives an empty table.
    path : Path
    empty : GeoDataFrame
        A table without rows that has the columns and types of the others, without features.
    feature_count : int
    metadata : mapping, optional
        What is to stand in the file's head, beside what makes it GeoParquet.

    Returns
    -------
    rows : int
        Number of nuclei written.
    """
    schema = _schema_of(empty)
    schema = schema.with_metadata({**schema.metadata, **metadata})
    if feature_count:
        schema = schema.append(pa.field(FEATURES, pa.list_(pa.float16(), feature_count)))
    rows = 0
    # of numbers hardly one is there twice
    with pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=["class_name"]
    ) as writer:
        for table in tables:
            columns = _to_arrow(table.drop(columns=FEATURES, errors="ignore"))
            if feature_count:
                columns = columns.append_column(FEATURES, _packed(table, feature_count))
            writer.write_table(columns.cast(schema))
            rows += len(table)
    return rows


def read_nuclei(path: Path) -> gpd.GeoDataFrame:
    """Read a whole table.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    with _damage_in_words(path):
        return gpd.read_parquet(path, columns=_without_features(pq.read_schema(path)))


def iterate_nuclei(path: Path, rows: int = _ROWS) -> Iterator[gpd.GeoDataFrame]:
    """Read a table in parts of at most so many rows; an empty table is one empty part.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    with _damage_in_words(path):
        file = pq.ParquetFile(path)
    with file:
        names = _without_features(file.schema_arrow)
        empty = [file.schema_arrow.empty_table().select(names)]
        some = file.metadata.num_rows > 0
        batches = iter(file.iter_batches(rows, columns=names) if some else empty)
        while True:
            # what is yielded is not ours to guard: its reader's errors are no damage here
            with _damage_in_words(path):
                batch = next(batches, None)
                if batch is None:
                    return
                table = batch.to_pandas()
                table[GEOMETRY] = shapely.from_wkb(table[GEOMETRY])
                part = gpd.GeoDataFrame(table, geometry=GEOMETRY)
            yield part


def read_columns(
    path: Path, names: Sequence[str], nuclei: Collection[int] | None = None
) -> pd.DataFrame:
    """Read some columns of all nuclei, without outlines, which take most of the time.

    Parameters
    ----------
    path : Path
    names : sequence of str
    nuclei : collection of int, optional
        Ids of those that are wanted; by default all.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    with store_errors(path.parent), _damage_in_words(path):
        wanted = None if nuclei is None else [("nucleus_id", "in", list(nuclei))]
        return pq.read_table(path, columns=list(names), filters=wanted).to_pandas()


def read_features(path: Path) -> npt.NDArray[np.float16] | None:
    """Read what the network knows of all nuclei, in the order of the table.

    Returns
    -------
    features : (N, F) float16 or None
        None where a version wrote the file that kept none.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    with store_errors(path.parent), _damage_in_words(path):
        if FEATURES not in pq.read_schema(path).names:
            return None
        return _unpacked(pq.read_table(path, columns=[FEATURES])[FEATURES])


def table_in(content: bytes) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.float16] | None]:
    """Return the table that stands in the bytes of a file, and its features as `read_features` does.

    The caller knows that the bytes are those that were written.
    """
    names = pq.read_schema(io.BytesIO(content))
    table = gpd.read_parquet(io.BytesIO(content), columns=_without_features(names))
    if FEATURES not in names.names:
        return table, None
    return table, _unpacked(pq.read_table(io.BytesIO(content), columns=[FEATURES])[FEATURES])


def _unpacked(column: pa.ChunkedArray) -> npt.NDArray[np.float16]:
    values = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(values, np.float16).reshape(len(column), column.type.list_size)


def _packed(table: gpd.GeoDataFrame, feature_count: int) -> pa.FixedSizeListArray:
    rows = list(table[FEATURES]) if len(table) else []
    values = np.array(rows, np.float16).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(values), feature_count)


def _without_features(schema: pa.Schema) -> list[str]:
    return [name for name in schema.names if name != FEATURES]


@contextmanager
def _damage_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (SegCoreError, MemoryError):
        raise
    except Exception as error:  # Arrow, GEOS and JSON have errors of their own
        raise damaged(path) from error


def _to_arrow(table: gpd.GeoDataFrame) -> pa.Table:
    columns = pa.Table.from_pandas(table.drop(columns=GEOMETRY), preserve_index=False)
    outlines = pa.array(shapely.to_wkb(table[GEOMETRY].to_numpy()), type=pa.binary())
    return columns.append_column(GEOMETRY, outlines)


def _schema_of(table: gpd.GeoDataFrame) -> pa.Schema:
    """Return the columns' types from their dtypes; without rows Arrow calls a text column null."""
    schema = _to_arrow(table).schema
    fields = [
        field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in schema
    ]
    return pa.schema(fields, {**(schema.metadata or {}), b"geo": json.dumps(_GEO).encode()})
