"""How the analyses of this server go on: in words, as a bar, as a list."""

from typing import Any

import streamlit as st

from pages.shared import resources, singletons, slide_places, state, uploads, visitor
from pages.shared.analyses import Asked
from pages.shared.literal import literal
from seg_core.errors import JobCancelled, SegCoreError
from seg_core.process.progress import Progress
from seg_core.process.worker import Job
from seg_core.store import Run
from seg_core.unbroken import unbroken

_STAGES = {
    "tiles": "Tile {done:,} of {total:,}",
    "nuclei": "Block {done:,} of {total:,} of nuclei",
    "images": "Image {done:,} of {total:,}",
}


def is_own(asked: Asked) -> bool:
    """Tell whether the reader has asked for an analysis, in this visit or in an earlier one."""
    return _own_of(asked) is not None


def _own_of(asked: Asked) -> Asked | None:
    """Return what the reader has asked among all who wait for an analysis."""
    return next((each for each in asked.everyone if _is_readers(each.owner)), None)


def _is_readers(owner: str | None) -> bool:
    return slide_places.reader_is_local() if owner is None else owner == visitor.folder_name()


def follow(job: Job[Any], title: str | None = None) -> None:
    """Show the progress of an analysis, or of a measurement, with a button that stops it, until it ends; title in Markdown."""
    _follow(job, title)


@st.fragment(run_every="1s")
def _follow(job: Job[Any], title: str | None) -> None:
    """Redraw the progress alone until the job ends, then the whole page once."""
    if job.done():
        st.rerun()
    if title:
        st.caption(title)
    _show_progress(job)
    _offer_stop(job)


def watch_own() -> None:
    """Follow the visit's own analysis from a page that is not the viewer, and tell when it is done."""
    job = state.JOB.get()
    if job is None:
        return
    if not job.done():
        _watch(job)
    elif state.TOLD_DONE.get() is not job:
        state.TOLD_DONE.set(job)
        st.toast(_end_of(job), icon=":material/notifications:", duration="long")


@st.fragment(run_every="2s")
def _watch(job: Job[Run]) -> None:
    if job.done():
        st.rerun()
    st.caption("Your analysis goes on:")
    _show_progress(job)


def _end_of(job: Job[Run]) -> str:
    try:
        found = job.result(timeout=0)
    except JobCancelled:
        return "Your analysis was stopped; asked for again, it goes on from where it was."
    except SegCoreError:
        return "Your analysis has failed; the viewer says why."
    return f"Your analysis of {literal(found.slide_path.name)} is done; the viewer shows it."


def offer_list() -> None:
    """List the analyses of all slides, where there are any that the page does not show itself."""
    chosen = state.SLIDE.get()
    here = resources.identity(chosen.path) if chosen is not None and chosen.path.exists() else None
    elsewhere = [
        each for each in singletons.analyses().at_work() if each[1].wanted.slide_id != here
    ]
    if elsewhere:
        with st.expander(f"Analyses of other slides ({len(elsewhere)})"):
            for job, asked in elsewhere:
                _list_one(job, asked)


@st.fragment(run_every="2s")
def _list_one(job: Job[Run], asked: Asked) -> None:
    if job.done():
        st.rerun()
    st.caption(
        f"{literal(_slide_name(asked))}, {literal(asked.wanted.part)}{' (yours)' * is_own(asked)}"
    )
    _show_progress(job)
    # On the reader's own machine nobody else could stop what a closed browser has left.
    if is_own(asked) or slide_places.reader_is_local():
        _offer_stop(job)


def _show_progress(job: Job[Any]) -> None:
    progress = job.progress
    words = "Stopping …" if job.stopping else unbroken(in_words(progress))
    st.progress(progress.fraction if progress else 0.0, words)


def _offer_stop(job: Job[Any]) -> None:
    """Offer to stop a job; a tile is finished first, and the model loaded, which can take a while."""
    asked = singletons.analyses().asked_of(job)
    is_others = asked is not None and not all(_is_readers(each.owner) for each in asked.everyone)
    st.button(
        "Stop",
        icon=":material/stop:",
        width="stretch",
        key=f"_stop_{id(job)}",
        disabled=job.stopping,
        help="Another reader waits for it; it ends for everybody." if is_others else None,
        on_click=_stop,
        args=(job,),
    )


def _stop(job: Job[Any]) -> None:
    state.STOPPED.set(job)
    job.cancel()


def _slide_name(asked: Asked) -> str:
    """Return a slide's name for who may know it: an upload's may be a patient's."""
    own = _own_of(asked)
    path = (own or asked).slide.path
    private = uploads.upload_folder_of(path) is not None and own is None
    return "A slide uploaded by another reader" if private else path.name


def in_words(progress: Progress | None) -> str:
    """Say how far an analysis is."""
    if progress is None:
        return "Loading the model …"
    if progress.stage == "waiting":
        others = "another analysis" if progress.total == 1 else f"{progress.total} other analyses"
        return f"Waiting for {others} to end …"
    if progress.stage == "paused":
        return f"Paused at {100 * progress.fraction:.0f} % for a small analysis; then it goes on …"
    text = _STAGES[progress.stage].format(done=progress.done, total=progress.total)
    return (
        text if progress.seconds_left is None else f"{text}, {duration(progress.seconds_left)} left"
    )


def duration(seconds: float) -> str:
    """Return a length of time in words, as exact as an estimate is worth."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"
