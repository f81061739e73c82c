"""A page is one entry of the browser's history.

The address of a page names the slide and the run that it shows, and is written once the page knows
them. Streamlit adds an entry each time, and has no other way: *Back* led to the same page, whose
address was then written again. So an address with the same path takes the place of the last one.
"""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from pages.shared import state

_FOLDER = Path(__file__).parent / "history_view"

_mount = st.components.v2.component(
    "one_entry",
    css=":host { display: none; }",
    html="<i hidden></i>",
    js=(_FOLDER / "one_entry.js").read_text("utf-8"),
)


def keep_one_entry() -> None:
    """Have what is written into the address of a page replace its entry."""
    _mount(key="_one_entry")
    # The browser may have nothing of a run of the page before the whole of it is done.
    state.ONE_ENTRY.set(state.ONE_ENTRY.get() is not None)


def write_address(names: Mapping[str, str | None]) -> None:
    """Have the address of the page name things; None takes a name away.

    Streamlit would write it before a browser that has just come knows that it is to replace the
    entry. So the browser itself does at first, and tells Streamlit with what the reader does next.
    """
    if not state.ONE_ENTRY.get():
        with st.sidebar:  # which has the other one too; on the page it would take up a line
            _mount(key="_first_address", data=dict(names))
        return
    for name, value in names.items():
        if value is None:
            st.query_params.pop(name, None)
    st.query_params.update({name: value for name, value in names.items() if value is not None})
