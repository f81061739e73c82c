"""What a cohort is and how far it came, in the store, so that any later start goes on.

::

    STORE/cohorts/<name>/  cohort.json      the items with their columns, model and settings
                           outcomes.jsonl   a line for each item that ended, well or not; the last
                                            line of an item counts

Lines are appended, and a line that a killed process has not finished is no line.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from seg_core.cohort.named_classifier import NamedClassifier
from seg_core.cohort.plan import CohortQuestion, Item
from seg_core.cohort.summary import SUMMARY_FILE, is_outdated
from seg_core.errors import CohortError, RegionError, StoreError
from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import read_sealed, write_sealed
from seg_core.scoring.assessment import TIL_FILE
from seg_core.store import open_run

COHORTS_FOLDER = "cohorts"
"""Name of the folder of all cohorts in a store."""

PLAN_FILE, OUTCOMES_FILE = "cohort.json", "outcomes.jsonl"

FORMAT = 1

Ending = Literal["finished", "failed", "refused", "busy", "stopped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the work on one item ended.

    Attributes
    ----------
    key : str
        Of the item; see `seg_core.cohort.plan.Item.key`.
    state : {"finished", "failed", "refused", "busy", "stopped"}
        *failed* is the slide's own fault and stands until somebody asks again; *refused* was the
        fault of the place (no room, no model, no memory), *busy* means that another process is at
        work on it.
    run : str or None
        Folder of the run within the store.
    error : str or None
        The sentence for a person.
    nuclei : int
    megapixels, seconds : float
        As in ``run.json``.
    worker : str
        Who did it.
    """

    key: str
    state: Ending
    run: str | None = None
    error: str | None = None
    nuclei: int = 0
    megapixels: float = 0.0
    seconds: float = 0.0
    worker: str = ""


class Journal:
    """The folder of one cohort; one process at a time writes it.

    Parameters
    ----------
    store : Path
    name : str
    """

    def __init__(self, store: Path, name: str) -> None:
        if not name.strip(".") or not all(each.isalnum() or each in "-_." for each in name):
            raise CohortError(
                f"a cohort cannot be called {name!r}; use letters, digits, '-', '_' and '.'."
            )
        self.store = store
        self.name = name
        self.folder = store / COHORTS_FOLDER / name

    def write_plan(self, items: Sequence[Item], question: CohortQuestion) -> list[str]:
        """Write what the cohort is, over what it was.

        Returns
        -------
        keys : list of str
            Of the items; a slide that changes while the cohort is at work keeps its key.
        """
        keys = [item.key(question) for item in items]
        entries = [
            {**item.to_json(), "key": key, "problem": item.problem}
            for item, key in zip(items, keys, strict=True)
        ]
        content = {
            "format": FORMAT,
            "name": self.name,
            **question.to_json(),
            "items": entries,
        }
        with store_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_sealed(self.folder / PLAN_FILE, content)
        return keys

    def read_plan(self) -> dict[str, Any]:
        """Return what `write_plan` wrote.

        Raises
        ------
        CohortError
            If there is no such cohort, or its file is damaged.
        """
        path = self.folder / PLAN_FILE
        if not path.is_file():
            known = ", ".join(cohort_names(self.store)) or "none"
            raise CohortError(f"there is no cohort {self.name!r} in {self.store}; it has {known}.")
        plan = read_sealed(path)
        if plan is None or not _is_plan(plan):
            raise CohortError(f"{path} is damaged; start the cohort again, finished slides stay.")
        return plan

    def record(self, outcome: Outcome) -> None:
        """Add how an item ended."""
        line = json.dumps(asdict(outcome)) + "\n"
        with (
            store_errors(self.folder),
            (self.folder / OUTCOMES_FILE).open("a+b") as file,
        ):
            # a line that was cut off must not swallow this one
            file.seek(0, 2)
            if file.tell():
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    line = "\n" + line
            # the name of a file may be of bytes that are no letters; JSON has escapes for them
            file.write(line.encode("utf-8", "backslashreplace"))

    def outcomes(self) -> dict[str, Outcome]:
        """Return the last outcome of each item, by its key."""
        path = self.folder / OUTCOMES_FILE
        found: dict[str, Outcome] = {}
        with store_errors(self.folder):
            text = path.read_bytes() if path.is_file() else b""
        for line in text.splitlines():
            outcome = _outcome(line)
            if outcome is not None:
                found[outcome.key] = outcome
        return found

    def is_finished(
        self,
        outcome: Outcome | None,
        classifier: NamedClassifier | None = None,
        *,
        til: bool = False,
    ) -> bool:
        """Tell whether an item has a finished run that is still there, named by who is to name it.

        And whether the figures beside it are of the nuclei as they are called and counted now: what was
        corrected since leaves a run without intervals and scores until they are found anew.

        Parameters
        ----------
        outcome : Outcome or None
            Its last one.
        classifier : NamedClassifier, optional
            Of the cohort; another may have answered since, or somebody has gone back to the model.
        til : bool
            Whether TIL scores are wanted, too.
        """
        if outcome is None or outcome.state != "finished" or outcome.run is None:
            return False
        try:
            run = open_run(self.store / outcome.run)
            said = None if classifier is None else run.named_by
            named = classifier is None or (said is not None and said.sha256 == classifier.sha256)
            files = [SUMMARY_FILE, *([TIL_FILE] if til else [])]
            return (
                run.status == "finished"
                and named
                and not any(is_outdated(run, file) for file in files)
            )
        except (StoreError, RegionError):
            return False


# Kinds of what has to stand in the plan of each item, and may stand in a line on an outcome.
_OF_ITEM: dict[str, Any] = {
    **dict.fromkeys(("slide", "name", "key"), str),
    **dict.fromkeys(("roi", "patient", "group"), str | None),
    "mpp": int | float | None,
    "columns": dict,
}
_OF_OUTCOME: dict[str, Any] = {
    **dict.fromkeys(("key", "state", "worker"), str),
    **dict.fromkeys(("run", "error"), str | None),
    "nuclei": int,
    **dict.fromkeys(("megapixels", "seconds"), int | float),
}


def _is_plan(plan: dict[str, Any]) -> bool:
    items, model, said = (plan.get(name) for name in ("items", "model", "settings"))
    return (
        isinstance(said, dict)
        and isinstance(model, dict)
        and all(isinstance(model.get(name), str) for name in ("name", "sha256"))
        and isinstance(items, list)
        and all(map(_is_item, items))
    )


def _is_item(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and all(name in item and isinstance(item[name], kind) for name, kind in _OF_ITEM.items())
        and all(isinstance(each, str) for column in item["columns"].items() for each in column)
    )


def _outcome(line: bytes) -> Outcome | None:
    """Return what a line says, None where it is cut off or damaged."""
    with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
        entries = json.loads(line)
        if entries["state"] in get_args(Ending) and all(
            isinstance(value, _OF_OUTCOME[name]) for name, value in entries.items()
        ):
            return Outcome(**entries)
    return None


def cohort_names(store: Path) -> list[str]:
    """Return the names of the cohorts of a store."""
    return sorted(path.parent.name for path in store.glob(f"{COHORTS_FOLDER}/*/{PLAN_FILE}"))


def name_of(sources: Iterable[Path]) -> str:
    """Return the name of a cohort for which nobody chose one: the same sources, the same name.

    Examples
    --------
    >>> name_of([Path("/data/trial 7.csv")])
    'trial-7-8c5117'
    """
    paths = [path.absolute() for path in sources]
    digest = hashlib.sha256(b"\n".join(map(os.fsencode, paths))).hexdigest()[:6]
    stem = "".join(letter if letter.isalnum() else "-" for letter in paths[0].stem)[:40]
    return f"{stem}-{digest}"
