"""Start a cohort from the page, follow it, stop it and try failed slides again."""

from pathlib import Path

import streamlit as st

from pages.shared import resources, slide_places
from pages.shared.cohort_process import CohortProcess, order_of
from pages.shared.literal import literal
from pages.shared.models import choose_model
from seg_core.errors import CohortError
from seg_core.slide import PLAUSIBLE_MPP

_ENDED = ("finished", "failed", "refused")


def offer_start() -> None:
    """Let a reader of this machine name slides and start."""
    if not slide_places.reader_is_local():
        return
    with st.expander("Analyse a cohort", expanded=False, icon=":material/playlist_add:"):
        typed = st.text_input(
            "Folder of slides, or CSV with a column slide",
            key="_source",
            placeholder=str(Path.home() / "trial-7.csv"),
            help="The CSV may also have mpp, roi, patient, group and other columns, which are kept.",
        )
        left, right = st.columns(2)
        with left:
            model = choose_model("_cohort_model")
        mpp = right.number_input(
            "µm per pixel",
            *PLAUSIBLE_MPP,
            value=None,
            step=0.01,
            format="%.4f",
            placeholder="as each file says",
            help="Of slides whose row in the table gives none; needed for plain images.",
            key="_cohort_mpp",
        )
        retry = st.checkbox("Try slides again that failed before", key="_retry")
        if st.button("Start", type="primary", disabled=not typed, key="_start"):
            source = Path(typed).expanduser()
            if not source.exists():
                raise CohortError(f"there is no {source}; check the name.")
            order = order_of(source, retry_failed=retry, model=model, mpp=mpp)
            resources.cohorts().add(order)
            st.rerun()


@st.fragment(run_every=2.0)
def follow() -> None:
    """Show how far the cohorts are that were started here, and let them be stopped."""
    if not slide_places.reader_is_local():
        return
    cohorts = resources.cohorts()
    cohorts.advance()
    _look_again_at_the_end(cohorts.current)
    if cohorts.problem is not None:
        st.error(literal(cohorts.problem), icon=":material/error:")
    if cohorts.makes_way:
        st.info(
            "An analysis that somebody waits for comes first; the cohort goes on by itself.",
            icon=":material/pause_circle:",
        )
    if cohorts.current is not None:
        _show_current(cohorts.current)
    for place in cohorts.waiting():
        words, button = st.columns([5, 1], vertical_alignment="center")
        first = "is next" if not place.ahead else f"waits, {place.ahead} before it"
        words.caption(f"{literal(place.order.name)}, {place.order.total} slides: {first}")
        if button.button("Take away", key=f"_take_away_{place.order.name}"):
            cohorts.stop(place.order.name)
            st.rerun(scope="fragment")


def _show_current(current: CohortProcess) -> None:
    states = current.states()
    order = current.order
    ended = sum(states[name] for name in _ENDED)
    told = ", ".join(f"{count} {name}" for name, count in states.items()) or "starting …"
    named = f"{literal(order.name)}, {order.total} slides: {told}"
    st.progress(min(ended / order.total, 1.0), named)
    if st.button("Stop", icon=":material/stop_circle:", key="_stop"):
        resources.cohorts().stop(order.name)


def _look_again_at_the_end(current: CohortProcess | None) -> None:
    """Run the whole page when another cohort is at work than the last time, or none."""
    name = None if current is None else str(current.folder)
    if st.session_state.setdefault("_cohort_at_work", name) != name:
        st.session_state["_cohort_at_work"] = name
        st.rerun(scope="app")
