"""The command whose figures the page on cohorts shows."""

import sys
from unittest.mock import MagicMock

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.bench import cohort_catalog
from tests.pages.conftest import use_blue_engine


def test_the_command_times_every_gesture_on_the_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It timed a page that had ended in an error, since AppTest's browser has made-up cookies."""
    use_blue_engine(monkeypatch)
    monkeypatch.setattr(type(st.context), "cookies", MagicMock())
    monkeypatch.setattr(sys, "argv", ["cohort_catalog", "--runs", "8", "--nuclei", "100"])
    cohort_catalog.main()
    said = capsys.readouterr().out
    assert said.startswith("8 runs with 800 nuclei\n")
    assert "\npage: first table: " in said
    assert "\npage: table again: " in said


def test_a_page_that_fails_is_not_timed() -> None:
    page = AppTest.from_string("import streamlit as st\nst.exception(ValueError('torn'))").run()
    with pytest.raises(SystemExit, match="The page failed: torn"):
        cohort_catalog._whole(page)
