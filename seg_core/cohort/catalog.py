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

import json
import logging
import math
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from types import NoneType
from typing import Any

import duckdb
import pandas as pd

from seg_core.classes import OTHER
from seg_core.cohort.journal import Journal, Outcome, cohort_names
from seg_core.cohort.summary import (
    FIGURES,
    SUMMARY_FILE,
    is_kept_for,
    keep_summary,
    read_kept,
)
from seg_core.errors import CohortError, SegCoreError
from seg_core.files.names import printable
from seg_core.nuclei.nucleus_table import GEOMETRY, empty_table
from seg_core.scoring import counted_of
from seg_core.scoring.assessment import TIL_FILE
from seg_core.scoring.counted import NO_REGIONS, regions_version
from seg_core.store import Run, Store
from seg_core.store.label import read_label
from seg_core.store.overlay import NO_NAMES
from seg_core.store.run import NUCLEI_FILE

_log = logging.getLogger(__name__)

_UM2_PER_MM2 = 1e6

_PATH = "slide_path"  # opens the slide, so it stays as it is

_RUN_COLUMNS = (
    *(
        "folder",
        "slide",
        "name",
        "status",
        "error",
        "roi",
        "model",
        "engine",
        "precision",
        "settings",
    ),
    *("started", "finished", "seconds", "megapixels", "peak_rss_mb", "tissue_mm2", "nuclei"),
    *("other", "classifier", "corrections", "warnings", "slide_path", "model_sha256"),
)

_TIL_COLUMNS = (
    *(
        "til_evaluable",
        "til_reason",
        "til_pct",
        "til_low",
        "til_high",
        "til_tiger_pct",
        "phenotype",
    ),
    *("til_per_mm2", "til_per_mm2_low", "til_per_mm2_high", "til_stroma_per_mm2", "etils_pct"),
    *("tumour_mm2", "stroma_mm2", "tumour_rois"),
)

_ITEM_COLUMNS = (
    *(
        "cohort",
        "slide",
        "roi",
        "patient",
        "group",
        "state",
        "error",
        "folder",
        "slide_path",
        "mpp",
    ),
)

_FOUND = "found_class_name"

_REMOVED = (
    "its analysis was deleted, moved or damaged since; start the cohort again to have it made anew."
)

TABLES = ("runs", "classes", "items", "nuclei")


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
        items["folder"] = items["folder"].astype(object)  # of a cohort without any run too
        known = [each for each in self._runs.columns if each == "folder" or each not in items]
        # where no slide has a run the column would be one of numbers, which joins with no names
        items = items.astype({"folder": object})
        return items.merge(self._runs[known].astype({"folder": object}), on="folder", how="left")

    def ask(self, sql: str) -> pd.DataFrame:
        """Answer a question in SQL about the tables that the module's docstring names.

        Raises
        ------
        CohortError
            If DuckDB cannot answer it.
        """
        try:
            with self._database.cursor() as cursor:
                return cursor.execute(sql).df()
        except duckdb.Error as error:
            reason = str(error).strip().splitlines()[0]
            raise CohortError(
                f"the question cannot be answered ({reason}); the tables are {', '.join(TABLES)}."
            ) from error

    @cached_property
    def _all(self) -> list[Run]:
        return self._store.runs()

    @cached_property
    def _runs(self) -> pd.DataFrame:
        rows = self._of_each(lambda run: [_row_of(run, self._store.path)])
        return _table(rows, (*_RUN_COLUMNS, *_TIL_COLUMNS))

    @cached_property
    def _classes(self) -> pd.DataFrame:
        rows = self._of_each(
            lambda run: [
                {"folder": _folder(run, self._store.path), "class_name": name, **figures}
                for name, figures in _figures_of(run).items()
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
                _log.warning("a run is damaged or gone and left out", extra={"run": run.run_id})

    @cached_property
    def _items(self) -> pd.DataFrame:
        rows: list[dict[str, Any]] = []
        there = set(self._runs["folder"])
        taken = {name.casefold() for name in (*_ITEM_COLUMNS, *self._runs.columns)}
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
                    "mpp": _number(item["mpp"]),
                }
                # a column of the table that has the name of one of ours stands beside that
                own = {
                    f"{key} (table)" if key.casefold() in taken else key: each
                    for key, each in item["columns"].items()
                }
                rows.append(row | own)
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
        finished = [run for run in self._all if run.status == "finished"]
        if not finished:
            columns = ["folder", *empty_table().columns.drop(GEOMETRY), _FOUND]
            _add_table(database, "nuclei", pd.DataFrame(columns=columns, dtype=object))
            return database
        as_found = [run for run in finished if run.names_version == NO_NAMES]
        renamed = [run for run in finished if run.names_version != NO_NAMES]
        parts = [_nuclei_sql(as_found)] if as_found else []
        for number, run in enumerate(renamed):
            overlay, corrected = run.overlay(), f"corrected_{number}"
            if overlay.corrected is not None:
                _add_table(database, corrected, overlay.corrected)
            named = overlay.sql(f"({_nuclei_sql([run])})", corrected)
            parts.append(f"select * from {named}")
        # the columns of models with other classes stand side by side
        database.execute(f"create view nuclei as {' union all by name '.join(parts)}")
        return database


def _nuclei_sql(runs: Iterable[Run]) -> str:
    """Return the nuclei of runs as the model found them, as a question in SQL."""
    listed = ", ".join(_quoted(run.path / NUCLEI_FILE) for run in runs)
    return (
        "select parse_path(filename)[-3] || '/' || parse_path(filename)[-2] as folder, "
        f"* exclude (filename), class_name as {_FOUND} "
        f"from read_parquet([{listed}], union_by_name=true, filename=true)"
    )


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


def _row_of(run: Run, store: Path) -> dict[str, Any]:
    facts = run.facts
    counts = _counts_of(run)
    other = counts.pop(OTHER, None)
    row: dict[str, Any] = {
        "folder": _folder(run, store),
        "slide": run.slide_path.name,
        "name": read_label(run.path).name or None,
        "status": facts.status,
        "error": facts.error,
        "roi": None if run.roi is None else run.roi.name,
        "model": facts.question.model,
        "engine": facts.engine,
        "precision": facts.precision,
        "settings": json.dumps(facts.question.settings.to_json()),
        "started": facts.started,
        "finished": facts.finished,
        "seconds": facts.seconds,
        "megapixels": facts.megapixels,
        "peak_rss_mb": _number(facts.peak_rss_mb),
        "tissue_mm2": facts.tissue_um2 / _UM2_PER_MM2,
        "nuclei": sum(counts.values()) if counts else math.nan,
        "other": _number(other),
        "warnings": " ".join(facts.warnings) or None,
        "slide_path": str(run.slide_path),
        "model_sha256": facts.question.model_sha256,
    }
    if facts.status == "finished":
        row["tissue_mm2"] = _tissue_mm2(run, _summary_of(run))
        row["classifier"] = run.classifier
        row["corrections"] = len(run.corrections())
        if is_kept_for(run, TIL_FILE):
            row |= _til_of(read_kept(run.path / TIL_FILE))
        for name, figures in _figures_of(run).items():
            row[f"count_{name}"] = figures["count"]
            for figure, column in _DENSITIES.items():
                row[column.format(name)] = figures[figure]
    return row


_DENSITIES = {
    "density_per_mm2": "{}_per_mm2",
    "density_low": "{}_per_mm2_low",
    "density_high": "{}_per_mm2_high",
}


def _figures_of(run: Run) -> dict[str, dict[str, float]]:
    """Return count, share and density of each class; intervals where a summary was kept."""
    summary = _summary_of(run)
    kept = summary.get("classes", {})
    found = _counts_of(run)
    counts = {name: found.get(name, 0) for name in run.scheme.names}
    total, mm2 = sum(counts.values()), _tissue_mm2(run, summary)
    return {
        name: {
            "count": count,
            "share": count / total if total else math.nan,
            "density_per_mm2": count / mm2 if mm2 else math.nan,
            "density_low": math.nan,
            "density_high": math.nan,
            **{figure: _number(value) for figure, value in _kept_of(kept, name).items()},
        }
        for name, count in counts.items()
    }


def _summary_of(run: Run) -> dict[str, Any]:
    """Return the summary that was kept; made now where ROIs bound what counts since.

    How much tissue they leave is known from nowhere else.
    """
    if not is_kept_for(run, SUMMARY_FILE):
        if regions_version(run) == NO_REGIONS:
            return {}
        keep_summary(run)
    return read_kept(run.path / SUMMARY_FILE)


def _tissue_mm2(run: Run, summary: dict[str, Any]) -> float:
    """Return how much tissue counts; that of a summary of before regions is all of it."""
    return (summary.get("tissue_um2") or run.facts.tissue_um2) / _UM2_PER_MM2


def _kept_of(kept: object, name: str) -> dict[str, float | None]:
    """Return the figures of a class that a summary has; none where another version wrote it."""
    figures = kept.get(name) if isinstance(kept, dict) else None
    if not isinstance(figures, dict):
        return {}
    return {
        figure: value
        for figure, value in figures.items()
        if figure in FIGURES and isinstance(value, int | float | NoneType)
    }


def _counts_of(run: Run) -> dict[str, int]:
    """Return the number of nuclei by name, as they are called and counted now."""
    if run.status == "finished" and regions_version(run) != NO_REGIONS:
        return run.nucleus_queries().counts(counted_of(run, other=True).selection(run))
    if run.status == "finished" and run.names_version != NO_NAMES:
        return run.counts()
    return dict(run.facts.counts)


def _til_of(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the scores of ``til.json`` as columns."""
    if not kept:
        return {}
    try:
        return _columns_of(kept)
    except (KeyError, TypeError, AttributeError):  # another version wrote them
        return {}


def _columns_of(kept: dict[str, Any]) -> dict[str, Any]:
    score, densities = kept["stil_area_pct"], kept["density_per_mm2_interval95"]
    return {
        "til_evaluable": kept["evaluable"],
        "til_reason": kept["reason"],
        "til_pct": _number(score["value"]),
        "til_low": _number(score["low"]),
        "til_high": _number(score["high"]),
        "til_tiger_pct": _number(kept["tiger_til"]),
        "phenotype": kept["phenotype"],
        "til_per_mm2": _number(densities["tissue"]["value"]),
        "til_per_mm2_low": _number(densities["tissue"]["low"]),
        "til_per_mm2_high": _number(densities["tissue"]["high"]),
        "til_stroma_per_mm2": _number(densities["stroma"]["value"]),
        "etils_pct": _number(kept["etils_pct"]),
        "tumour_mm2": _number(kept["areas_mm2"].get("epithelium")),
        "stroma_mm2": _number(kept["areas_mm2"].get("stroma")),
        "tumour_rois": ", ".join(kept.get("tumour_rois", [])) or None,
    }


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


def _number(value: float | None) -> float:
    """Return a number that a column of numbers can hold."""
    return math.nan if value is None else value


def _folder(run: Run, store: Path) -> str:
    return run.path.relative_to(store).as_posix()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
