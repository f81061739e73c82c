"""A page is one entry of the browser's history.

The address of a page names the slide and the run that it shows, and is written once the page knows
them. Streamlit adds an entry each time, and has no other way: *Back* led to the same page, whose
address was then written again. So an address with the same path takes the place of the last one, and
what was written before this was loaded is put into the entry before.
"""

from pathlib import Path

import streamlit as st

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
