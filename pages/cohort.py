"""Many slides in one table: what was found on each, and how groups of patients differ."""

import streamlit as st

from pages.cohort_page import cohort_table, comparison, run_choice, til_maps, working
from pages.shared import frame, resources
from pages.shared.page_list import COHORT

sidebar = frame.open_page(COHORT)
st.header(COHORT.title)

with frame.shown_errors():
    working.offer_start()
    working.follow()
    name = cohort_table.choose_cohort(sidebar)
    table = resources.cohort(name)
    cohort_table.show_counts(table)
    kept = cohort_table.filtered(table, sidebar)
    section = st.segmented_control(
        "Section",
        ["Table", "Groups", "Scatter", "TIL maps"],
        default="Table",
        label_visibility="collapsed",
    )
    if section == "Groups":
        comparison.show_groups(kept, name)
    elif section == "Scatter":
        comparison.show_scatter(kept)
    elif section == "TIL maps":
        til_maps.show_maps(kept)
    else:
        cohort_table.show(kept, name)
        run_choice.offer_edits(kept)
