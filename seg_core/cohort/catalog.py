"""All runs of a store as tables, which DuckDB answers questions about.

======== ==================================================================================
runs     a row a run: slide, model, who named the nuclei, counts, densities, TIL scores
classes  a row a run and class: ``folder``, ``class_name``, `seg_core.cohort.summary.FIGURES`
items    a row a slide of each cohort: ``cohort``, ``slide``, ``patient``, ``group``, ``state``,
         ``error``, ``folder`` of its run, and all other columns of its table
nuclei   a row a nucleus of all finished runs, with ``folder``: ``class_name`` and
         ``class_score`` as it is called now, by the model, a taught classifier or people,
         ``found_class_name`` as the model found it; what is no nucleus is left out
======== ==================================================================================

``folder`` names a run in its store, ``<slide id>/<run id>``, and joins the tables.
"""

import logging
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from seg_core.cohort.journal import Journal, Outcome, cohort_names
from seg_core.cohort.run_rows import (
    RUN_COLUMNS,
    TIL_COLUMNS,
    class_figures,
    folder_of,
    number_or_nan,
    run_row,
)
from seg_core.cohort.summary import FIGURES
from seg_core.errors import CohortError, SegCoreError
from seg_core.files.names import printable
from seg_core.nuclei.nucleus_table import GEOMETRY, empty_table
from seg_core.store import Run, Store
from seg_core.store.nucleus_queries import path_sql
from seg_core.store.overlay import Overlay

_log = logging.getLogger(__name__)

_PATH = "slide_path"  # opens the slide, so it stays as it is

_ITEM_COLUMNS = (
    *("cohort", "slide", "roi", "patient", "group"),
    *("state", "error", "folder", "slide_path", "mpp"),
)

_FOUND = "found_class_name"

_NOTE, _WARNINGS = "left_out_of_rois", "warnings"

_REMOVED = (
    "its analysis was deleted, moved or damaged since; start the cohort again to have it made anew."
)

TABLES = ("runs", "classes", "items", "nuclei")
_FEW_ROWS = {*TABLES} - {"nuclei"}

# A question reads; DuckDB would also write files over others, and open data bases. A pivot is several
# statements in one.
_READING = ("SELECT", "MULTI")


class RunCatalog:
    """Answers questions about all runs of a store, as they are when first asked.

    Parameters
    ----------
    store : Store

    Examples
    --------
    ::

        catalog = RunCatalog(Store(Path("runs")))
        catalog.runs()
        catalog.cohort("trial-7")
        catalog.ask("select class_name, avg(area_um2) from nuclei group by all")
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def runs(self) -> pd.DataFrame:
        """Return a row for each run, the latest first; damaged ones are left out and logged."""
        return self._runs.copy()

    def classes(self) -> pd.DataFrame:
        """Return a row for each finished run and class."""
        return self._classes.copy()

    def items(self) -> pd.DataFrame:
        """Return a row for each slide of each cohort, in the order of its table."""
        return self._items.copy()

    def cohort(self, name: str) -> pd.DataFrame:
        """Return a row for each slide of a cohort with all that its run has found.

        A slide that failed, or that is not done, has a row too, without figures; one whose analysis is
        no longer in the store is *removed*.

        Raises
        ------
        CohortError
            If there is no such cohort.
        """
        Journal(self._store.path, name).read_plan()
        items = self._items[self._items["cohort"] == name].dropna(axis="columns", how="all")
        items = items.reindex(columns=list(dict.fromkeys([*_ITEM_COLUMNS, *items.columns])))
        known = [each for each in self._runs.columns if each == "folder" or each not in items]
        # where no slide has a run the column would be one of numbers, which joins with no names
        items = items.astype({"folder": object})
        runs = self._runs.astype({"folder": object})
        table = items.merge(runs[known], on="folder", how="left")
        if _NOTE in items:
            said = table[_NOTE].str.cat(table[_WARNINGS].astype(object).fillna(""), sep=" ")
            table[_WARNINGS] = said.str.strip().fillna(table[_WARNINGS])
            table = table.drop(columns=_NOTE)
        # what a slide was analysed with, else what its row says
        analysed = items[["folder"]].merge(runs[["folder", "mpp"]], on="folder", how="left")["mpp"]
        return table.assign(mpp=analysed.fillna(table["mpp"]))

    def ask(self, sql: str) -> pd.DataFrame:
        """Answer a question in SQL about the tables that the module's docstring names.

        Raises
        ------
        CohortError
            If DuckDB cannot answer it, or it is not one question that only reads.
        """
        try:
            with self._database_for(sql).cursor() as cursor:
                kinds = [each.type.name for each in cursor.extract_statements(sql)]
                if len(kinds) != 1 or kinds[0] not in _READING:
                    raise CohortError(
                        "that is not one question in SQL that only reads; ask for instance "
                        f"'select * from runs'. The tables are {', '.join(TABLES)}."
                    )
                return cursor.execute(sql).df()
        except duckdb.Error as error:
            reason = str(error).strip().splitlines()[0]
            raise CohortError(
                f"the question cannot be answered ({reason}); the tables are {', '.join(TABLES)}."
            ) from error

    def _database_for(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Return the tables that a question is about; nuclei only where they are meant or may be."""
        try:
            named = {each.casefold() for each in self._database.get_table_names(sql)}
        except duckdb.Error:  # a pivot, whose tables DuckDB does not tell, or what is no question
            return self._with_nuclei
        return self._database if named and named <= _FEW_ROWS else self._with_nuclei

    @cached_property
    def _all(self) -> list[Run]:
        return self._store.runs()

    @cached_property
    def _runs(self) -> pd.DataFrame:
        rows = self._of_each(lambda run: [run_row(run, self._store.path)])
        return _table(rows, (*RUN_COLUMNS, *TIL_COLUMNS))

    @cached_property
    def _classes(self) -> pd.DataFrame:
        rows = self._of_each(
            lambda run: [
                {"folder": folder_of(run, self._store.path), "class_name": name, **figures}
                for name, figures in class_figures(run).items()
                if run.status == "finished"
            ]
        )
        return _table(rows, ("folder", "class_name", *FIGURES))

    def _of_each(self, rows_of: Callable[[Run], list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
        """Give the rows of all runs; somebody may delete one while others are read."""
        for run in self._all:
            try:
                yield from rows_of(run)
            except (SegCoreError, OSError):
                _log_left_out(run)

    @cached_property
    def _items(self) -> pd.DataFrame:
        rows: list[dict[str, Any]] = []
        there = set(self._runs["folder"])
        taken = {name.casefold() for name in (*_ITEM_COLUMNS, _NOTE, *self._runs.columns)}
        for name in cohort_names(self._store.path):
            journal = Journal(self._store.path, name)
            try:
                items, outcomes = journal.read_plan()["items"], journal.outcomes()
            except SegCoreError:
                _log.warning("a cohort cannot be read and is left out", extra={"cohort": name})
                continue
            for item in items:
                row: dict[str, Any] = {
                    "cohort": name,
                    "slide": Path(item["slide"]).name,
                    "roi": item["roi"],
                    "patient": item["patient"],
                    "group": item["group"],
                    **_ending(outcomes.get(item["key"]), there),
                    "slide_path": item["slide"],
                    "mpp": number_or_nan(item["mpp"]),
                    **({_NOTE: item["note"]} if item.get("note") else {}),
                }
                rows.append(row | _beside(taken, item["columns"]))
        return _table(rows, _ITEM_COLUMNS)

    @cached_property
    def _database(self) -> duckdb.DuckDBPyConnection:
        database = duckdb.connect(
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        # views of frames belong to one connection; tables are seen by all
        for name, frame in (
            ("runs", self._runs),
            ("classes", self._classes),
            ("items", self._items),
        ):
            _add_table(database, name, frame)
        return database

    @cached_property
    def _with_nuclei(self) -> duckdb.DuckDBPyConnection:
        """The same with the nuclei, whose files are looked through for damage."""
        database = self._database
        as_found: list[Path] = []
        parts: list[str] = []
        for file, overlay in self._named_files():
            if overlay.is_empty:
                as_found.append(file)
            else:
                parts.append(_named_sql(database, file, overlay, len(parts)))
        parts += [_nuclei_sql(as_found)] if as_found else []
        if parts:
            # the columns of models with other classes stand side by side
            database.execute(f"create view nuclei as {' union all by name '.join(parts)}")
        else:
            columns = ["folder", *empty_table().columns.drop(GEOMETRY), _FOUND]
            _add_table(database, "nuclei", pd.DataFrame(columns=columns, dtype=object))
        return database

    def _named_files(self) -> Iterator[tuple[Path, Overlay]]:
        """Give the file of nuclei of each finished run, and the names that go over those in it."""
        for run in self._all:
            if run.status != "finished":
                continue
            try:
                named = run.nuclei_file(), run.overlay()
            except (SegCoreError, OSError):
                _log_left_out(run)
            else:
                yield named


def _log_left_out(run: Run) -> None:
    _log.warning("a run is damaged or gone and left out", extra={"run": run.run_id})


def _named_sql(
    database: duckdb.DuckDBPyConnection, file: Path, overlay: Overlay, number: int
) -> str:
    """Return the nuclei of a run as they are called now, of tables that are added."""
    corrected, answered = f"corrected_{number}", f"answered_{number}"
    if overlay.corrected is not None:
        _add_table(database, corrected, overlay.corrected)
    overlay.add_answer(database, answered)
    return f"select * from {overlay.sql(f'({_nuclei_sql([file])})', corrected, answered)}"


def _nuclei_sql(files: Iterable[Path]) -> str:
    """Return the nuclei of runs as the model found them, as a question in SQL."""
    listed = ", ".join(map(path_sql, files))
    return (
        "select parse_path(filename)[-3] || '/' || parse_path(filename)[-2] as folder, "
        f"* exclude (filename), class_name as {_FOUND} "
        f"from read_parquet([{listed}], union_by_name=true, filename=true)"
    )


def _beside(taken: Container[str], columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns of somebody's table; one that has the name of one of ours stands beside that.

    Parameters
    ----------
    taken : container of str
        Names of ours, case-folded.
    columns : mapping of str
    """
    theirs = {name.casefold() for name in columns}
    own: dict[str, Any] = {}
    for name, cell in columns.items():
        free = name
        while free.casefold() in taken or (free != name and free.casefold() in theirs):
            free += " (table)"
        own[free] = cell
    return own


def _ending(outcome: Outcome | None, there: Container[str | None]) -> dict[str, str | None]:
    """Return state, sentence and folder of an item; somebody may have removed what was finished."""
    if outcome is None:
        return {"state": "waiting", "error": None, "folder": None}
    if outcome.state == "finished" and outcome.run not in there:
        return {"state": "removed", "error": _REMOVED, "folder": None}
    return {"state": outcome.state, "error": outcome.error, "folder": outcome.run}


def writable_paths(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of the catalogue as any file or database takes it.

    The path of a slide may be of bytes that are no letters; they are escaped.
    """
    if _PATH not in table:
        return table
    return table.assign(**{_PATH: table[_PATH].map(_shown)})


def _add_table(database: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    database.register("frame", frame.map(_shown))
    database.execute(f"create table {name} as select * from frame")
    database.unregister("frame")


def _table(rows: Iterable[dict[str, Any]], first: tuple[str, ...]) -> pd.DataFrame:
    """Return rows as a table that has some columns whatever the rows have."""
    table = pd.DataFrame(
        {name: each if name == _PATH else _shown(each) for name, each in row.items()}
        for row in rows
    )
    return table.reindex(columns=list(dict.fromkeys([*first, *table.columns])))


def _shown(value: Any) -> Any:
    """Return a text that tables of other libraries take: of bytes that are no letters, none does."""
    return printable(value) if isinstance(value, str) and not value.isprintable() else value
