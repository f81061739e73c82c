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
from pages.shared import frame, preferences, regions, run_page
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

opened = run_page.open_page(NUCLEI)
with frame.shown_errors():
    counted = choice.ask(opened.run, regions.slide_rois(opened.chosen))
    if not sum(opened.run.facts.counts.values()):
        st.info("No nuclei were found here. Is there tissue in the analysed region?")
    section = preferences.chosen_section("_section", list(SECTIONS))
    SECTIONS[section](counted)
