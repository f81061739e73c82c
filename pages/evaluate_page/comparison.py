"""Two analyses beside one reference."""

import streamlit as st

from pages.evaluate_page import side_by_side
from pages.evaluate_page.reference import Asked
from pages.shared import run_words, runs, state
from pages.shared.literal import literal
from pages.shared.steady_choice import keep_chosen
from seg_core.evaluation.kept import compare_kept
from seg_core.store import Run


def offer(chosen: state.ChosenSlide, run: Run, asked: Asked) -> None:
    """Let the reader choose a second analysis, and show both with their difference."""
    found = runs.finished_runs(chosen)
    others = {each.path: each for each in found if each.path != run.path}
    if not others:
        return
    st.subheader("Two analyses side by side", anchor=False)
    of_all = run_words.titles(found)
    titles = {path: of_all[path] for path in others}
    keep_chosen("_evaluated_beside", titles)
    path = st.selectbox(
        "Compare the shown analysis with",
        list(titles),
        index=None,
        format_func=titles.__getitem__,
        key="_evaluated_beside",
        placeholder="another analysis of this slide",
    )
    if path is None:
        return
    with st.spinner("Comparing both with the reference …"):
        both = compare_kept(asked.reference, run, others[path], asked.rois)
    side_by_side.show(both["first"], both["second"], both, ("Shown", "Other"))
    st.caption(
        literal(
            "Measured where both have looked. The interval of a difference is by paired bootstrap, the "
            "same regions drawn for both; it needs more than one region and the same classes."
        )
    )
