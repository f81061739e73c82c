"""How good an analysis is beside what somebody labelled on the slide, or a model on labelled images."""

import streamlit as st

from pages.evaluate_page import areas, comparison, confusion, downloads, figures, folder, reference
from pages.shared import evaluations, frame, preferences, runs
from pages.shared.doubts import show_doubts
from pages.shared.page_list import EVALUATE

OF_SLIDE, OF_FOLDER = "An analysis of the slide", "A model, on a folder of images"
SECTIONS = {
    "Figures": figures.show,
    "Confusion": confusion.show,
    "Regions": areas.show,
    "Downloads": downloads.show,
}

sidebar = frame.open_page(EVALUATE)
st.header(EVALUATE.title)
measured = preferences.chosen_section("_evaluated", [OF_SLIDE, OF_FOLDER])
if measured == OF_FOLDER:
    with frame.shown_errors():
        folder.show()
    st.stop()

chosen = frame.chosen_slide()

with sidebar, frame.shown_errors():
    frame.describe_slide(runs.slide_of_shown(chosen).info)
    runs.pick_run(chosen)

with frame.shown_errors():
    run = runs.needed_run(chosen)
    show_doubts(run)
    asked = reference.choose(chosen, run)
    evaluation = reference.measured(run, asked)
    evaluations.show(run, evaluation)
    section = preferences.chosen_section("_evaluation_section", list(SECTIONS))
    SECTIONS[section](run, evaluation)
    comparison.offer(chosen, run, asked)
