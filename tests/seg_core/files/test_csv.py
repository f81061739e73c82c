import io

import pandas as pd
import pytest

from seg_core.files.csv import csv_text, write_csv


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_is_never_a_formula(begin: str) -> None:
    table = pd.DataFrame({"part": [f"{begin}1+2"], "x": [-1.5]})
    read = pd.read_csv(io.StringIO(csv_text(table), newline=""))
    assert read["part"][0] == f"'{begin}1+2".replace("\r", "\n")
    assert read["x"][0] == -1.5


def test_the_mark_for_excel_is_there_where_there_are_letters_beyond_ascii() -> None:
    assert csv_text(pd.DataFrame({"part": ["Tumörrand"]})).encode() == (
        b"\xef\xbb\xbfpart\nTum\xc3\xb6rrand\n"
    )
    assert csv_text(pd.DataFrame({"part": ["rim"]})) == "part\nrim\n"


def test_rows_that_follow_have_neither_names_nor_mark() -> None:
    file = io.StringIO()
    write_csv(pd.DataFrame({"part": ["a"]}), file)
    write_csv(pd.DataFrame({"part": ["ä"]}), file, header=False)
    assert file.getvalue() == "part\na\nä\n"


def test_a_category_and_a_column_may_look_like_a_formula_too() -> None:
    table = pd.DataFrame({"=a": pd.Categorical(["@b", "c"])})
    assert csv_text(table) == "'=a\n'@b\nc\n"
