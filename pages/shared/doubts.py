"""What speaks against trusting the numbers of a run, above whatever is shown of it."""

import streamlit as st

from pages.shared.literal import literal
from seg_core.store import Run


def show_doubts(run: Run | None) -> None:
    """Show the warnings of a run; nothing where none is shown."""
    for warning in run.facts.warnings if run is not None else ():
        st.warning(literal(f"{warning[:1].upper()}{warning[1:]}"), icon=":material/warning:")
