"""What is chosen stays chosen when it is called otherwise by now.

The browser tells a choice by what it is called. An analysis is given another name, a classifier names
its nuclei or no longer does: it then has another title, of which the last answer of the browser knows
nothing, and Streamlit goes back to the first of all.
"""

from collections.abc import Hashable, Mapping
from typing import Any

import streamlit as st

from pages.shared.browser_answer import say


def keep_chosen(key: str, titles: Mapping[Any, str]) -> None:
    """Say anew, before a widget offers them, which of some things are chosen, where the browser calls them otherwise.

    Parameters
    ----------
    key : str
        Of a widget that offers one of the things, or several; it gives no default of its own.
    titles : mapping of object to str
        The things themselves and what they are called; what is chosen and not among them is chosen
        no more.
    """
    called = st.session_state.setdefault(f"{key}_called", {})
    called.update({title: each for each, title in titles.items()})

    def found(each: Hashable) -> Hashable:
        # An answer that was on its way when the title changed comes as the title itself.
        return each if each in titles else called.get(each)

    chosen = st.session_state.get(key)
    if isinstance(chosen, list):
        several = [thing for each in chosen if (thing := found(each)) in titles]
        say(key, several, [titles[each] for each in several])
    elif (one := found(chosen)) in titles:
        say(key, one, titles[one])
