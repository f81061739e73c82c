"""How many lymphocytes there are among the tumour: scores, map and plots, with their limits."""

from pages.shared import frame, run_page, state
from pages.shared.page_list import TIL_SCORE
from pages.shared.scoring import ScoringRequest
from pages.til_page import panel as til_panel
from pages.til_page import plots as til_plots
from pages.til_page import texts as til_texts

opened = run_page.open_page(TIL_SCORE)
slide, run = opened.slide, opened.run
with frame.shown_errors():
    with opened.sidebar:
        part = til_panel.choose_part(run)
        settings = til_panel.choose_settings()
    request = ScoringRequest(run, part, settings, state.MIN_SCORE.get() or 0.0)
    result = til_panel.result_of(request)
    state.TIL_SHOWN.set(state.ShownScores(run.path, request.names, request.key))

    til_texts.show_score(result, part.name)
    if result.evaluable:
        til_plots.show_plots(slide, request, result)
    til_texts.show_table(result)
    til_panel.offer_downloads(slide, request, result)
