"""What the browser has said that a widget is set to.

What is said to a widget goes before what the reader has done to it: an answer to an earlier click,
still on its way, would turn their next choice back, and a button pressed then goes for another
thing. So nothing is said that the browser has said itself.
"""

from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def say(key: str, value: Any, title: object = None) -> None:
    """Set a widget before it is drawn, unless it is set so and the browser has said so itself.

    A browser that has not drawn the widget, in a popover that nobody has opened or where an error
    stood in its place, has said nothing of it: it would come up as if nothing were chosen, and the
    next click anywhere take that for the reader's word.

    Parameters
    ----------
    key : str
        Of the widget, which gives no default of its own.
    value : object
    title : str or list of str, optional
        What the browser is to call it, or all that are chosen, where that may have changed.
    """
    answer = _answer(key)
    known = answer is not None and (title is None or answer[0] == title)
    if not known or st.session_state.get(key) != value:
        st.session_state[key] = value


def _answer(key: str) -> tuple[Any] | None:
    context = get_script_run_ctx()
    if context is None:
        return None
    # Streamlit tells what a widget is set to, and not whether the browser knows of it. A version that
    # keeps this elsewhere is told each value anew, which a quick reader may notice and no page fails of.
    try:
        state = context.session_state._state
        answers = state._new_widget_state
        number = state._get_widget_id(key)
        metadata = answers.widget_metadata.get(number)
        # What was drawn on a page that the reader has left meanwhile, the browser is about to forget.
        if metadata is None or number not in answers or number not in state._old_state:
            return None
        return (metadata.serializer(answers[number]),)
    except AttributeError:
        return None
