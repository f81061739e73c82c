"""What a model can and cannot do, before anybody trusts its numbers."""

import streamlit as st

from pages.model_page import card_view
from pages.shared import frame
from pages.shared.page_list import MODEL
from seg_core.model import available_models, find_model
from seg_core.model.engine import engine_name
from seg_core.settings import AnalysisSettings

sidebar = frame.open_page(MODEL)
st.header(MODEL.title)
with frame.shown_errors():
    names = [each.name for each in available_models()]
    name = st.selectbox("Model", names, key="_model_shown") if len(names) > 1 else None
    card, _ = find_model(name)

    card_view.show_origin(card)
    card_view.show_figures(card)
    st.subheader("Speed and precision", anchor=False)
    card_view.show_speed(card)
    st.caption(
        f"On this machine it runs by {engine_name(AnalysisSettings())}; the facts of each analysis "
        "name the engine and the precision that were used."
    )
