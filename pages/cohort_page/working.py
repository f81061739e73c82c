"""Start a cohort from the page, follow it, stop it and try failed slides again."""

import time
from datetime import date
from pathlib import Path

import streamlit as st

from pages.cohort_page.cohort_table import STARTED
from pages.shared import pixel_size, singletons, slide_places
from pages.shared.analysed_slides import analysed_slides
from pages.shared.analysis_list import duration
from pages.shared.asked_number import check_number
from pages.shared.cohort_process import CohortProcess, order_of, write_slide_table
from pages.shared.literal import literal, printable
from pages.shared.models import choose_model
from pages.shared.told_apart import told_apart
from seg_core.cohort.journal import cohort_names
from seg_core.cohort.progress import AtWork, CohortProgress
from seg_core.errors import CohortError, counted
from seg_core.samples import SAMPLES, sample_path
from seg_core.slide import PLAUSIBLE_MPP
from seg_core.store import default_store
from seg_core.unbroken import unbroken

_TYPED, _CHOSEN = "A folder or a table", "Slides that are known here"

_NAMED_AT_WORK = 6

SECTIONS = ("Table", "Groups", "Scatter", "TIL maps")
SECTION = "_cohort_section"
"""Of the session: which of them is open."""

_SEEN, _TABLE_EVERY_S = "_cohort_at_work", 10.0

_STAGES = {"tiles": "tiles", "nuclei": "nuclei", "scores": "TIL score"}


def offer_start() -> None:
    """Let a reader of this machine name or choose slides, and start."""
    if not slide_places.reader_is_local():
        return
    with st.expander("Analyse a cohort", expanded=False):
        where = st.segmented_control(
            "Slides", [_TYPED, _CHOSEN], default=_TYPED, required=True, key="_where"
        )
        source: Path | None = None
        name: str | None = None
        slides: list[Path] = []
        known: dict[Path, float | None] = {}
        if where == _CHOSEN:
            known = _known_slides()
            titles = told_apart(
                {path: printable(path.name) for path in known},
                {path: printable(str(path.parent)) for path in known},
            )
            slides = st.multiselect(
                "Samples, slides of the offered folder, and what was analysed here",
                list(titles),
                format_func=titles.__getitem__,
                key="_slides",
            )
            name = st.text_input(
                "Name of the cohort", f"cohort-{date.today():%Y-%m-%d}", key="_name"
            )
        else:
            source = _typed_source()
        left, right = st.columns(2)
        with left:
            model = choose_model("_cohort_model")
            retry = st.checkbox("Try slides again that failed before", key="_retry")
        mpp = right.number_input(
            "µm per pixel",
            value=None,
            step=0.01,
            format="%.4f",
            placeholder="needed where a file says none",
            help="Of slides for which neither the file nor a column *mpp* of the table says it: plain "
            "images as a rule.",
            key="_cohort_mpp",
        )
        override = right.checkbox(
            "Also where the file says another",
            disabled=mpp is None,
            help="For scanners that write a wrong size: it is taken for every slide whose row in the "
            "table gives none, whatever its file says.",
            key="_cohort_override",
        )
        is_named = source is not None or bool(slides and name)
        if st.button("Start", type="primary", disabled=not is_named, key="_start"):
            if name is not None:
                sizes = {path: pixel_size.chosen(path, known[path]).mpp for path in slides}
                source = write_slide_table(name, sizes)
            assert source is not None
            if not source.exists():
                raise CohortError(f"there is no {source}; check the name.")
            check_number("µm per pixel", mpp, *PLAUSIBLE_MPP)
            order = order_of(
                source,
                name=name,
                retry_failed=retry,
                model=model,
                mpp=mpp,
                override_mpp=override and mpp is not None,
            )
            singletons.cohorts().add(order)
            st.session_state[STARTED] = order.name
            st.rerun()


def _typed_source() -> Path | None:
    typed = st.text_input(
        "Folder of slides, or CSV with a column *slide*",
        key="_source",
        placeholder=str(Path.home() / "trial-7.csv"),
        help="The CSV may also have mpp, roi, patient, group and other columns, which are kept.",
    )
    return slide_places.folder_typed(typed) if typed else None


def _known_slides() -> dict[Path, float | None]:
    """Return slides with the size of a pixel, µm, where the program knows it and the file does not."""
    samples = {sample_path(sample.name): sample.mpp for sample in SAMPLES}
    folder = slide_places.offered_folder()
    offered = [] if folder is None else slide_places.slides_in(folder)
    found = {path.absolute(): None for path in (*offered, *analysed_slides())}
    known: dict[Path, float | None] = {**found, **samples}
    # a table names slides in UTF-8
    return {path: mpp for path, mpp in known.items() if str(path) == printable(str(path))}


@st.fragment(run_every=2.0)
def follow() -> None:
    """Show how far the cohorts are that were started here, and let them be stopped."""
    if not slide_places.reader_is_local():
        return
    cohorts = singletons.cohorts()
    cohorts.advance()
    current = cohorts.current
    progress = CohortProgress(0) if current is None else current.progress()
    _look_again(None if current is None else _what_is_seen_of(current), progress.ended)
    if cohorts.problem is not None:
        st.error(literal(cohorts.problem), icon=":material/error:")
    if cohorts.makes_way:
        st.info(
            "An analysis that somebody waits for comes first; the cohort goes on by itself.",
            icon=":material/pause_circle:",
        )
    if current is not None:
        _show_current(current, progress)
    for place in cohorts.waiting():
        words, button = st.columns([5, 1], vertical_alignment="center")
        first = "is next" if not place.ahead else f"waits, {place.ahead} before it"
        slides = counted(place.order.total, "slide")
        words.caption(f"{literal(place.order.name)}, {slides}: {first}")
        if button.button("Take away", key=f"_take_away_{place.order.name}"):
            cohorts.stop(place.order.name)
            st.rerun(scope="fragment")


def is_at_work(name: str) -> bool:
    """Tell whether a cohort was started here and has not come to its end."""
    current = singletons.cohorts().current
    return current is not None and current.order.name == name


def _what_is_seen_of(current: CohortProcess) -> str:
    """Return what is another when another cohort is at work, or its plan is there to be shown."""
    is_planned = current.order.name in cohort_names(default_store())
    return f"{current.folder} {'planned' if is_planned else 'begun'}"


def _show_current(current: CohortProcess, progress: CohortProgress) -> None:
    order = current.order
    told = ", ".join(f"{count:,} {state}" for state, count in progress.states.items())
    seconds = current.seconds_left()
    left = f"; about {duration(seconds)} left" if seconds is not None and progress.at_work else ""
    named = f"{literal(order.name)}, {counted(order.total, 'slide')}: {told or 'starting …'}{left}"
    st.progress(progress.share, named)
    at_work = progress.at_work
    lines = [_words_of(each) for each in at_work[:_NAMED_AT_WORK]]
    if len(at_work) > _NAMED_AT_WORK:
        lines.append(f"{len(at_work) - _NAMED_AT_WORK:,} more")
    if current.dashboard is not None:
        lines.append(f"[what each worker does]({current.dashboard})")
    words, button = st.columns([5, 1], vertical_alignment="center")
    words.caption(unbroken(" · ".join(lines)))
    if button.button("Stop", icon=":material/stop_circle:", width="stretch", key="_stop"):
        singletons.cohorts().stop(order.name)


def _words_of(each: AtWork) -> str:
    return f"{literal(each.slide)} {_STAGES.get(each.stage, each.stage)} {100 * each.share:.0f} %"


def _look_again(cohort: str | None, ended: int) -> None:
    """Run the whole page when another cohort is at work, or none, and when slides of the table ended.

    A cohort of many small slides does not have the table made anew for each of them, and whoever
    draws around points of a plot is not disturbed.
    """
    seen = (cohort, ended)
    before, at = st.session_state.setdefault(_SEEN, (seen, time.monotonic()))
    is_table = st.session_state.get(SECTION, SECTIONS[0]) == SECTIONS[0]
    is_time = is_table and time.monotonic() - at >= _TABLE_EVERY_S
    if cohort != before[0] or (seen != before and is_time):
        st.session_state[_SEEN] = (seen, time.monotonic())
        st.rerun(scope="app")
