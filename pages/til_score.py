"""How many lymphocytes there are among the tumour: scores, map and plots, with their limits."""

import streamlit as st

from pages.shared import frame, runs, state
from pages.shared.doubts import show_doubts
from pages.shared.page_list import TIL_SCORE
from pages.shared.scoring import ScoringRequest
from pages.til_page import panel as til_panel
from pages.til_page import plots as til_plots
from pages.til_page import texts as til_texts

sidebar = frame.open_page(TIL_SCORE)
chosen = frame.chosen_slide()

with sidebar, frame.shown_errors():
    slide = runs.slide_of_shown(chosen)
    frame.describe_slide(slide.info)
    runs.pick_run(chosen)

st.header(TIL_SCORE.title)
with frame.shown_errors():
    run = runs.needed_run(chosen)
    show_doubts(run)

    with sidebar:
        part = til_panel.choose_part(run)
        settings = til_panel.choose_settings()
    request = ScoringRequest(run, part, settings, state.MIN_SCORE.get() or 0.0)
    result = til_panel.result_of(request)
    state.TIL_SHOWN.set(state.ShownScores(run.path, run.names_version, request.key))

    til_texts.show_score(result, part.name)
    if result.evaluable:
        til_plots.show_plots(slide, request, result)
    til_texts.show_table(result)
    til_panel.offer_downloads(slide, request, result)
