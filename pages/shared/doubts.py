"""What speaks against trusting the numbers of a run, above whatever is shown of it."""

import re

import streamlit as st

from pages.shared.literal import literal
from seg_core.errors import capitalised
from seg_core.store import Run
from seg_core.unbroken import unbroken

_END_OF_CLAIM = re.compile(r"[:;.] ")


def show_doubts(run: Run | None, *, briefly: bool = False) -> None:
    """Show the warnings of a run; nothing where none is shown.

    Parameters
    ----------
    run : Run or None
    briefly : bool
        Where there is little room: what each says first, and the rest for who unfolds it.
    """
    warnings = [capitalised(each) for each in (run.facts.warnings if run is not None else ())]
    for warning in warnings:
        said = _claim(warning) if briefly else warning
        st.warning(unbroken(literal(said)), icon=":material/warning:")
    longer = [each for each in warnings if _claim(each) != each]
    if briefly and longer:
        with st.expander("Why, and what to do", key="doubts in full"):
            for warning in longer:
                st.markdown(unbroken(literal(warning)))


def _claim(warning: str) -> str:
    """Return what a warning says before its reason.

    Examples
    --------
    >>> _claim("The nuclei seem too large for pixels of 0.5 µm: by their sizes a pixel is 0.25 µm.")
    'The nuclei seem too large for pixels of 0.5 µm.'
    >>> _claim("No stain is found.")
    'No stain is found.'
    """
    end = _END_OF_CLAIM.search(warning)
    return f"{warning[: end.start()]}." if end else warning
