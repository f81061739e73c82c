"""An analysis is given a name, or deleted."""

import streamlit as st

from pages.shared import run_removal, run_words, slide_places, state, visitor
from pages.shared.callbacks import refusable
from pages.shared.literal import literal
from seg_core.errors import SegCoreError, capitalised
from seg_core.store import Run
from seg_core.store.label import MOST_LETTERS, name_run, read_label


def offer(run: Run) -> None:
    """Show what its owner may do with an analysis."""
    problem = state.RUN_PROBLEM.get()
    if problem is not None:
        st.error(literal(problem))
    if not _is_readers_own(run):
        return
    with st.container(horizontal=True):
        with st.popover("Name", icon=":material/edit:", width="stretch"):
            _rename(run)
        offer_deletion(run, key="_delete_run")


def offer_deletion(run: Run, key: str | None = None) -> None:
    """Show a button that deletes an analysis, where the reader may."""
    if not _is_readers_own(run):
        return
    key = key or f"_delete_{run.run_id}"
    if st.button("Delete", icon=":material/delete:", width="stretch", key=key):
        _confirm(run)


def _is_readers_own(run: Run) -> bool:
    """Tell whether the reader may change it: their own, or any on their own machine."""
    owner = read_label(run.path).owner
    return slide_places.reader_is_local() or (owner != "" and owner == visitor.folder_name())


def _rename(run: Run) -> None:
    key = f"_run_name_{run.path.name}"

    def keep() -> None:
        name_run(run.path, st.session_state[key])

    st.text_input(
        "Name of the analysis",
        read_label(run.path).name,
        max_chars=MOST_LETTERS,
        key=key,
        placeholder="for instance: second look at 0.25 µm/px",
        on_change=refusable(keep, state.RUN_PROBLEM),
    )


@st.dialog("Delete this analysis?")
def _confirm(run: Run) -> None:
    """Ask once more: what is deleted is gone, but for what the same analysis finds again."""
    said = run.journal().count()
    st.markdown(literal(f"{run.slide_path.name} · {run_words.titles([run])[run.path]}"))
    st.write(
        "Its nuclei, maps and scores are removed from the disk. The same analysis can be made "
        "again, in the same time."
    )
    if said:
        st.warning(run_removal.said_goes_too(said, "it"), icon=":material/warning:")
    try:
        run_removal.refuse_if_read(run)
    except SegCoreError as error:
        st.error(literal(capitalised(str(error))))
        return
    delete, keep = st.columns(2)
    if keep.button("Keep it", width="stretch", key="_keep_run") or delete.button(
        "Delete it",
        type="primary",
        width="stretch",
        key="_really_delete_run",
        on_click=refusable(run_removal.delete, state.RUN_PROBLEM),
        args=(run,),
    ):
        st.rerun()
