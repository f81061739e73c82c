"""How good an analysis is beside what somebody labelled on the slide."""

import streamlit as st

from pages.evaluate_page import areas, comparison, confusion, downloads, figures, reference
from pages.shared import evaluations, frame, preferences, runs
from pages.shared.page_list import EVALUATE

SECTIONS = {
    "Figures": figures.show,
    "Confusion": confusion.show,
    "Regions": areas.show,
    "Downloads": downloads.show,
}

sidebar = frame.open_page(EVALUATE)
chosen = frame.chosen_slide()

with sidebar, frame.shown_errors():
    frame.describe_slide(runs.slide_of_shown(chosen).info)
    runs.pick_run(chosen)

st.header(EVALUATE.title)
with frame.shown_errors():
    run = runs.needed_run(chosen)
    asked = reference.choose(chosen, run)
    evaluation = reference.measured(run, asked)
    evaluations.show(run, evaluation)
    section = preferences.chosen_section("_evaluation_section", list(SECTIONS))
    SECTIONS[section](run, evaluation)
    comparison.offer(chosen, run, asked)
