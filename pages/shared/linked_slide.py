"""The slide and the run that an address names, for whoever may open them.

Each page's address holds the slide's id and the run that is shown, that of the viewer the part in
view too: a page loaded anew comes back, after a restart as well, and a colleague sees the same. It
opens nothing that the Slides page would not.
"""

from collections.abc import Iterator
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared import pixel_size, resources, runs, slide_places, state, uploads
from pages.shared.page_list import NAMED
from seg_core.samples import SAMPLES, sample_path
from seg_core.slide import may_have_id
from seg_core.store import Run, Store

_SLIDE, _RUN = NAMED


def follow_address() -> bool:
    """Turn to the slide and the run in the address, or say that this visit may not.

    Once for each address, and again where the reader goes back to it: what they have turned to since
    stays, also while the browser has not received yet how the address reads by now.

    Returns
    -------
    may : bool
        False where the reader was told to choose a slide instead.
    """
    wanted = (st.query_params.get(_SLIDE), st.query_params.get(_RUN))
    slide_id, run_id = wanted
    last, *earlier = state.ADDRESSES.get() or (None,)
    if slide_id is None or wanted == last or (wanted in earlier and not _goes_back()):
        return True
    chosen = state.SLIDE.get()
    if chosen is None or not chosen.path.exists() or resources.identity(chosen.path) != slide_id:
        chosen = find_slide(slide_id)
        if chosen is None:
            st.warning(
                "The address names a slide that is not offered here, is no longer where it was, or was "
                "uploaded by another reader; choose one on the Slides page.",
                icon=":material/link_off:",
            )
            return False
        state.choose_slide(chosen)
        kept = uploads.hold_uploads_of(chosen.path)
        if kept is not None:
            state.UPLOADS.set(kept)
    for run in runs.finished_runs(chosen) if run_id else ():
        if run.run_id == run_id:
            state.show_run(run.path)
    _remember(wanted)
    return True


def write_address(chosen: state.ChosenSlide, run: Run | None) -> None:
    """Have the page's address name the slide and the run that are shown."""
    names = {_SLIDE: resources.identity(chosen.path)}
    if run is not None:
        names[_RUN] = run.run_id
    for name in (_SLIDE, _RUN):
        if name not in names and name in st.query_params:
            del st.query_params[name]
    if any(st.query_params.get(name) != value for name, value in names.items()):
        st.query_params.update(names)
    _remember((names[_SLIDE], names.get(_RUN)))


def _remember(address: state.Address) -> None:
    state.ADDRESSES.set(tuple(dict.fromkeys((address, *(state.ADDRESSES.get() or ())))))


def _goes_back() -> bool:
    """Tell whether the browser's *Back* or *Forward* has led to this run of the page."""
    # A name of Streamlit's own: one that calls it otherwise goes back to the page, and fails of nothing.
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))


def find_slide(slide_id: str) -> state.ChosenSlide | None:
    """Return the slide of an id, among those that this session may open."""
    for sample in SAMPLES:
        if resources.identity(sample_path(sample.name)) == slide_id:
            return pixel_size.chosen(sample_path(sample.name), sample.mpp)
    for path in _openable(slide_id):
        # The content is looked at only where the name is right: a folder may hold thousands.
        if may_have_id(path, slide_id) and resources.identity(path) == slide_id:
            return pixel_size.chosen(path)
    return None


def _openable(slide_id: str) -> Iterator[Path]:
    yield from uploads.earlier_uploads()
    offered = slide_places.offered_folder()
    if offered is not None and offered.is_dir():
        is_local = slide_places.reader_is_local()
        yield from slide_places.slides_in(offered, inside_only=not is_local)
    if slide_places.reader_is_local():
        for run in Store().runs(slide_id):
            if run.slide_path.is_file():
                yield run.slide_path
