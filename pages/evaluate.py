"""How good an analysis is beside what somebody labelled on the slide, or a model on labelled images."""

import streamlit as st

from pages.evaluate_page import areas, comparison, confusion, downloads, figures, folder, reference
from pages.shared import evaluations, frame, preferences, run_page
from pages.shared.page_list import EVALUATE

OF_SLIDE, OF_FOLDER = "An analysis of the slide", "A model, on a folder of images"
FIGURES = "Figures"
SECTIONS = {
    "Confusion": confusion.show,
    "Regions": areas.show,
    "Downloads": downloads.show,
}

sidebar = frame.open_page(EVALUATE)
st.header(EVALUATE.title)
measured = preferences.chosen_section("_evaluated", [OF_SLIDE, OF_FOLDER])
if measured == OF_FOLDER:
    frame.keep_slide()
    with frame.shown_errors():
        folder.show()
    st.stop()

opened = run_page.open_run(sidebar, frame.chosen_slide())
chosen, run = opened.chosen, opened.run
with frame.shown_errors():
    asked = reference.choose(chosen, run)
    evaluation = reference.measured(run, asked)
    evaluations.show(run, evaluation)
    section = preferences.chosen_section("_evaluation_section", [FIGURES, *SECTIONS])
    if section == FIGURES:
        figures.show_result(evaluation.result, asked.title, asked.notes)
    else:
        SECTIONS[section](run, evaluation)
    comparison.offer(chosen, run, asked)
