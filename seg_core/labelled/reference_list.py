"""The one list of references by which an answer can be measured.

The page Evaluate, the command ``evaluate`` and ``docs/evaluation.md`` read it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ReferenceKind:
    """One kind of reference.

    Attributes
    ----------
    name : str
    title : str
        What people call it, in the middle of a sentence.
    words : str
        What is read of it, Markdown.
    measures : {"run", "model"}
        A finished run of the slide that it is of, or a model, which is asked anew.
    suffixes : tuple of str
        Ends of the names of its files; none of what is no file.
    """

    name: str
    title: str
    words: str
    measures: Literal["run", "model"]
    suffixes: tuple[str, ...] = ()


REFERENCES = (
    ReferenceKind(
        "geojson",
        "QuPath GeoJSON",
        "polygons with holes, parts of multipolygons one by one; of a cell its nucleus; points as dots; "
        "the class by name",
        "run",
        (".geojson", ".json", ".gz"),
    ),
    ReferenceKind(
        "xml",
        "ImageScope XML",
        "the class from a layer's attribute, else its name; negative regions are holes",
        "run",
        (".xml",),
    ),
    ReferenceKind(
        "dots",
        "CSV of dots",
        "columns `x`, `y` (pixels) or `x_um`, `y_um`, and `class`; or the nuclei of a run as `export --csv` "
        "writes them",
        "run",
        (".csv",),
    ),
    ReferenceKind(
        "mask",
        "mask of the slide (PNG or TIFF)",
        "one number a nucleus; classes from a second mask of the same size, `class/NAME.png` beside "
        "`inst/NAME.png`",
        "run",
        (".png", ".tif", ".tiff"),
    ),
    ReferenceKind(
        "corrected",
        "analysis corrected by hand",
        "a run's answer as people corrected it; nuclei that the run missed are not in it",
        "run",
    ),
    ReferenceKind(
        "images",
        "folder of labelled images",
        "`images/`, `inst/` and, where there are classes, `class/` and `ignore/`; `images/` and "
        "`points.csv`; or a folder a patient as MoNuSAC has them",
        "model",
    ),
)
"""All kinds, in the order in which they are offered."""

FILE_SUFFIXES = tuple(suffix for each in REFERENCES for suffix in each.suffixes)
"""Ends of the names of files that hold a reference of a slide."""

_TITLE_ROW = "| reference | what is read | measures |\n"


def in_words(measures: Literal["run", "model"]) -> str:
    """Return the kinds that measure a run, or a model, as they stand in a sentence.

    Examples
    --------
    >>> in_words("model")
    'folder of labelled images'
    """
    *others, last = (each.title for each in REFERENCES if each.measures == measures)
    return f"{', '.join(others)} or {last}" if others else last


def kind_of_file(name: str) -> ReferenceKind | None:
    """Return the kind of a file by its name; None where no kind ends so.

    Examples
    --------
    >>> kind_of_file("Nuclei.CSV").title
    'CSV of dots'
    """
    suffix = Path(name).suffix.lower()
    return next((each for each in REFERENCES if suffix in each.suffixes), None)


def markdown_table() -> str:
    """Return the table of docs/evaluation.md."""
    measured = {"run": "a run (`--run`)", "model": "a model (`--data`)"}
    rows = (f"| {each.title} | {each.words} | {measured[each.measures]} |\n" for each in REFERENCES)
    return "".join([_TITLE_ROW, "|---|---|---|\n", *rows])


def with_table(document: str) -> str:
    """Return a Markdown document with the table of references in the place of the one it has."""
    before, _, rest = document.partition(_TITLE_ROW)
    lines = rest.splitlines(keepends=True)
    after = next((row for row, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return "".join([before, markdown_table(), *lines[after:]])


if __name__ == "__main__":
    _DOCUMENT = Path(__file__).parents[2] / "docs/evaluation.md"
    _DOCUMENT.write_text(with_table(_DOCUMENT.read_text("utf-8")), "utf-8")
