"""What a taught classifier answered about the nuclei of a run, beside what the model had answered."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from seg_core.classes import ClassScheme
from seg_core.errors import ModelError, StoreError
from seg_core.files.atomic import replacing
from seg_core.files.disk_errors import store_errors

ANSWER_FILE = "answer.parquet"

_KEY = b"answer"


@dataclass(frozen=True)
class Answer:
    """Names of all nuclei of a run.

    Attributes
    ----------
    classifier : str
        What it is called.
    scheme : ClassScheme
        The model's classes, then its own.
    names : tuple of str
        Those of them that it can give; it knows no others.
    table : DataFrame
        ``nucleus_id``, ``class_name``, ``class_score``: the probability of the class.
    figures : dict
        How well the classifier does, as it stands in its file.
    sha256 : str
        Of the classifier.
    nuclei : str
        Checksum of the file of nuclei that it is of; empty where that is not known.
    """

    classifier: str
    scheme: ClassScheme
    names: tuple[str, ...]
    table: pd.DataFrame
    figures: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""
    nuclei: str = ""


class AnswerFacts(NamedTuple):
    """An answer but for what it says of the nuclei; see `Answer`."""

    classifier: str
    scheme: ClassScheme
    names: tuple[str, ...]
    figures: dict[str, Any]
    sha256: str
    nuclei: str


def write_answer(folder: Path, answer: Answer) -> None:
    """Keep an answer in a folder, that of its run or of a person, in place of an earlier one.

    Raises
    ------
    StoreError
        If the folder is no longer there, or the disk is full or cannot be written.
    """
    columns = {
        "nucleus_id": pa.array(answer.table["nucleus_id"].to_numpy(), pa.int64()),
        "class_name": pa.array(answer.table["class_name"]).cast(pa.string()),
        "class_score": pa.array(answer.table["class_score"].to_numpy(), pa.float32()),
    }
    said = {
        "classifier": answer.classifier,
        "classes": answer.scheme.to_json(),
        "names": list(answer.names),
        "figures": answer.figures,
        "sha256": answer.sha256,
        "nuclei": answer.nuclei,
    }
    table = pa.table(columns).replace_schema_metadata({_KEY: json.dumps(said).encode()})
    with store_errors(folder), replacing(folder / ANSWER_FILE) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_answer(folder: Path) -> Answer | None:
    """Read the answer of a run; None where no classifier was asked.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    path = folder / ANSWER_FILE
    if not path.is_file():
        return None
    facts = _said(path)
    with store_errors(folder):
        table = pq.read_table(path, use_threads=False).to_pandas()
    table["class_score"] = table["class_score"].astype(np.float32)
    return Answer(
        *(facts.classifier, facts.scheme, facts.names, table),
        *(facts.figures, facts.sha256, facts.nuclei),
    )


def read_answer_facts(folder: Path) -> AnswerFacts | None:
    """Read who answered and with which classes, without what was said of the nuclei."""
    path = folder / ANSWER_FILE
    return _said(path) if path.is_file() else None


def forget_answer(folder: Path) -> None:
    """Go back to the model's own answer."""
    with store_errors(folder):
        (folder / ANSWER_FILE).unlink(missing_ok=True)


def _said(path: Path) -> AnswerFacts:
    try:
        with store_errors(path.parent):
            said = json.loads((pq.read_schema(path).metadata or {})[_KEY])
        scheme = ClassScheme.from_json(said["classes"])
        names = tuple(map(str, said.get("names", scheme.names_with_other)))
        figures = said.get("figures")  # earlier versions kept none
        kept = figures if isinstance(figures, dict) else {}
        return AnswerFacts(
            *(str(said["classifier"]), scheme, names, kept),
            *(str(said.get(each, "")) for each in ("sha256", "nuclei")),
        )
    except (pa.ArrowInvalid, KeyError, ValueError, TypeError, ModelError) as error:
        raise StoreError(
            f"{path.name} in {path.parent} is damaged; classify the run again, or remove the file."
        ) from error
