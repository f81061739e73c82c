"""The reader's own slides: what was uploaded and is still here, and what has been analysed."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import streamlit as st

from pages.shared import (
    callbacks,
    pixel_size,
    resources,
    run_words,
    runs,
    singletons,
    slide_places,
    state,
    uploads,
)
from pages.shared.analysed_slides import analysed_slides
from pages.shared.callbacks import refusable
from pages.shared.literal import key_of, literal, printable
from seg_core.errors import SegCoreError
from seg_core.files.disk_errors import store_errors
from seg_core.slide.listing import files_of_series
from seg_core.store import Run
from seg_core.unbroken import unbroken

_MOST = 40


def show() -> None:
    """Show each slide with its picture, its pixel size and its analyses."""
    slides = _slides()
    found = list(islice(slides, _MOST))
    if not found:
        st.info(
            "Nothing here yet: slides that you upload are listed as long as your visit lasts, and on "
            "your own machine all that were analysed.",
            icon=":material/photo_library:",
        )
    for path in found:
        with st.container(border=True):
            try:
                _show_one(path)
            except SegCoreError as error:
                _show_unreadable(path, error)
    if next(slides, None) is not None:
        st.caption(f"The latest {_MOST} are shown; open an older one under *Folder*.")


def _slides() -> Iterator[Path]:
    """Give the reader's uploads, then what was analysed on their own machine, the latest first."""
    yield from uploads.earlier_uploads()
    if slide_places.reader_is_local():
        yield from analysed_slides()


def _show_one(path: Path) -> None:
    chosen = pixel_size.chosen(path)
    info = resources.slide(path, chosen.mpp).info
    finished = runs.finished_runs(chosen)
    picture, words, buttons = st.columns([1, 2.6, 1.6], vertical_alignment="center")
    picture.image(resources.card_picture(path), alt=f"Thumbnail of {printable(path.name)}")
    size = "µm/px not stated" if info.mpp is None else f"{info.mpp:.4g} µm/px"
    words.markdown(f"**{literal(path.name)}**")
    facts = (_day(path), f"{info.width:,} × {info.height:,} px", size, _count(finished))
    # a line may end after a point, and does not begin with one
    words.caption(unbroken("\N{NO-BREAK SPACE}· ".join(facts)))
    is_chosen = state.SLIDE.get() is not None and state.SLIDE.get() == chosen
    buttons.button(
        "Chosen" if is_chosen else "Choose",
        key=f"_library_{key_of(path)}",
        on_click=refusable(state.choose_slide),
        args=(chosen,),
        width="stretch",
    )
    if uploads.upload_folder_of(path) is not None:
        with buttons.popover("Delete", width="stretch"):
            _offer_deletion(path)
        callbacks.show(_problem_of(path))


def _show_unreadable(path: Path, error: SegCoreError) -> None:
    """Say why there is no slide; what was uploaded can be deleted all the same."""
    words, buttons = st.columns([4, 1.2], vertical_alignment="center")
    words.markdown(f"**{literal(path.name)}**")
    words.caption(literal(str(error)))
    if uploads.upload_folder_of(path) is not None:
        buttons.button(
            "Delete",
            key=f"_delete_{key_of(path)}",
            on_click=refusable(_delete, _problem_of(path)),
            args=(path,),
            width="stretch",
        )
        callbacks.show(_problem_of(path))


def _offer_deletion(path: Path) -> None:
    """Ask once more; the analyses stay, and are found again when the same file comes back."""
    if singletons.analyses().of_slide(resources.identity(path)):
        st.caption("It is being analysed; stop that first.")
        return
    st.caption("The file is removed from the server, its analyses stay.")
    st.button(
        "Delete the upload",
        key=f"_delete_{key_of(path)}",
        on_click=refusable(_delete, _problem_of(path)),
        args=(path,),
    )


def _problem_of(path: Path) -> state.Key[str]:
    """Return where it is kept why an upload was not deleted."""
    return state.Key(f"_not_deleted_{key_of(path)}")


def _delete(path: Path) -> None:
    with store_errors(path.parent):
        for file in files_of_series(path):
            file.unlink(missing_ok=True)
    chosen = state.SLIDE.get()
    if chosen is not None and chosen.path == path:
        state.leave_slide()
    resources.forget_slides()


def _day(path: Path) -> str:
    return run_words.day_of(datetime.fromtimestamp(path.stat().st_mtime).astimezone())


def _count(finished: list[Run]) -> str:
    return {0: "no analysis", 1: "1 analysis"}.get(len(finished), f"{len(finished)} analyses")
