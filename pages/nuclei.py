"""What was found: counts, densities, sizes, and the table to take away."""

import streamlit as st

from pages.shared import frame, nucleus_tables, palettes, resources, runs
from seg_core.export.figures import nuclei as figures

sidebar = frame.open_page("Nuclei")
chosen = frame.chosen_slide()

with sidebar, frame.shown_errors():
    frame.describe_slide(resources.slide(chosen.path, chosen.mpp).info)
    runs.pick_run(chosen)

st.header("Nuclei")
with frame.shown_errors():
    run = runs.shown_run(chosen)
    if run is None:
        st.info("Nothing has been analysed on this slide yet; start on the Viewer page.")
        st.page_link("pages/viewer.py", label="Go to the viewer", icon=":material/arrow_forward:")
        st.stop()

    other = st.toggle("Count nuclei of no class (other), too", key="_other")
    nuclei = nucleus_tables.counted_nuclei(run, other=other)
    nucleus_tables.show_metrics(run, len(nuclei))
    for warning in run.facts.warnings:
        st.warning(warning, icon=":material/warning:")
    if nuclei.empty:
        st.info("No nuclei were found here. Is there tissue in the analysed region?")
        st.stop()

    classes, sizes = st.columns(2, gap="large")
    with classes:
        st.subheader("Classes", anchor=False)
        summary = nucleus_tables.summary_of(run, other=other)
        st.plotly_chart(figures.density_bars(summary, palettes.scheme_of(run)), key="_classes")
        nucleus_tables.show_summary(summary)
    with sizes:
        st.subheader("Sizes", anchor=False)
        areas = nucleus_tables.areas_of(run, other=other)
        st.plotly_chart(figures.area_histogram(areas, palettes.scheme_of(run)), key="_sizes")

    st.subheader("Table", anchor=False)
    nucleus_tables.offer_downloads(run, other=other)
    nucleus_tables.show_nuclei(nuclei)
