"""The part of the report that tells which taught classifier named the classes, and how well it does."""

from collections.abc import Iterator
from typing import Any

from seg_core.errors import counted
from seg_core.report.document import Block, Facts, Heading, Table, Words
from seg_core.store.answer import AnswerFacts

_FIGURES = ("precision", "recall", "f1")

_NO_FIGURES = (
    "How well it does was not measured, or not kept with this analysis; teach it labels of several "
    "places, and apply it again."
)


def classifier_blocks(said: AnswerFacts, model: str) -> Iterator[Block]:
    """Tell which classifier named the classes of a run, what it was taught, and its own figures.

    Parameters
    ----------
    said : AnswerFacts
        Its figures come from a file that anybody may have written, so none has to be there.
    model : str
        What the model is called that found the nuclei.
    """
    figures = said.figures
    yield Heading(f"Classes by the taught classifier {said.classifier}")
    yield Words(
        f"The model {model} found and outlined the nuclei; which class each is of, the taught "
        f"classifier {said.classifier} has said."
    )
    rows = [row for row in _listed(figures.get("by_class")) if isinstance(row, dict)]
    labels = [row["labels"] for row in rows if _is_count(row.get("labels"))]
    facts = [("its classes", ", ".join(said.names))]
    if labels:
        facts.append(("taught with", counted(sum(labels), "label")))
    if said.sha256:
        facts.append(("SHA-256", said.sha256))
    yield Facts(facts)
    macro, groups, unit = (figures.get(name) for name in ("macro_f1", "groups", "left_out"))
    if not rows or not _is_share(macro) or not _is_count(groups) or not isinstance(unit, str):
        yield Words(_NO_FIGURES)
        return
    yield Table(
        titles=["class", "labels", "precision", "recall", "F1"],
        rows=[
            [
                str(row.get("class")),
                f"{row['labels']:,}" if _is_count(row.get("labels")) else "–",
                *(f"{row[key]:.2f}" if _is_share(row.get(key)) else "–" for key in _FIGURES),
            ]
            for row in rows
        ],
        numbers=[False, True, True, True, True],
        widths=[32, 17, 17, 17, 17],
    )
    yield Words(
        f"Macro F1 {macro:.2f}. Cross-validated: each of {groups:,} {unit}s was answered without labels "
        "of its own."
    )


def _listed(entry: object) -> list[Any]:
    return entry if isinstance(entry, list) else []


def _is_share(entry: object) -> bool:
    return isinstance(entry, int | float) and not isinstance(entry, bool) and 0 <= entry <= 1


def _is_count(entry: object) -> bool:
    return isinstance(entry, int) and not isinstance(entry, bool) and entry >= 0
