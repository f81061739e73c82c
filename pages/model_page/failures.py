"""Where a model is known to fail, with pictures."""

import streamlit as st

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
    st.caption(
        "Outlines in the colours of the classes: "
        + ", ".join(f"{each.name}" for each in card.scheme.classes)
        + "; grey is *other*. From the samples, whose licences allow it; found by looking, so no "
        "statistics."
    )
    for first in range(0, len(found), _COLUMNS):
        columns = st.columns(_COLUMNS)
        for column, failure in zip(columns, found[first : first + _COLUMNS], strict=False):
            with column:
                st.image(failure.picture, width="stretch")
                st.markdown(failure.words)
                st.caption(failure.credit)
