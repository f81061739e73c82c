"""Teach a classifier the classes of one's own tissue, by a few answers."""

import streamlit as st

from pages.shared import frame, linked_slide, pixel_size, preferences, state
from pages.shared.demonstration import show_notes
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
    linked_slide.follow_address()
    chosen = material.choose_runs(sidebar)
    first = chosen.runs[0]
    if state.SLIDE.get() is None:  # so that other pages show what is taught here
        state.choose_slide(pixel_size.chosen(first.slide_path))
        state.RUN.set(first.path)
    linked_slide.write_address(state.ChosenSlide(first.slide_path), first)
    show_notes(run.slide_path for run in chosen.runs)
    section = preferences.chosen_section("_teach_section", list(SECTIONS), first="Label")
    SECTIONS[section](chosen)
