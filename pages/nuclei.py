"""What was found: counts, densities, measures, the table, pictures, and files to take away."""

import streamlit as st

from pages.nuclei_page import (
    choice,
    density,
    distributions,
    downloads,
    gallery,
    nucleus_table,
    overview,
    run_comparison,
)
from pages.shared import frame, preferences, regions, runs
from pages.shared.doubts import show_doubts
from pages.shared.page_list import NUCLEI

SECTIONS = {
    "Overview": overview.show,
    "Distributions": distributions.show_one,
    "Scatter": distributions.show_two,
    "Map": density.show,
    "Table": nucleus_table.show,
    "Gallery": gallery.show,
    "Analyses": run_comparison.show,
    "Downloads": downloads.show,
}

sidebar = frame.open_page(NUCLEI)
chosen = frame.chosen_slide()

with sidebar, frame.shown_errors():
    frame.describe_slide(runs.slide_of_shown(chosen).info)
    runs.pick_run(chosen)

st.header(NUCLEI.title)
with frame.shown_errors():
    run = runs.needed_run(chosen)
    show_doubts(run)
    counted = choice.ask(run, regions.slide_rois(chosen))
    if not sum(run.facts.counts.values()):
        st.info("No nuclei were found here. Is there tissue in the analysed region?")
    section = preferences.chosen_section("_section", list(SECTIONS))
    SECTIONS[section](counted)
