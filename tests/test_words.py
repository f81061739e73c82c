"""One thing is called by one word wherever somebody reads of it: on pages, in reports, help and documents."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# What nobody calls a thing any more, and what it is called.
ONCE = {
    r"\barithmetic\b": "precision",
    r"\bmeasured by (?!``python|paired)|\bmeasures? (it|them|a model) by\b": "on images, against a reference",
    r"\blooks? at each\b|\beach tile looked at\b|\b(two|four|eight) looks\b": "views",
}
# What changed is told in the words of its time.
TEXTS = [
    each
    for each in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "pages").rglob("*.md"))
    if each.name != "CHANGELOG.md"
]
CODE = [path for folder in ("pages", "seg_core") for path in (ROOT / folder).rglob("*.py")]


def said_in(source: str) -> Iterator[str]:
    """Texts of a module that are not documentation of its code."""
    tree = ast.parse(source)
    documents = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documents
        ):
            yield node.value


@pytest.mark.parametrize("word", ONCE, ids=ONCE.get)
def test_no_page_report_help_or_document_has_a_second_word_for_it(word: str) -> None:
    """A precision was arithmetic beside the field of that name, and a view was a look."""
    texts = {path: [path.read_text("utf-8")] for path in TEXTS}
    texts |= {path: list(said_in(path.read_text("utf-8"))) for path in CODE}
    found = {
        path.relative_to(ROOT).as_posix(): match[0]
        for path, told in texts.items()
        for text in told
        if (match := re.search(word, text, re.IGNORECASE))
    }
    assert not found, f"say {ONCE[word]}"


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_figure_that_may_be_large_is_written_as_a_power_of_ten(path: Path) -> None:
    """A density of a square was 1.23e+03 per mm²: *g* has no thousands that a comma could set off."""
    specs = [
        spec.value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr)
        for spec in node.format_spec.values
        if isinstance(spec, ast.Constant)
    ]
    assert not [spec for spec in specs if re.search(r",\.\dg", str(spec))], "say seg_core.digits"
