"""What a cohort is and how far it came, in the store, so that any later start goes on.

::

    STORE/cohorts/<name>/  cohort.json      the items with their columns, model and settings
                           outcomes.jsonl   a line for each item that ended, well or not; the last
                                            line of an item counts

Lines are appended, and a line that a killed process has not finished is no line.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from seg_core.cohort.named_classifier import NamedClassifier
from seg_core.cohort.plan import Item
from seg_core.errors import CohortError, StoreError
from seg_core.files.atomic import write_json
from seg_core.files.disk_errors import store_errors
from seg_core.settings import AnalysisSettings
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

    def write_plan(
        self,
        items: Sequence[Item],
        model: str,
        model_sha256: str,
        settings: AnalysisSettings,
        classifier: NamedClassifier | None = None,
    ) -> None:
        """Write what the cohort is, over what it was."""
        taught = None if classifier is None else classifier.sha256
        entries = [
            {
                **item.to_json(),
                "key": item.key(model_sha256, settings, taught),
                "problem": item.problem,
            }
            for item in items
        ]
        content = {
            "format": FORMAT,
            "name": self.name,
            "model": {"name": model, "sha256": model_sha256},
            "settings": settings.to_json(),
            "classifier": None
            if classifier is None
            else {"name": classifier.name, "sha256": classifier.sha256},
            "items": entries,
        }
        with store_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.folder / PLAN_FILE, content)

    def read_plan(self) -> dict[str, Any]:
        """Return what `write_plan` wrote.

        Raises
        ------
        CohortError
            If there is no such cohort, or its file is damaged.
        """
        path = self.folder / PLAN_FILE
        try:
            return json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            known = ", ".join(cohort_names(self.store)) or "none"
            raise CohortError(
                f"there is no cohort {self.name!r} in {self.store}; it has {known}."
            ) from None
        except (OSError, ValueError) as error:
            raise CohortError(
                f"{path} is damaged ({error}); start the cohort again, finished slides stay."
            ) from error

    def record(self, outcome: Outcome) -> None:
        """Add how an item ended."""
        line = json.dumps(asdict(outcome), ensure_ascii=False) + "\n"
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
            file.write(line.encode())

    def outcomes(self) -> dict[str, Outcome]:
        """Return the last outcome of each item, by its key."""
        path = self.folder / OUTCOMES_FILE
        found: dict[str, Outcome] = {}
        with store_errors(self.folder):
            text = path.read_bytes() if path.is_file() else b""
        for line in text.splitlines():
            try:
                outcome = Outcome(**json.loads(line))
            except (ValueError, TypeError):
                continue
            found[outcome.key] = outcome
        return found

    def is_finished(self, outcome: Outcome | None) -> bool:
        """Tell whether an item has a finished run that is still there."""
        if outcome is None or outcome.state != "finished" or outcome.run is None:
            return False
        try:
            return open_run(self.store / outcome.run).status == "finished"
        except StoreError:
            return False


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
    digest = hashlib.sha256("\n".join(map(str, paths)).encode()).hexdigest()[:6]
    stem = "".join(letter if letter.isalnum() else "-" for letter in paths[0].stem)[:40]
    return f"{stem}-{digest}"
