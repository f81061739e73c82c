"""All runs of a store as tables, which DuckDB answers questions about.

======== ==================================================================================
runs     a row a run: slide, model, who named the nuclei, counts, densities, TIL scores
classes  a row a run and class: ``folder``, ``class_name``, `seg_core.cohort.summary.FIGURES`
items    a row a slide of each cohort: ``cohort``, ``slide``, ``patient``, ``group``, ``state``,
         ``error``, ``folder`` of its run, and all other columns of its table
nuclei   a row a nucleus of all finished runs as the model found them, with ``folder``
======== ==================================================================================

``folder`` names a run in its store, ``<slide id>/<run id>``, and joins the tables.
"""

import json
import math
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from seg_core.classes import OTHER
from seg_core.cohort.journal import Journal, cohort_names
from seg_core.cohort.summary import FIGURES, SUMMARY_FILE, is_kept_for, read_kept
from seg_core.errors import CohortError
from seg_core.nuclei.nucleus_table import GEOMETRY, empty_table
from seg_core.scoring.assessment import TIL_FILE
from seg_core.store import Run, Store
from seg_core.store.label import read_label
from seg_core.store.overlay import NO_NAMES
from seg_core.store.run import NUCLEI_FILE

_UM2_PER_MM2 = 1e6

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
    *("tumour_mm2", "stroma_mm2"),
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

        A slide that failed, or that is not done, has a row too, without figures.

        Raises
        ------
        CohortError
            If there is no such cohort.
        """
        Journal(self._store.path, name).read_plan()
        items = self._items[self._items["cohort"] == name].dropna(axis="columns", how="all")
        items = items.reindex(columns=list(dict.fromkeys([*_ITEM_COLUMNS, *items.columns])))
        known = [each for each in self._runs.columns if each == "folder" or each not in items]
        return items.merge(self._runs[known], on="folder", how="left")

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
        rows = [_row_of(run, self._store.path) for run in self._all]
        return _table(rows, (*_RUN_COLUMNS, *_TIL_COLUMNS))

    @cached_property
    def _classes(self) -> pd.DataFrame:
        rows = [
            {"folder": _folder(run, self._store.path), "class_name": name, **figures}
            for run in self._all
            if run.status == "finished"
            for name, figures in _figures_of(run).items()
        ]
        return _table(rows, ("folder", "class_name", *FIGURES))

    @cached_property
    def _items(self) -> pd.DataFrame:
        rows: list[dict[str, Any]] = []
        for name in cohort_names(self._store.path):
            journal = Journal(self._store.path, name)
            outcomes = journal.outcomes()
            for item in journal.read_plan()["items"]:
                outcome = outcomes.get(item["key"])
                own = {
                    "cohort": name,
                    "slide": Path(item["slide"]).name,
                    "roi": item["roi"],
                    "patient": item["patient"],
                    "group": item["group"],
                    "state": "waiting" if outcome is None else outcome.state,
                    "error": None if outcome is None else outcome.error,
                    "folder": None if outcome is None else outcome.run,
                    "slide_path": item["slide"],
                    "mpp": _number(item["mpp"]),
                }
                # a column of the table that has the name of one of ours keeps its own beside it
                rows.append(own | {_free(key, own): each for key, each in item["columns"].items()})
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
        files = [run.path / NUCLEI_FILE for run in self._all if run.status == "finished"]
        if not files:
            columns = ["folder", *empty_table().columns.drop(GEOMETRY)]
            _add_table(database, "nuclei", pd.DataFrame(columns=columns, dtype=object))
            return database
        listed = ", ".join(_quoted(file) for file in files)
        # the columns of models with other classes stand side by side
        database.execute(
            f"create view nuclei as select parse_path(filename)[-3] || '/' || "
            f"parse_path(filename)[-2] as folder, * exclude (filename) "
            f"from read_parquet([{listed}], union_by_name=true, filename=true)"
        )
        return database


def _add_table(database: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    database.register("frame", frame)
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
    is_current = is_kept_for(run, SUMMARY_FILE)
    kept = read_kept(run.path / SUMMARY_FILE).get("classes", {}) if is_current else {}
    found = _counts_of(run)
    counts = {name: found.get(name, 0) for name in run.scheme.names}
    total, mm2 = sum(counts.values()), run.facts.tissue_um2 / _UM2_PER_MM2
    return {
        name: {
            "count": count,
            "share": count / total if total else math.nan,
            "density_per_mm2": count / mm2 if mm2 else math.nan,
            "density_low": math.nan,
            "density_high": math.nan,
            **{figure: _number(value) for figure, value in kept.get(name, {}).items()},
        }
        for name, count in counts.items()
    }


def _counts_of(run: Run) -> dict[str, int]:
    """Return the number of nuclei by name, as they are called now."""
    if run.status == "finished" and run.names_version != NO_NAMES:
        return run.counts()
    return dict(run.facts.counts)


def _til_of(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the scores of ``til.json`` as columns."""
    if not kept:
        return {}
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
    }


def _table(rows: Iterable[dict[str, Any]], first: tuple[str, ...]) -> pd.DataFrame:
    """Return rows as a table that has some columns whatever the rows have."""
    table = pd.DataFrame(list(rows))
    return table.reindex(columns=list(dict.fromkeys([*first, *table.columns])))


def _number(value: float | None) -> float:
    """Return a number that a column of numbers can hold."""
    return math.nan if value is None else value


def _folder(run: Run, store: Path) -> str:
    return run.path.relative_to(store).as_posix()


def _free(name: str, taken: dict[str, Any]) -> str:
    return f"{name} (table)" if name in taken else name


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
