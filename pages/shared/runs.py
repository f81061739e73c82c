"""Which of a slide's analyses is shown."""

from collections.abc import Sequence

import streamlit as st

from pages.shared import own_answer, resources, run_edit, run_words, singletons, state
from pages.shared.browser_answer import say
from pages.shared.callbacks import refusable
from pages.shared.literal import literal
from pages.shared.page_list import VIEWER
from seg_core.slide import Slide
from seg_core.store import Run, Store
from seg_core.unbroken import unbroken

# Less is how a number was written.
_SAME_MPP = 0.001

_PICKED = "_shown_run"


def finished_runs(chosen: state.ChosenSlide) -> list[Run]:
    """Return the finished analyses of a slide as the reader sees them, the latest first."""
    runs = Store().runs_of_slide(chosen.path, resources.identity(chosen.path))
    return [own_answer.as_read(run) for run in runs if run.status == "finished"]


def shown_run(chosen: state.ChosenSlide) -> Run | None:
    """Return the analysis the reader has picked or just made, else the latest.

    It stays shown until the reader picks another: what somebody else finishes does not replace it.
    """
    runs = finished_runs(chosen)
    shown = _picked(runs) or next(iter(runs), None)
    if shown is not None:
        state.show_run(shown.path)
        looked_at = state.LOOKED_AT.get()
        if looked_at is None or looked_at.run != shown.path:
            state.LOOKED_AT.set(singletons.visitors().look_at(shown.path))
    return shown


def picked_run(chosen: state.ChosenSlide) -> Run | None:
    """Return the analysis of a slide that the reader has picked or was shown, None where there is none."""
    return _picked(finished_runs(chosen))


def _picked(runs: Sequence[Run]) -> Run | None:
    return next((run for run in runs if run.path == state.RUN.get()), None)


def needed_run(chosen: state.ChosenSlide) -> Run:
    """Return the analysis that is shown, or end the page with a word on where to make one."""
    run = shown_run(chosen)
    if run is None:
        st.info(_why_none(resources.identity(chosen.path)))
        VIEWER.link("Go to the viewer")
        st.stop()
    return run


def _why_none(slide_id: str) -> str:
    """Say why nothing of a slide can be shown, and what to do about it."""
    if singletons.analyses().of_slide(slide_id):
        return (
            "An analysis of this slide is at work; its numbers stand here once it is done. The "
            f"{VIEWER.title} page shows what it has found so far."
        )
    if any(
        run.maps_version and run.status in ("stopped", "failed") for run in Store().runs(slide_id)
    ):
        return (
            "No analysis of this slide is done yet: one was stopped. *Resume* on the "
            f"{VIEWER.title} page goes on with it."
        )
    return f"Nothing has been analysed on this slide yet; start on the {VIEWER.title} page."


def slide_of_shown(chosen: state.ChosenSlide) -> Slide:
    """Return the slide as the shown analysis measured it, not as its pixels are said to be now."""
    run = shown_run(chosen)
    return resources.slide(chosen.path, chosen.mpp if run is None else run.slide_mpp)


def pick_run(chosen: state.ChosenSlide) -> None:
    """Let the reader pick one of the slide's analyses, name it, delete it."""
    runs = finished_runs(chosen)
    if not runs:
        return
    shown = needed_run(chosen)
    titles = run_words.titles(runs)

    def keep() -> None:
        picked = st.session_state[_PICKED]
        if picked in titles:  # not one that is called otherwise by now
            state.show_run(picked)

    # Taken over before the page is made: a button that is pressed at once goes for the one picked.
    say(_PICKED, shown.path, titles[shown.path])
    st.selectbox(
        f"Shown analysis ({len(runs)})" if len(runs) > 1 else "Shown analysis",
        list(titles),
        format_func=lambda path: titles.get(path, str(path)),
        key=_PICKED,
        on_change=refusable(keep),
    )
    facts = run_words.facets(shown)
    told = literal(" · ".join(run_words.with_unit(*each) for each in facts.items()))
    st.caption(unbroken(told))
    own_answer.offer(shown)
    run_edit.offer(shown)
    slide_mpp = resources.slide(chosen.path, chosen.mpp).info.mpp
    if slide_mpp is not None and abs(shown.slide_mpp / slide_mpp - 1) > _SAME_MPP:
        st.warning(
            unbroken(
                f"This analysis was made with {shown.slide_mpp:.4g} µm/px; the slide is now said to "
                f"have {slide_mpp:.4g}. Analyse it again to go on with that."
            ),
            icon=":material/straighten:",
        )
