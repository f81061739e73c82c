"""Who looks at a page, for tests that call its parts without a server."""

import pytest
import streamlit as st

from pages.shared.visitor import COOKIE


def visited_by(monkeypatch: pytest.MonkeyPatch, *, cookie: str | None = None, local="0") -> None:
    """Have a reader with a cookie or without one, at this machine (``local="1"``) or elsewhere."""
    monkeypatch.setenv("SEG_LOCAL", local)
    cookies = {} if cookie is None else {COOKIE: cookie}
    monkeypatch.setattr(type(st.context), "cookies", cookies)
