"""The one list of references: documents, command line and page offer the same."""

from pathlib import Path

import pytest

from seg_core.commands import main
from seg_core.labelled import reference_list
from seg_core.labelled.reference_list import FILE_SUFFIXES, REFERENCES, kind_of_file

ROOT = Path(__file__).parents[3]


def test_the_documents_list_exactly_the_references() -> None:
    """Else `python -m seg_core.labelled.reference_list` writes their table anew."""
    document = (ROOT / "docs/evaluation.md").read_text("utf-8")
    assert reference_list.with_table(document) == document
    for kind in REFERENCES:
        assert f"| {kind.title} |" in document


def test_a_table_that_lacks_a_row_gets_it_and_the_rest_of_the_document_stays() -> None:
    whole = "before\n\n" + reference_list.markdown_table() + "\nafter\n\n| another | table |\n"
    lines = whole.splitlines(keepends=True)
    lacking = "".join(line for line in lines if "ImageScope" not in line)
    assert lacking != whole
    assert reference_list.with_table(lacking) == whole


def test_the_help_of_the_command_names_all_that_measures_a_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert reference_list.in_words("run") in said


def test_the_end_of_a_name_says_which_kind_a_file_is() -> None:
    assert len(set(FILE_SUFFIXES)) == len(FILE_SUFFIXES)
    for kind in REFERENCES:
        for suffix in kind.suffixes:
            assert kind_of_file(f"a.b{suffix.upper()}") is kind
    assert kind_of_file("slide.svs") is None
