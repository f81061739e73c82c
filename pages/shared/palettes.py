"""The colours of the classes, which every reader chooses for all pages."""

import streamlit as st

from pages.shared import state
from pages.shared.callbacks import refusable
from seg_core.classes import PALETTES, USUAL_PALETTE, ClassScheme
from seg_core.store import Run


def chosen() -> str:
    """Return the name of the palette that the session uses."""
    return state.PALETTE.get() or USUAL_PALETTE


def scheme_of(run: Run) -> ClassScheme:
    """Return a run's classes in the session's colours; charts, legends and layers agree by it."""
    return recoloured(run.scheme)


def recoloured(scheme: ClassScheme) -> ClassScheme:
    """Return classes in the session's colours."""
    return scheme.recoloured(chosen())


def offer_choice() -> None:
    """Let the reader choose."""
    names = list(PALETTES)

    def keep() -> None:
        state.PALETTE.set(st.session_state["_palette"])

    st.selectbox(
        "Colours of the classes",
        names,
        index=names.index(chosen()),
        format_func=lambda name: PALETTES[name].label,
        key="_palette",
        on_change=refusable(keep),
    )
