"""Questions about the nuclei of a run, answered by DuckDB straight from the Parquet file.

What is in memory is the answer: a page of the table, a row for each class, a sample. A run of half
a million nuclei is filtered, sorted and summed in a fraction of a second.
"""

import glob
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from seg_core.classes import ClassScheme
from seg_core.nuclei.certainty import VOTED_CLASS, class_name_sql
from seg_core.nuclei.nucleus_table import GEOMETRY, column_types
from seg_core.store.overlay import Overlay
from seg_core.store.seal import damaged

_Ids = npt.NDArray[np.int64]

# ROIs whose nuclei are remembered: finding them looks at all centroids.
_REMEMBERED = 16

_ANSWERED, _CORRECTED = "answered", "corrected"

_FIGURES = ("count", "mean", "sd", "q1", "median", "q3")

# DuckDB would otherwise fetch extensions from the network when it misses one.
_OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which nuclei of a run are meant.

    Attributes
    ----------
    names : tuple of str
        What they are called; *uncertain* and *other* where they are wanted too.
    min_score : float
        Below it a nucleus is called *uncertain*; see `seg_core.nuclei.certainty`.
    part : shapely.Polygon or shapely.MultiPolygon, optional
        Holds their centroids, level-0 pixels.
    scores, areas_um2 : (float, float), optional
        Least and greatest class score and area, both included.
    ids : tuple of int, optional
        These nuclei and no others.
    """

    names: tuple[str, ...]
    min_score: float = 0.0
    part: shapely.Geometry | None = None
    scores: tuple[float, float] | None = None
    areas_um2: tuple[float, float] | None = None
    ids: tuple[int, ...] | None = None


class NucleusQueries:
    """Answers questions about a file of nuclei; may be asked from several threads.

    Parameters
    ----------
    path : Path
        GeoParquet with the columns of `seg_core.nuclei.nucleus_table`.
    scheme : ClassScheme
        The model's, whose shares are columns.
    overlay : Overlay, optional
        Names that go over those in the file.
    """

    def __init__(self, path: Path, scheme: ClassScheme, overlay: Overlay | None = None) -> None:
        self._path = path
        self._overlay = overlay or Overlay()
        self._columns = tuple(column_types(scheme))
        self._database = duckdb.connect(config=_OFFLINE)
        self._held: dict[bytes, _Ids] = {}
        self._lock = threading.Lock()  # sessions share this object
        self._overlay.add_answer(self._database, _ANSWERED)

    def counts(self, selection: Selection) -> dict[str, int]:
        """Return how many nuclei there are of each name of the selection."""
        found = self._ask(selection, "select class_name, count(*) as n from chosen group by all")
        counts = dict(zip(found["class_name"], found["n"].tolist(), strict=True))
        return {name: counts.get(name, 0) for name in selection.names}

    def page(
        self,
        selection: Selection,
        *,
        sort_by: str = "nucleus_id",
        descending: bool = False,
        offset: int = 0,
        limit: int,
    ) -> pd.DataFrame:
        """Return some rows of the sorted table, without outlines.

        Where `Selection.min_score` is above 0 there is a column ``voted_class`` too.

        Parameters
        ----------
        selection : Selection
        sort_by : str
            A column; equal values are in the order of their ids.
        descending : bool
        offset, limit : int
            How many rows are passed over, and how many come then at most.
        """
        columns = [*self._columns, *([VOTED_CLASS] if selection.min_score else [])]
        direction = "desc" if descending else "asc"
        return self._ask(
            selection,
            f"select {', '.join(map(self._known, columns))} from chosen "
            f"order by {self._known(sort_by)} {direction}, nucleus_id limit ? offset ?",
            [limit, offset],
        )

    def columns(self, selection: Selection, names: Sequence[str]) -> pd.DataFrame:
        """Return columns of all nuclei of a selection, in the order of their ids."""
        wanted = ", ".join(self._known(name) for name in names)
        return self._ask(selection, f"select {wanted} from chosen order by nucleus_id")

    def describe(self, selection: Selection, measures: Sequence[str]) -> pd.DataFrame:
        """Return a row for each measure and name.

        Returns
        -------
        described : DataFrame
            ``class_name``, ``measure``, ``count``, ``mean``, ``sd`` (of the sample), ``q1``,
            ``median``, ``q3`` (linear between neighbours, as in NumPy); NaN where there is nothing
            to describe.
        """
        columns = [self._known(measure) for measure in measures]
        # by number: a measure's name may hold that of a class, with blanks and signs
        figures = ", ".join(
            f"count({m}) as count_{k}, avg({m}) as mean_{k}, stddev_samp({m}::double) as sd_{k}, "
            f"quantile_cont({m}::double, [0.25, 0.5, 0.75]) as quartiles_{k}"
            for k, m in enumerate(columns)
        )
        quartiles = ", ".join(
            f"quartiles_{k}[{place}] as {figure}_{k}"
            for k in range(len(columns))
            for place, figure in enumerate(("q1", "median", "q3"), start=1)
        )
        found = self._ask(
            selection,
            f"select *, {quartiles} from (select class_name, {figures} from chosen group by all)",
        )
        by_name = found.set_index("class_name").reindex(list(selection.names))
        described = pd.concat(
            pd.DataFrame({figure: by_name[f"{figure}_{k}"] for figure in _FIGURES}).assign(
                measure=measure
            )
            for k, measure in enumerate(measures)
        ).astype(dict.fromkeys(_FIGURES, np.float64))
        described["count"] = described["count"].fillna(0).astype(np.int64)
        return described.reset_index()[["class_name", "measure", *_FIGURES]]

    def histogram(self, selection: Selection, measure: str, *, bins: int = 40) -> pd.DataFrame:
        """Count nuclei in bins of one measure, the same bins for all names.

        Parameters
        ----------
        selection : Selection
        measure : str
            A column of the table.
        bins : int
            How many of equal width, from 0 (or the least value, if that is below) to the greatest.

        Returns
        -------
        histogram : DataFrame
            ``low`` and ``high`` of each bin, both ends of the last one included, and a column of
            counts for each name. No nuclei give no rows.
        """
        low, high = self.extent(selection, measure) or (np.nan, np.nan)
        low = min(low, 0.0)
        width = (high - low) / bins or 1.0
        found = self._ask(
            selection,
            f"select class_name, least(floor(({self._known(measure)} - ?) / ?), ?)::int as bin, "
            "count(*) as n from chosen group by all",
            [low, width, bins - 1],
        )
        edges = low + width * np.arange(bins + 1) if len(found) else np.zeros(1)
        table = pd.DataFrame({"low": edges[:-1], "high": edges[1:]})
        for name in selection.names:
            own = found[found["class_name"] == name]
            counts = np.zeros(len(table), dtype=np.int64)
            counts[own["bin"].to_numpy()] = own["n"]
            table[name] = counts
        return table

    def extent(self, selection: Selection, measure: str) -> tuple[float, float] | None:
        """Return the least and the greatest value of a measure; None without nuclei."""
        column = self._known(measure)
        found = self._ask(
            selection, f"select min({column}) as low, max({column}) as high from chosen"
        )
        low, high = found.iloc[0]
        return None if pd.isna(low) else (float(low), float(high))

    def sample(
        self, selection: Selection, columns: Sequence[str], *, most: int, seed: int
    ) -> pd.DataFrame:
        """Return columns of at most so many nuclei, drawn without replacement.

        The same nuclei are drawn from the same selection each time.

        Parameters
        ----------
        selection : Selection
        columns : sequence of str
            Besides ``nucleus_id`` and ``class_name``.
        most, seed : int
        """
        wanted = list(dict.fromkeys(["nucleus_id", "class_name", *columns]))
        ids = self.columns(selection, ["nucleus_id"])["nucleus_id"].to_numpy()
        if len(ids) <= most:
            return self.columns(selection, wanted)
        drawn = np.random.default_rng(seed).choice(ids, most, replace=False)
        chosen = ", ".join(self._known(name) for name in wanted)
        return self._ask(
            selection,
            f"select {chosen} from chosen semi join drawn using (nucleus_id) order by nucleus_id",
            drawn=drawn,
        )

    def within(
        self, selection: Selection, polygon: shapely.Polygon, x: str, y: str
    ) -> tuple[int, ...]:
        """Return the ids of the nuclei that a polygon in the plane of two measures holds.

        Parameters
        ----------
        selection : Selection
        polygon : Polygon
        x, y : str
            The measures along its axes.
        """
        points = self.columns(selection, ["nucleus_id", x, y])
        shapely.prepare(polygon)
        inside = shapely.contains_xy(polygon, points.iloc[:, 1], points.iloc[:, 2])
        return tuple(points["nucleus_id"][inside].tolist())

    def squares(
        self, selection: Selection, corner: tuple[float, float], side: float
    ) -> pd.DataFrame:
        """Count the nuclei in squares of a grid.

        Parameters
        ----------
        selection : Selection
        corner : (float, float)
            Where square (0, 0) begins, level-0 pixels.
        side : float
            Of a square, level-0 pixels.

        Returns
        -------
        counts : DataFrame
            ``class_name``, ``row``, ``column``, ``count``; only squares that hold nuclei.
        """
        return self._ask(
            selection,
            "select class_name, floor((y - ?) / ?)::bigint as row, "
            "floor((x - ?) / ?)::bigint as column, count(*) as count from chosen group by all",
            [corner[1], side, corner[0], side],
        )

    def outlines(self, ids: Sequence[int]) -> dict[int, shapely.Polygon]:
        """Return the outlines of some nuclei, level-0 pixels, by id."""
        with self._cursor() as cursor:
            rows = cursor.execute(
                f"select nucleus_id, {GEOMETRY} from {self._file_sql()} "
                "where nucleus_id in (select unnest(?))",
                [list(ids)],
            ).fetchall()
        return {number: shapely.from_wkb(bytes(outline)) for number, outline in rows}

    def _ask(
        self,
        selection: Selection,
        question: str,
        values: Sequence[Any] = (),
        *,
        drawn: _Ids | None = None,
    ) -> pd.DataFrame:
        """Answer a question about ``chosen``, the table of the selection's nuclei."""
        conditions: list[str] = ["class_name in (select unnest(?))"]
        parameters: list[Any] = [list(selection.names)]
        for column, limits in (
            ("class_score", selection.scores),
            ("area_um2", selection.areas_um2),
        ):
            if limits is not None:
                conditions.append(f"{column} between ? and ?")
                parameters += limits
        held = self._ids_of(selection)
        if held is not None:
            conditions.append("nucleus_id in (select nucleus_id from held)")
        labelled = (
            f"select * replace ({class_name_sql(selection.min_score)} as class_name), "
            f"class_name as {VOTED_CLASS} from {self._file_sql()}"
        )
        with self._cursor() as cursor:
            for name, ids in (("held", held), ("drawn", drawn)):
                if ids is not None:
                    cursor.register(name, pd.DataFrame({"nucleus_id": ids}))
            return cursor.execute(
                f"with labelled as ({labelled}), chosen as (select * from labelled "
                f"where {' and '.join(conditions)}) {question}",
                [*parameters, *values],
            ).df()

    def _ids_of(self, selection: Selection) -> _Ids | None:
        """Return the nuclei that the selection's part and ids leave; None: all."""
        inside = None if selection.part is None else self._inside(selection.part)
        if selection.ids is None:
            return inside
        ids = np.array(selection.ids, dtype=np.int64)
        return ids if inside is None else np.intersect1d(ids, inside)

    def _inside(self, part: shapely.Geometry) -> _Ids:
        key = part.wkb
        held = self._held.get(key)
        if held is None:
            with self._cursor() as cursor:
                found = cursor.execute(
                    f"select nucleus_id, x, y from {self._file_sql()}"
                ).fetchnumpy()
            shapely.prepare(part)
            inside = shapely.contains_xy(part, found["x"], found["y"])
            held = np.asarray(found["nucleus_id"][inside], dtype=np.int64)
            with self._lock:
                while len(self._held) >= _REMEMBERED:
                    del self._held[next(iter(self._held))]
                self._held[key] = held
        return held

    def _known(self, column: str) -> str:
        """Return a column as SQL names it."""
        if column not in (*self._columns, VOTED_CLASS):
            raise ValueError(f"{column!r} is no column of the table of nuclei.")
        return _column_sql(column)

    def _file_sql(self) -> str:
        return self._overlay.sql(f"read_parquet({path_sql(self._path)})", _CORRECTED, _ANSWERED)

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a connection of its own to a question, and say what is wrong with the file."""
        try:
            with self._database.cursor() as cursor:
                corrected = self._overlay.corrected
                if corrected is not None:
                    cursor.register(_CORRECTED, corrected)
                yield cursor
        except duckdb.Error as error:
            raise damaged(self._path) from error


def path_sql(path: PurePath) -> str:
    """Return the text in SQL by which DuckDB reads this one file.

    It would take a path with ``*``, ``?`` or ``[`` for a pattern, and read whatever files it fits.

    Examples
    --------
    >>> from pathlib import PurePosixPath
    >>> path_sql(PurePosixPath("runs [2]/it's.parquet"))
    "'runs [[]2]/it''s.parquet'"
    """
    escaped = glob.escape(str(path)).replace("'", "''")
    return f"'{escaped}'"


def _column_sql(column: str) -> str:
    """Return what SQL calls a column, whatever blanks and signs are in its name.

    Examples
    --------
    >>> _column_sql("share_plasma cell")
    '"share_plasma cell"'
    """
    quoted = column.replace('"', '""')
    return f'"{quoted}"'
