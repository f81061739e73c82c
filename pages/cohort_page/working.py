"""Start a cohort from the page, follow it, stop it and try failed slides again."""

from pathlib import Path

import streamlit as st

from pages.shared import resources, slide_places
from pages.shared.cohort_process import start
from pages.shared.literal import literal
from seg_core.errors import CohortError

_ENDED = ("finished", "failed", "refused")


def offer_start() -> None:
    """Let a reader of this machine name slides and start."""
    if not slide_places.reader_is_local():
        return
    seat = resources.cohort_seat()
    with st.expander("Analyse a cohort", expanded=False, icon=":material/playlist_add:"):
        typed = st.text_input(
            "Folder of slides, or CSV with a column slide",
            key="_source",
            placeholder=str(Path.home() / "trial-7.csv"),
            help="The CSV may also have mpp, roi, patient, group and other columns, which are kept.",
        )
        retry = st.checkbox("Try slides again that failed before", key="_retry")
        busy = seat.current is not None and seat.current.is_running()
        if st.button("Start", type="primary", disabled=busy or not typed, key="_start"):
            source = Path(typed).expanduser()
            if not source.exists():
                raise CohortError(f"there is no {source}; check the name.")
            seat.problem = None
            seat.current = start(source, retry_failed=retry)
            st.rerun()


@st.fragment(run_every=2.0)
def follow() -> None:
    """Show how far the cohort is that was started here, and let it be stopped."""
    seat = resources.cohort_seat()
    if not slide_places.reader_is_local():
        return
    if seat.problem is not None:
        st.error(literal(seat.problem), icon=":material/error:")
    if (current := seat.current) is None:
        return
    states = current.states()
    if not current.is_running():
        seat.current, seat.problem = None, current.problem()
        current.clear_up()
        st.rerun(scope="app")
    ended = sum(states[name] for name in _ENDED)
    told = ", ".join(f"{count} {name}" for name, count in states.items()) or "starting …"
    named = f"{literal(current.name)}, {current.total} slides: {told}"
    st.progress(min(ended / current.total, 1.0), named)
    if st.button("Stop", icon=":material/stop_circle:", key="_stop"):
        current.stop()
