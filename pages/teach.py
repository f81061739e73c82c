"""Teach a classifier the classes of one's own tissue, by a few answers."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from pages.shared import frame, linked_slide, pixel_size, preferences, resources, state
from pages.shared.demonstration import show_notes
from pages.shared.page_list import TEACH
from pages.teach_page import exchange, labelling, material, own_classes, training
from seg_core.errors import SegCoreError
from seg_core.store import Run

SECTIONS = {
    "Classes": own_classes.show,
    "Label": labelling.show,
    "Train": training.show,
    "Files": exchange.show,
}


def _write_address(chosen: state.ChosenSlide, runs: Sequence[Run]) -> None:
    with suppress(SegCoreError):  # a slide that is gone has no place in the address
        slide_id = resources.identity(chosen.path)
        taught = next((run for run in runs if run.slide_id == slide_id), None)
        linked_slide.write_address(chosen, taught)


sidebar = frame.open_page(TEACH)
st.header(TEACH.title, anchor=False)
with frame.shown_errors():
    linked_slide.follow_address()
    taught = material.choose_runs(sidebar)
    first = taught.runs[0]
    slide = state.SLIDE.get()
    if slide is None:  # so that other pages show what is taught here
        slide = pixel_size.chosen(first.slide_path)
        state.choose_slide(slide)
        state.show_run(first.path)
    _write_address(slide, taught.runs)
    show_notes(run.slide_path for run in taught.runs)
    section = preferences.chosen_section("_teach_section", list(SECTIONS), first="Label")
    SECTIONS[section](taught)
