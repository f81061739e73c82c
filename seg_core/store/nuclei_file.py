"""The nuclei of a run as GeoParquet, written and read a part at a time."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from seg_core.classes import ClassScheme
from seg_core.errors import SegCoreError
from seg_core.files.atomic import replacing
from seg_core.files.disk_errors import store_errors
from seg_core.nuclei.nucleus_table import GEOMETRY, empty_table
from seg_core.store.seal import damaged

# Rows that are in memory at a time while a run is read: with their outlines some 50 MB.
_ROWS = 20_000

# What makes a Parquet file a GeoParquet file; level-0 pixels are no place on Earth, hence no crs.
_GEO = {
    "version": "1.1.0",
    "primary_column": GEOMETRY,
    "columns": {GEOMETRY: {"encoding": "WKB", "geometry_types": ["Polygon"], "crs": None}},
}


def write_nuclei(tables: Iterable[gpd.GeoDataFrame], path: Path, scheme: ClassScheme) -> None:
    """Write the parts of a table to one file, which is there when all of them are.

    Parameters
    ----------
    tables : iterable of GeoDataFrame
        With the columns of `seg_core.nuclei.nucleus_table`; none at all gives an empty table.
    path : Path
    scheme : ClassScheme
        Classes of the model, which have columns of their own.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    with store_errors(path.parent), replacing(path) as temporary:
        write_geoparquet(tables, temporary, empty_table(scheme))


def write_geoparquet(
    tables: Iterable[gpd.GeoDataFrame], path: Path, empty: gpd.GeoDataFrame
) -> int:
    """Write the parts of a table to one file as they come.

    Parameters
    ----------
    tables : iterable of GeoDataFrame
        None at all gives an empty table.
    path : Path
    empty : GeoDataFrame
        A table without rows that has the columns and types of the others.

    Returns
    -------
    rows : int
        Number of nuclei written.
    """
    schema = _schema_of(empty)
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(_to_arrow(table).cast(schema))
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
        return gpd.read_parquet(path)


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
        empty = [file.schema_arrow.empty_table()]
        batches = iter(file.iter_batches(rows) if file.metadata.num_rows else empty)
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
