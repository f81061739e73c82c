"""Which of a slide's analyses is shown."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from pages.shared import own_answer, resources, state
from pages.shared.page_list import VIEWER
from seg_core.store import Run, Store


def finished_runs(chosen: state.ChosenSlide) -> list[Run]:
    """Return the finished analyses of a slide, the latest first."""
    runs = Store().runs_of_slide(chosen.path, resources.identity(chosen.path))
    return [run for run in runs if run.status == "finished"]


def shown_run(chosen: state.ChosenSlide) -> Run | None:
    """Return the analysis the reader has picked or just made, else the latest.

    It stays shown until the reader picks another: what somebody else finishes does not replace it.
    """
    runs = finished_runs(chosen)
    picked = [run for run in runs if run.path == state.RUN.get()]
    shown = next(iter(picked or runs), None)
    if shown is not None:
        state.RUN.set(shown.path)
        state.LOOKED_AT.set(resources.visitors().look_at(shown.path))
    return None if shown is None else own_answer.as_read(shown)


def needed_run(chosen: state.ChosenSlide) -> Run:
    """Return the analysis that is shown, or end the page with a word on where to make one."""
    run = shown_run(chosen)
    if run is None:
        st.info(f"Nothing has been analysed on this slide yet; start on the {VIEWER.title} page.")
        VIEWER.link("Go to the viewer")
        st.stop()
    return run


def pick_run(chosen: state.ChosenSlide) -> None:
    """Let the reader pick one of the slide's analyses."""
    runs = finished_runs(chosen)
    if not runs:
        return
    shown = needed_run(chosen)
    picked = st.selectbox(
        "Shown analysis",
        runs,
        index=next(index for index, run in enumerate(runs) if run.path == shown.path),
        format_func=describe,
    )
    if picked.path != shown.path:
        state.RUN.set(picked.path)
        st.rerun()
    own_answer.offer(picked)


def describe(run: Run) -> str:
    """Return what tells an analysis from the others of its slide."""
    part = "Whole slide" if run.region == run.raster.region else _size(run)
    return f"{part} · {_time(run)}"


def _size(run: Run) -> str:
    mpp = run.facts.question.slide_mpp
    return f"{run.region.width * mpp:,.0f} × {run.region.height * mpp:,.0f} µm"


def _time(run: Run) -> str:
    """Return when a run was finished, in the reader's own time."""
    finished = datetime.fromisoformat(run.facts.finished or run.facts.started)
    return f"{finished.astimezone(_zone(st.context.timezone)):%d %b, %H:%M}"


def _zone(name: str | None) -> ZoneInfo | None:
    """Return the zone that a browser says it is in; None, the server's, where there is none such."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None
