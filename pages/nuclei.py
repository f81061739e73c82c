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
)
from pages.shared import frame, regions, resources, runs
from pages.shared.literal import literal
from pages.shared.page_list import NUCLEI

SECTIONS = {
    "Overview": overview.show,
    "Distributions": distributions.show_one,
    "Scatter": distributions.show_two,
    "Map": density.show,
    "Table": nucleus_table.show,
    "Gallery": gallery.show,
    "Downloads": downloads.show,
}

sidebar = frame.open_page(NUCLEI)
chosen = frame.chosen_slide()

with sidebar, frame.shown_errors():
    frame.describe_slide(resources.slide(chosen.path, chosen.mpp).info)
    runs.pick_run(chosen)

st.header(NUCLEI.title)
with frame.shown_errors():
    run = runs.needed_run(chosen)
    for warning in run.facts.warnings:
        st.warning(literal(warning), icon=":material/warning:")
    counted = choice.ask(run, regions.slide_rois(chosen))
    if not sum(run.facts.counts.values()):
        st.info("No nuclei were found here. Is there tissue in the analysed region?")
    section = st.segmented_control(
        "Section",
        list(SECTIONS),
        default="Overview",
        required=True,
        key="_section",
        label_visibility="collapsed",
    )
    SECTIONS[section](counted)
