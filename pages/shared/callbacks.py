"""What widgets call when they are used, which is before the page is made anew.

A page shows the sentence of whatever goes wrong while it is made. What a callback raises comes
before that: nothing of the page would be there but a traceback. So the sentence is kept, the page is
made, and shows it.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from pages.shared import resources, state
from pages.shared.literal import literal
from pages.shared.page_list import PageEntry
from seg_core.errors import SegCoreError, SlideError, capitalised

P = ParamSpec("P")


def refusable(
    act: Callable[P, object], problem: state.Key[str] = state.REFUSED
) -> Callable[P, None]:
    """Return a callback that keeps the sentence of what goes wrong, until the next try.

    Parameters
    ----------
    act : callable
    problem : Key, optional
        Where the sentence is kept for a place of its own, which `show` fills; by default it stands
        above the page.
    """

    @wraps(act)
    def call(*arguments: P.args, **named: P.kwargs) -> None:
        problem.clear()
        try:
            act(*arguments, **named)
        except SegCoreError as error:
            if isinstance(error, SlideError):
                resources.forget_slides()
            problem.set(capitalised(str(error)))
            if problem == state.REFUSED:
                state.REFUSED_ON.clear()

    return call


def show(problem: state.Key[str]) -> None:
    """Show in its place why something was refused."""
    sentence = problem.get()
    if sentence is not None:
        st.error(literal(sentence), icon=":material/error:")


def show_above(page: PageEntry) -> None:
    """Show above a page why something was refused; the next page says nothing of it."""
    if state.REFUSED_ON.get() not in (None, page.file):
        state.REFUSED.clear()
    if state.REFUSED.get() is None:
        state.REFUSED_ON.clear()
        return
    state.REFUSED_ON.set(page.file)
    show(state.REFUSED)


def follow_refusal() -> None:
    """Run the whole page where a callback of a fragment was refused, which runs the fragment alone."""
    if state.REFUSED.get() is not None and state.REFUSED_ON.get() is None:
        st.rerun(scope="app")
