"""Many slides in one table: what was found on each, and how groups of patients differ."""

from pathlib import Path

import streamlit as st

from pages.cohort_page import (
    cohort_table,
    comparison,
    drawn_around,
    removal,
    run_choice,
    til_maps,
    working,
)
from pages.shared import frame, preferences, resources
from pages.shared.demonstration import show_notes
from pages.shared.page_list import COHORT

sidebar = frame.open_page(COHORT)
st.header(COHORT.title)
frame.keep_slide()

with frame.told_errors():
    working.offer_start()
with frame.shown_errors():
    working.follow()
    removal.tell()
    name = cohort_table.choose_cohort(sidebar)
    with sidebar:
        removal.offer(name)
    table = resources.cohort(name)
    cohort_table.show_counts(table, states=not working.is_at_work(name))
    show_notes(map(Path, table["slide_path"]))
    kept = cohort_table.filtered(table, sidebar)
    section = preferences.chosen_section(working.SECTION, working.SECTIONS)
    shown = drawn_around.narrowed(kept, name)
    if section == "Groups":
        comparison.show_groups(shown, name)
    elif section == "Scatter":
        comparison.show_scatter(kept, shown, name)
    elif section == "TIL maps":
        til_maps.show_maps(shown)
    else:
        cohort_table.show(shown, name)
        run_choice.offer_edits(shown)
