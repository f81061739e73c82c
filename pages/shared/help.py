"""Help on every page: how to use it, and what the model was taught."""

from pathlib import Path
from textwrap import indent

import streamlit as st

from pages.shared.page_list import PAGES
from seg_core.errors import ModelError
from seg_core.model import ModelCard, find_model
from seg_core.unbroken import unbroken

_TEXT = Path(__file__).with_suffix(".md")


def offer_help() -> None:
    """Show a button that opens the help."""
    with st.popover("Help", icon=":material/help:", width="stretch"):
        st.markdown(unbroken(_manual()))
        st.markdown(unbroken(_TEXT.read_text("utf-8")))
        try:
            card, _ = find_model()
        except ModelError as error:
            st.error(str(error))
        else:
            st.markdown(unbroken(_about(card)))


def _manual() -> str:
    points = (
        f"{number}. **{page.title}** – {indent(page.manual.strip(), '   ').lstrip()}"
        for number, page in enumerate(PAGES, 1)
    )
    return "\n".join(("**How to use it**\n", *points))


def _about(card: ModelCard) -> str:
    lines = [f"**The model: {card.title or card.name}**", card.data]
    if card.licence:
        lines.append(f"Licence of the weights: {card.licence}.")
    return "\n\n".join(lines)
