"""Where a model is known to fail, with pictures."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from seg_core.classes import OTHER, OTHER_COLOUR, NucleusClass
from seg_core.model import ModelCard
from seg_core.model.measured import known_failures

_COLUMNS = 3


def show(card: ModelCard) -> None:
    """Show pictures of what the model does wrong on the samples, and what that is."""
    found = known_failures(card)
    if not found:
        st.info(
            "Nobody has collected pictures of what this model does wrong.", icon=":material/help:"
        )
        return
    st.html(_legend(card.scheme.classes))
    st.caption("From the samples, whose licences allow it; found by looking, so no statistics.")
    for first in range(0, len(found), _COLUMNS):
        columns = st.columns(_COLUMNS)
        for column, failure in zip(columns, found[first : first + _COLUMNS], strict=False):
            with column:
                st.image(failure.picture, width="stretch")
                st.markdown(failure.words)
                st.caption(failure.credit)


def _legend(classes: Sequence[NucleusClass]) -> str:
    """Return the names of the classes, each behind a square of the colour of its outlines."""
    colours = [*((each.name, each.colour) for each in classes), (OTHER, OTHER_COLOUR)]
    named = "&emsp;".join(
        f'<span style="white-space: nowrap"><span style="color: {escape(colour)}">■</span> '
        f"{escape(name)}</span>"
        for name, colour in colours
    )
    return f"<span>Outlines by class: {named}</span>"
