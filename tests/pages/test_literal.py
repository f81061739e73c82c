"""Names are seen as they were written."""

import pytest

from pages.shared.literal import literal


@pytest.mark.parametrize(
    "name", ["cmu_small_region.svs", "S-12 a.b (2).tif", "fold, 2", "病人.tif"]
)
def test_an_ordinary_name_is_left_as_it_is(name: str) -> None:
    assert literal(name) == name


@pytest.mark.parametrize(
    ("name", "markdown"),
    [
        ("*a*", r"\*a\*"),
        ("_a_", r"\_a\_"),
        ("a__b", r"a\_\_b"),
        ("[a](b)", r"\[a\](b)"),
        ("<b>", r"\<b\>"),
        ("$x$", r"\$x\$"),
        (":red[a]", "\\:\u2060red\\[a\\]"),
        ("`a`", r"\`a\`"),
        ("1. a", r"1\. a"),
        ("- a", r"\- a"),
        ("# a", r"\# a"),
        ("a\\*", r"a\\\*"),
    ],
)
def test_what_markdown_would_read_is_written_out(name: str, markdown: str) -> None:
    assert literal(name) == markdown
