"""Analyses of a slide that are not finished: at work or stopped, and what of them is there already."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.shared import resources, run_edit, run_words, singletons, state
from pages.shared.analyses import Asked, Wanted
from pages.shared.browser_answer import say
from pages.shared.callbacks import refusable
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.literal import literal
from seg_core.errors import ModelError
from seg_core.model import find_model
from seg_core.nuclei.context_head import context_head_of
from seg_core.process.worker import Job
from seg_core.roi import roi_of_region
from seg_core.store import Run, Store
from seg_core.unbroken import unbroken


@dataclass(frozen=True)
class Unfinished:
    """A run without nuclei, and the job that is at it.

    Attributes
    ----------
    run : Run
    job : Job or None
        None: it was stopped, by a person or with the server.
    """

    run: Run
    job: Job[Run] | None


def unfinished_of(chosen: ChosenSlide) -> list[Unfinished]:
    """Return the unfinished analyses of a slide of which there are maps, those at work first."""
    slide_id = resources.identity(chosen.path)
    jobs = {singletons.analyses().folder_of(job): job for job, _ in _jobs_of(slide_id)}
    # what another program is at says *running* and has no job here
    found = [
        Unfinished(run, jobs.get(run.path))
        for run in Store().runs(slide_id)
        if run.maps_version
        and (run.path in jobs or run.status in ("stopped", "failed"))
        and run.status != "finished"
    ]
    order = list(jobs)
    return sorted(found, key=lambda each: order.index(each.run.path) if each.job else len(order))


def shown(chosen: ChosenSlide, finished: Run | None) -> Unfinished | None:
    """Return the unfinished analysis that the viewer shows, if it is to show one.

    By default the one that this visit has asked for, and any where nothing else can be shown; what
    is being read is not replaced by what somebody else has started.
    """
    return next(
        (each for each in unfinished_of(chosen) if _is_shown(each.run.path, finished)), None
    )


def is_growing(chosen: ChosenSlide, finished: Run | None) -> bool:
    """Tell whether the viewer shows an analysis at work, or will when its first maps are there."""
    jobs = _jobs_of(resources.identity(chosen.path))
    return any(_is_shown(singletons.analyses().folder_of(job), finished) for job, _ in jobs)


def offer_switch(chosen: ChosenSlide, job: Job[Run], finished: Run | None) -> None:
    """Let the reader see what an analysis at work has found so far, or not."""
    folder = singletons.analyses().folder_of(job)
    if folder is not None:
        _switch(chosen, folder, finished)


def offer_stopped(
    chosen: ChosenSlide, finished: Run | None, resume: Callable[[ChosenSlide, Run], None]
) -> None:
    """List the stopped analyses of a slide, each to be seen and to be gone on with."""
    stopped = [each.run for each in unfinished_of(chosen) if each.job is None]
    if not stopped:
        return
    with st.expander(f"Stopped analyses ({len(stopped)})", expanded=finished is None):
        for run in stopped:
            share = f"{100 * run.finished_share:.0f} %"
            st.caption(unbroken(f"{literal(run_words.part_of(run))}: {share} is there"))
            _switch(chosen, run.path, finished)
            with st.container(horizontal=True):
                st.button(
                    "Resume",
                    icon=":material/play_arrow:",
                    key=f"_resume_{run.run_id}",
                    disabled=not _can_go_on(run),
                    help="It goes on from where it was, with the same model and settings.",
                    on_click=refusable(resume),
                    args=(chosen, run),
                    width="stretch",
                )
                run_edit.offer_deletion(run)


def _switch(chosen: ChosenSlide, folder: Path, finished: Run | None) -> None:
    key = f"_unfinished_{folder.name}"

    def keep() -> None:
        on = st.session_state[key]
        others = {} if not on else {each.run.path: False for each in unfinished_of(chosen)}
        state.UNFINISHED.set({**(state.UNFINISHED.get() or {}), **others, folder: on})

    say(key, _is_shown(folder, finished))
    st.toggle(
        "Show what is found so far",
        key=key,
        on_change=refusable(keep),
        help="*Classes*, *Boundaries* and *Score* of the part that is looked at already, instead "
        "of the analysis shown. Nuclei are counted at the end.",
    )


def _is_shown(folder: Path | None, finished: Run | None) -> bool:
    """Tell whether the reader wants to see an unfinished analysis, or would without a word."""
    own = state.JOB.get()
    is_own = own is not None and folder == singletons.analyses().folder_of(own)
    default = finished is None or (is_own and not state.ADOPTED.get())
    chosen_by_hand = state.UNFINISHED.get() or {}
    return default if folder is None else chosen_by_hand.get(folder, default)


def _jobs_of(slide_id: str) -> list[tuple[Job[Run], Asked]]:
    """List the jobs at a slide, the visit's own first."""
    jobs = singletons.analyses().of_slide(slide_id)
    return sorted(jobs, key=lambda each: each[0] is not state.JOB.get())


def _can_go_on(run: Run) -> bool:
    """Tell whether the model that has begun an analysis is still here, its votes weighed as then."""
    question = run.facts.question
    try:
        card, weights = find_model(question.model)
        answering = card.sha256, card.scheme.votes, context_head_of(card, weights)
    except ModelError:
        return False
    return answering == (question.model_sha256, question.votes, question.context_head)


def question_of(run: Run) -> Wanted:
    """Return what was asked of a stopped analysis, to be asked again."""
    question, part = run.facts.question, run.roi
    rectangle = part is None and not run.covers_slide
    if rectangle:
        part = roi_of_region(run.region, run_words.part_of(run))
    return Wanted(
        run.slide_id, question.slide_mpp, part, rectangle, question.model, question.settings
    )
