"""What is chosen stays chosen when it is called otherwise by now.

The browser tells a choice by what it is called. An analysis is given another name, a classifier names
its nuclei or no longer does: it then has another title, of which the last answer of the browser knows
nothing, and Streamlit goes back to the first of all.
"""

from collections.abc import Collection, Hashable

import streamlit as st


def keep_chosen(key: str, options: Collection[Hashable]) -> None:
    """Say anew, before a widget offers them, which of some things are chosen.

    Parameters
    ----------
    key : str
        Of a widget that offers one of the things, or several; it gives no default of its own.
    options : collection
        The things themselves; what is chosen and not among them is chosen no more.
    """
    chosen = st.session_state.get(key)
    if isinstance(chosen, list):
        st.session_state[key] = [each for each in chosen if each in options]
    elif chosen in options:
        st.session_state[key] = chosen
