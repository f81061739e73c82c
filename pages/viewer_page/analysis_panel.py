"""The part of the Viewer page that has a slide analysed and follows the work."""

from pathlib import Path

import streamlit as st

from pages.shared import analysis_list, frame, resources, runs, sign_in, singletons, state, visitor
from pages.shared.analyses import Asked, Wanted
from pages.shared.callbacks import refusable
from pages.shared.literal import literal
from pages.shared.page_list import SLIDES
from pages.shared.regions import is_rectangle, selected_roi
from pages.viewer_page import unfinished
from pages.viewer_page.analysis_options import choose_analysis
from seg_core.errors import JobCancelled, SegCoreError, capitalised
from seg_core.geometry import Region
from seg_core.plausibility.doubts import coarse_doubt
from seg_core.process.worker import Job
from seg_core.roi import Roi
from seg_core.settings import AnalysisSettings
from seg_core.slide import SlideInfo
from seg_core.store import Run
from seg_core.unbroken import unbroken


def collect_result() -> None:
    """Show what a job has found as soon as it is done; a failed one stays for its sentence.

    What this visit has not asked for itself never takes the place of the run that is being read:
    it is offered.
    """
    job = state.JOB.get()
    if job is None or not job.done():
        return
    try:
        found = job.result().path
    except SegCoreError:
        return
    state.JOB.clear()
    if state.ADOPTED.get() and state.RUN.get() not in (None, found):
        state.NEW_RUN.set(found)
    else:
        state.show_run(found)


def offer_new_run() -> None:
    """Offer the result of an analysis that this visit only followed."""
    found = state.NEW_RUN.get()
    if found is None:
        return

    def show() -> None:
        state.show_run(found)
        state.NEW_RUN.clear()

    st.success("An analysis of this slide is done.", icon=":material/check:")
    st.button("Show it", on_click=refusable(show), width="stretch")


def adopt_own(chosen: state.ChosenSlide) -> None:
    """Go on with the reader's own analysis of the slide, which a visit loaded anew has lost."""
    if state.JOB.get() is not None:
        return
    found = singletons.analyses().of_slide(resources.identity(chosen.path))
    # one that was stopped and asked for again is there twice until the first has ended
    for job, asked in sorted(found, key=lambda each: each[0].stopping):
        if analysis_list.is_own(asked):
            state.JOB.set(job)
            state.ADOPTED.set(True)
            return


def offer_analysis(chosen: state.ChosenSlide, info: SlideInfo) -> None:
    """Offer to analyse the selected region or the slide, or follow the analysis that runs."""
    job, finished = state.JOB.get(), runs.shown_run(chosen)
    switched: set[Path | None] = set()

    def offer_switch(other: Job[Run]) -> None:
        folder = singletons.analyses().folder_of(other)
        if folder not in switched:  # two may be at one run, of which the first is being stopped
            unfinished.offer_switch(chosen, other, finished)
        switched.add(folder)

    for other, asked in singletons.analyses().of_slide(resources.identity(chosen.path)):
        if other is not job:
            whose = "Yours" if analysis_list.is_own(asked) else "Asked for by another reader"
            analysis_list.follow(other, f"{whose}: {literal(asked.wanted.part)}")
            offer_switch(other)
    if job is not None and not job.done():
        analysis_list.follow(job)
        offer_switch(job)
        return
    _offer_start(chosen, info)
    if job is not None:
        _tell_failure()
    unfinished.offer_stopped(chosen, finished, resume=_resume)


def _offer_start(chosen: state.ChosenSlide, info: SlideInfo) -> None:
    """Show the options and the buttons for region and slide; warn where a pixel has no size, or too large a one."""
    model, settings = choose_analysis()
    roi = selected_roi(chosen)
    for label, part, ready in (
        ("Analyse region", roi, roi is not None and roi.counts),
        ("Analyse slide", None, True),
    ):
        st.button(
            label,
            type="primary" if part else "secondary",
            disabled=not ready or info.mpp is None,
            on_click=refusable(_start),
            args=(chosen, info, part, model, settings),
            width="stretch",
        )
    if info.mpp is None:
        st.warning(
            f"Say on the {SLIDES.title} page how large a pixel is; then this slide can be analysed."
        )
        SLIDES.link("Go to Slides")
    elif coarse := coarse_doubt(info.mpp):
        st.warning(unbroken(capitalised(coarse)), icon=":material/straighten:")


def _start(
    chosen: state.ChosenSlide,
    info: SlideInfo,
    roi: Roi | None,
    model: str | None,
    settings: AnalysisSettings,
) -> None:
    """Have the slide or a part of it analysed; a rectangle is the same question as its pixels."""
    rectangle = roi is not None and is_rectangle(roi)
    assert info.mpp is not None, "the button is switched off"
    wanted = Wanted(resources.identity(chosen.path), info.mpp, roi, rectangle, model, settings)
    start(chosen, wanted, info.bounds if roi is None else roi.region)


def start(chosen: state.ChosenSlide, wanted: Wanted, region: Region) -> None:
    """Ask for an analysis of a region in this visit's name, and follow it."""
    singletons.visitors().make_room()
    uploads, person = state.UPLOADS.get(), sign_in.signed_in_name()
    size = region.area * wanted.settings.views
    asked = Asked(chosen, wanted, visitor.folder_name(), uploads, person, size)
    state.JOB.set(singletons.analyses().ask(asked))
    state.ADOPTED.clear()


def _resume(chosen: state.ChosenSlide, run: Run) -> None:
    """Ask the question of a stopped analysis again: it goes on where it was."""
    slide = state.ChosenSlide(chosen.path, run.facts.slide.mpp)
    start(slide, unfinished.question_of(run), run.region)


def _tell_failure() -> None:
    """Show why the last job gave no result."""
    job = state.JOB.get()
    try:
        if job is not None:
            job.result(timeout=0)
    except JobCancelled:
        who = "" if state.STOPPED.get() is job else " by another reader, or by you in another tab"
        st.info(f"Stopped{who}. What was finished is kept: asked for again, it goes on from there.")
    except SegCoreError as error:
        st.error(literal(frame.sentence(error)))
