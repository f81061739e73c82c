"""What a run's nuclei are called now: by the model, then a taught classifier, then by people."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import pandas as pd

from seg_core.nuclei.names import Names
from seg_core.store.answer import Answer
from seg_core.store.journal import Correction

_SURE = np.float32(1)
"""Class score of a nucleus that somebody has looked at."""

_VERSION_DIGITS = 12

NAMES = "names"
"""Under this name files of figures keep the version of the names that they are of."""

NO_NAMES = "none"
"""The version where nobody has said anything."""


@dataclass(frozen=True)
class Overlay:
    """Names that go over those in the table.

    Attributes
    ----------
    answer : Answer or None
        Of a classifier, about all nuclei.
    corrections : dict of int to Correction
    """

    answer: Answer | None = None
    corrections: dict[int, Correction] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether all names in the table stand."""
        return self.answer is None and not self.corrections

    def applied(self, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return a table, or a part of one, with the names and class scores of now.

        What somebody named has the class score 1; what is not a nucleus is left out.
        """
        if not len(table) or self.is_empty:
            return table
        names = self.names_of(table)
        renamed = table.assign(class_name=names.class_names, class_score=names.class_scores)
        return renamed if names.present.all() else renamed[names.present]

    def names_of(self, table: pd.DataFrame) -> Names:
        """Return the names and class scores of now, of a table as it was found or a part of it."""
        names = Names.of(table)
        if not len(table):
            return names
        if self.answer is not None:
            answered = self.answer.table.set_index("nucleus_id").loc[table["nucleus_id"]]
            names = replace(
                names,
                class_names=answered["class_name"].to_numpy(object),
                class_scores=answered["class_score"].to_numpy(np.float32),
            )
        if not self.corrections:
            return names
        said = table["nucleus_id"].map(self._named().set_index("nucleus_id")["class_name"])
        corrected = said.notna().to_numpy()
        return Names(
            np.where(corrected, said.to_numpy(object), names.class_names),
            np.where(corrected, _SURE, names.class_scores),
            (said != "").to_numpy(),
        )

    def sql(self, file_sql: str, corrected: str, answered: str) -> str:
        """Return the same as a table of SQL, given that of the file.

        It refers to `corrected`, which is registered as a table of that name, and to the table of the
        answer that `add_answer` has made.
        """
        names, scores, joins, gone = ["f.class_name"], ["f.class_score"], "", ""
        if self.answer is not None:
            joins += f" left join {answered} a on a.nucleus_id = f.nucleus_id"
            names.insert(0, "a.class_name")
            scores.insert(0, "a.class_score")
        if self.corrections:
            joins += f" left join {corrected} c on c.nucleus_id = f.nucleus_id"
            names.insert(0, "c.class_name")
            scores.insert(0, "case when c.class_name is not null then 1::float end")
            gone = " where coalesce(c.class_name, 'x') <> ''"
        if not joins:
            return file_sql
        return (
            f"(select f.* replace (coalesce({', '.join(names)}) as class_name, "
            f"coalesce({', '.join(scores)})::float as class_score) from {file_sql} f{joins}{gone})"
        )

    def add_answer(self, database: duckdb.DuckDBPyConnection, name: str) -> None:
        """Make a table of the answer, if there is one: its file may be forgotten or replaced meanwhile."""
        if self.answer is None:
            return
        # a byte a name; of a cohort there may be a hundred million
        table = self.answer.table.astype({"class_name": "category"})
        database.register(f"{name}_frame", table)
        database.execute(f"create table {name} as select * from {name}_frame")
        database.unregister(f"{name}_frame")

    @property
    def corrected(self) -> pd.DataFrame | None:
        """What `sql` wants registered; None: nothing."""
        return self._named() if self.corrections else None

    def _named(self) -> pd.DataFrame:
        """Return ``nucleus_id`` and ``class_name`` of the corrections, "" for no nucleus."""
        names = [each.name or "" for each in self.corrections.values()]
        ids = np.array(list(self.corrections), np.int64)
        return pd.DataFrame({"nucleus_id": ids, "class_name": pd.Series(names, dtype=object)})


def differing(
    said: dict[int, Correction], answered: Overlay, found: pd.DataFrame
) -> dict[int, Correction]:
    """Return what people said of nuclei but for what these are called without it, and were before.

    Parameters
    ----------
    said : dict of int to Correction
    answered : Overlay
        Without corrections.
    found : DataFrame
        ``nucleus_id`` and ``class_name``, as the model found them, of nuclei of which people said what
        they were called before.
    """
    names = answered.names_of(found).class_names
    same = {
        number
        for number, name in zip(found["nucleus_id"].tolist(), names, strict=True)
        if name == said[number].name
    }
    return {number: each for number, each in said.items() if number not in same}


def version_of_names(files: Sequence[Path], *, nuclei: str = "", anywhere: bool = False) -> str:
    """Return a word for the state of what says how nuclei are called, without reading it.

    Answers and classes are other files each time they are written, and a journal only grows.

    Parameters
    ----------
    files : sequence of Path
    nuclei : str
        Checksum of the nuclei that are named.
    anywhere : bool
        Whether copies of the files, and the same files by a relative path, have the same word: their
        size and time stay.
    """
    state = [_state_of(each, anywhere=anywhere) for each in files]
    if not any(state):
        return NO_NAMES
    return hashlib.sha256(json.dumps([nuclei, *state]).encode()).hexdigest()[:_VERSION_DIGITS]


def _state_of(path: Path, *, anywhere: bool) -> tuple[str, int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    where, which = (path.name, 0) if anywhere else (str(path), found.st_ino)
    return where, which, found.st_size, found.st_mtime_ns
