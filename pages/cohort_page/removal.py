"""A cohort that is not at work is removed: its entry, and the analyses of its slides where that is asked."""

import streamlit as st

from pages.cohort_page.working import is_at_work
from pages.shared import callbacks, run_removal, singletons, slide_places
from pages.shared.callbacks import refusable
from pages.shared.literal import literal
from pages.shared.state import Key
from seg_core.cohort.journal import Journal
from seg_core.cohort.removal import own_runs, remove_cohort
from seg_core.errors import SegCoreError, counted
from seg_core.store import Run, default_store

_REMOVED = "_cohort_removed"
"""Of the session: what is to be said of the last try."""

_PROBLEM = Key[str]("_cohort_not_removed")

_ALSO_RUNS = "_also_runs"


def offer(name: str) -> None:
    """Let a reader of this machine remove the chosen cohort, once it is not at work."""
    if not slide_places.reader_is_local():
        return
    is_busy = is_at_work(name) or any(
        place.order.name == name for place in singletons.cohorts().waiting()
    )
    if st.button(
        "Remove this cohort",
        icon=":material/delete:",
        width="stretch",
        key="_remove_cohort",
        disabled=is_busy,
        help="Stop it, or take it away, first." if is_busy else None,
    ):
        st.session_state[_ALSO_RUNS] = False  # whatever was ticked when it was last closed
        _confirm(name)


def tell() -> None:
    """Say once what was removed, or why it was not."""
    told = st.session_state.pop(_REMOVED, None)
    if told is not None:
        st.toast(told, icon=":material/delete:")
    callbacks.show(_PROBLEM)
    _PROBLEM.clear()


@st.dialog("Remove this cohort?")
def _confirm(name: str) -> None:
    """Ask once more, and how much of it is to go."""
    journal = Journal(default_store(), name)
    runs = own_runs(journal)
    st.markdown(f"**{literal(name)}**")
    st.write(
        "Its entry is removed: the list of its slides with their columns, and how each of them ended. "
        "The slides stay, and so do analyses that you do not delete here; the same cohort started again "
        "takes them up."
    )
    if runs and st.checkbox(
        f"Delete its {counted(len(runs), 'analysis', 'analyses')} too",
        key=_ALSO_RUNS,
        help="All that its table shows, also those that were made before or on the Viewer page; "
        "what another cohort shows as well stays.",
    ):
        _warn_of(runs)
    remove, keep = st.columns(2)
    if keep.button("Keep it", width="stretch", key="_keep_cohort") or remove.button(
        "Remove it",
        type="primary",
        width="stretch",
        key="_really_remove_cohort",
        on_click=refusable(_remove_asked, _PROBLEM),
        args=(journal, runs),
    ):
        st.rerun()


def _warn_of(runs: list[Run]) -> None:
    said = sum(run.journal().count() for run in runs)
    if said:
        st.warning(run_removal.said_goes_too(said, "them"), icon=":material/warning:")


def _remove_asked(journal: Journal, runs: list[Run]) -> None:
    also_runs = st.session_state.get(_ALSO_RUNS, False)
    st.session_state[_REMOVED] = _remove(journal, runs if also_runs else [])


def _remove(journal: Journal, runs: list[Run]) -> str:
    """Remove a cohort, then those of some analyses that may go; return what is to be said of it."""
    remove_cohort(journal)
    stayed = 0
    for run in runs:
        try:
            run_removal.delete(run)
        except SegCoreError:  # somebody reads it, a process works on it, or the disk refuses
            stayed += 1
    told = f"The cohort {literal(journal.name)} was removed"
    gone = len(runs) - stayed
    if gone:
        told += f", and {counted(gone, 'analysis', 'analyses')} with it"
    if stayed:
        told += f"; {counted(stayed, 'analysis', 'analyses')} in use {'stays' if stayed == 1 else 'stay'}"
    return f"{told}."
