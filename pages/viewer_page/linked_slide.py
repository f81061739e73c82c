"""The slide that a viewer's address names, for whoever may open it.

Such an address holds the slide's id and the part in view, so that a colleague sees the same place
and a page loaded anew comes back. It opens nothing that the Slides page would not.
"""

from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from pages.shared import resources, slide_places, state, uploads
from seg_core.samples import SAMPLES, sample_path
from seg_core.store import Store


def open_linked_slide() -> None:
    """Turn to the slide in the address, or say that this visit may not."""
    wanted = st.query_params.get("slide")
    if wanted is None:
        return
    chosen = state.SLIDE.get()
    if chosen is not None and chosen.path.exists() and resources.identity(chosen.path) == wanted:
        return
    found = find_slide(wanted)
    if found is None:
        st.warning(
            "The address names a slide that is not offered here, or that was uploaded by another "
            "reader; choose it on the Slides page.",
            icon=":material/link_off:",
        )
    else:
        state.choose_slide(found)
        kept = uploads.hold_uploads_of(found.path)
        if kept is not None:
            state.UPLOADS.set(kept)


def find_slide(slide_id: str) -> state.ChosenSlide | None:
    """Return the slide of an id, among those that this session may open."""
    for sample in SAMPLES:
        if resources.identity(sample_path(sample.name)) == slide_id:
            return state.ChosenSlide(sample_path(sample.name), sample.mpp)
    name, _, _ = slide_id.rpartition("-")
    for path in _openable(slide_id):
        # The content is looked at only where the name is right: a folder may hold thousands.
        if _letters(name) in (_letters(path.stem), _letters(path.parent.name)) and (
            resources.identity(path) == slide_id
        ):
            return state.ChosenSlide(path)
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


def _letters(name: str) -> str:
    return "".join(each for each in name if each.isalnum() and each.isascii())
