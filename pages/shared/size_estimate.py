"""Offer an estimate of how large a pixel is, where the file does not say; the reader decides."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages.shared import frame, resources, singletons, visitor
from pages.shared.callbacks import refusable
from pages.shared.literal import literal
from seg_core.errors import JobCancelled, SegCoreError
from seg_core.plausibility.asking import estimate_of_file
from seg_core.plausibility.pixel_size import USUAL_MPP, PixelSizeEstimate
from seg_core.process.worker import Job

_HELP = (
    "The network looks at a few places as if a pixel were 0.12 to 1 µm, and compares the nuclei it finds "
    "with those of its training images. It takes half a minute and sets nothing."
)


def offer_estimate(path: Path, take: Callable[[float], None]) -> None:
    """Offer to estimate the size of a slide's pixels, follow that, and offer what comes of it.

    Parameters
    ----------
    path : Path
    take : callable
        Called with µm per pixel when the reader confirms one.
    """
    key = _key_of(path)
    job: Job[PixelSizeEstimate] | None = st.session_state.get(key)
    if job is None:

        def ask() -> None:
            st.session_state[key] = singletons.worker().submit(
                estimate_of_file, asker=visitor.asker(), slide_path=path
            )

        st.button(
            "Estimate it from the nuclei",
            icon=":material/straighten:",
            on_click=refusable(ask),
            help=_HELP,
        )
    elif job.done():
        _show(job, key, take)
    else:
        _follow(job)


def estimate_of(path: Path) -> PixelSizeEstimate | None:
    """Return the estimate that was asked for, once it is there."""
    job: Job[PixelSizeEstimate] | None = st.session_state.get(_key_of(path))
    if job is None or not job.done():
        return None
    try:
        return job.result()
    except SegCoreError:  # `offer_estimate` says why
        return None


def _key_of(path: Path) -> str:
    return f"_estimate_{resources.identity(path)}"


def _show(job: Job[PixelSizeEstimate], key: str, take: Callable[[float], None]) -> None:
    """Show an estimate with buttons that take it, or why there is none."""
    try:
        found = job.result()
    except JobCancelled:
        del st.session_state[key]
        st.rerun()
    except SegCoreError as error:
        st.info(literal(frame.sentence(error)))
        return
    st.info(found.in_words(), icon=":material/straighten:")
    offered = [(round(found.mpp, 2), "")]
    if found.usual is not None:
        offered.append((found.usual, f", {USUAL_MPP[found.usual]}"))
    with st.container(horizontal=True):
        for mpp, words in offered:
            st.button(
                f"Take {mpp:g} µm{words}", key=f"{key}_{mpp}", on_click=refusable(take), args=(mpp,)
            )


@st.fragment(run_every="1s")
def _follow(job: Job[PixelSizeEstimate]) -> None:
    """Redraw the progress alone until the job ends, then the whole page once."""
    if job.done():
        st.rerun()
    progress = job.progress
    words = "Loading the model …"
    if progress is not None and progress.stage == "waiting":
        words = "Waiting for an analysis to end …"
    elif progress is not None:
        words = f"Look {progress.done} of {progress.total}"
    st.progress(progress.fraction if progress else 0.0, words)
    if st.button("Stop", icon=":material/stop:"):
        job.cancel()
