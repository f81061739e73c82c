"""Teach a classifier the classes of one's own tissue, by a few answers."""

import streamlit as st

from pages.shared import frame
from pages.shared.page_list import TEACH
from pages.teach_page import exchange, labelling, material, own_classes, training

SECTIONS = {
    "Classes": own_classes.show,
    "Label": labelling.show,
    "Train": training.show,
    "Files": exchange.show,
}

sidebar = frame.open_page(TEACH)
st.header(TEACH.title, anchor=False)
with frame.shown_errors():
    chosen = material.choose_runs(sidebar)
    section = st.segmented_control(
        "Section",
        list(SECTIONS),
        default="Label",
        required=True,
        key="_teach_section",
        label_visibility="collapsed",
    )
    SECTIONS[section](chosen)
