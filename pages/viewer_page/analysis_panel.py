"""The part of the Viewer page that has a slide analysed and follows the work."""

import streamlit as st

from pages.shared import frame, resources, state
from pages.shared.page_list import SLIDES
from pages.shared.regions import is_rectangle, selected_roi
from pages.viewer_page.analysis_options import choose_analysis
from seg_core.analysis import analyse
from seg_core.errors import JobCancelled, SegCoreError
from seg_core.process.progress import Progress
from seg_core.roi import Roi
from seg_core.settings import AnalysisSettings
from seg_core.slide import SlideInfo
from seg_core.store import default_store

_STAGES = {"tiles": "Tile {done:,} of {total:,}", "nuclei": "Block {done:,} of {total:,} of nuclei"}


def collect_result() -> None:
    """Show what a job has found as soon as it is done; a failed one stays for its sentence."""
    job = state.JOB.get()
    if job is None or not job.done():
        return
    try:
        state.RUN.set(job.result().path)
    except SegCoreError:
        return
    state.JOB.clear()


def offer_analysis(chosen: state.ChosenSlide, info: SlideInfo) -> None:
    """Offer to analyse the selected region or the slide, or follow the analysis that runs."""
    job = state.JOB.get()
    if job is not None and not job.done():
        _follow_job()
        return
    model, settings = choose_analysis()
    roi = selected_roi(chosen)
    for label, part, ready in (
        ("Analyse region", roi, roi is not None and roi.kind == "include"),
        ("Analyse slide", None, True),
    ):
        st.button(
            label,
            type="primary" if part else "secondary",
            disabled=not ready or info.mpp is None,
            on_click=_start,
            args=(chosen, part, model, settings),
            width="stretch",
        )
    if info.mpp is None:
        st.warning(
            f"Say on the {SLIDES.title} page how large a pixel is; then this slide can be analysed."
        )
        SLIDES.link("Go to Slides")
    if job is not None:
        _tell_failure()


@st.fragment(run_every="1s")
def _follow_job() -> None:
    """Redraw the progress alone until the job ends, then the whole page once."""
    job = state.JOB.get()
    if job is None or job.done():
        st.rerun()
    progress = job.progress
    st.progress(progress.fraction if progress else 0.0, _tell_progress(progress))
    if st.button("Stop", icon=":material/stop:", width="stretch"):
        job.cancel()


def _start(
    chosen: state.ChosenSlide, roi: Roi | None, model: str | None, settings: AnalysisSettings
) -> None:
    """Have the slide or a part of it analysed; a rectangle is the same question as its pixels."""
    rectangle = roi is not None and is_rectangle(roi)
    resources.visitors().make_room()
    job = resources.worker().submit(
        analyse,
        slide_path=chosen.path,
        store=default_store(),
        region=roi.region if roi is not None and rectangle else None,
        roi=None if rectangle else roi,
        model=model,
        mpp=chosen.mpp,
        settings=settings,
    )
    uploads = state.UPLOADS.get()
    if uploads is not None:
        resources.keep_until_done(job, uploads)
    state.JOB.set(job)


def _tell_progress(progress: Progress | None) -> str:
    if progress is None:
        return "Loading the model …"
    if progress.stage == "waiting":
        return f"Waiting for {progress.total} other analysis to end …"
    text = _STAGES[progress.stage].format(done=progress.done, total=progress.total)
    return (
        text
        if progress.seconds_left is None
        else f"{text}, {_duration(progress.seconds_left)} left"
    )


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def _tell_failure() -> None:
    """Show why the last job gave no result."""
    job = state.JOB.get()
    try:
        if job is not None:
            job.result(timeout=0)
    except JobCancelled:
        st.info("Stopped. What was finished is kept: the same analysis goes on from there.")
    except SegCoreError as error:
        st.error(frame.sentence(error))
