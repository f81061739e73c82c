"""The viewer as a Streamlit component: its files, and what it is told.

The component itself is small and sent with the page; the rest it fetches, see `web_files`.
"""

from typing import Any

import streamlit as st

from pages.shared import frame, regions, resources, singletons, state, visitor
from pages.shared.callbacks import follow_refusal, refusable
from pages.shared.literal import printable
from pages.shared.tile_sources import TileSource
from pages.viewer_page import beside, correcting, nucleus_card, nucleus_hover, unfinished
from pages.viewer_page.layer_data import layers_of, legend_note, legend_of, rectangle
from pages.viewer_page.server import web_files
from pages.viewer_page.server.channel import answers_to
from pages.viewer_page.server.drawing import SLIDE_LAYER
from pages.viewer_page.server.tiles import TILE_PX
from seg_core.slide import DeepZoom, Slide
from seg_core.store import Run

_mount = st.components.v2.component(
    "slide_viewer",
    html=(web_files.FOLDER / "viewer.html").read_text("utf-8"),
    css=web_files.style_of_page(),
    js=web_files.script_of_page(),
)


# So often the maps of an analysis at work are looked for anew.
_GROWING_S = 2.0


def show_viewer(chosen: state.ChosenSlide, slide: Slide, run: Run | None) -> None:
    """Show a slide with its ROIs and the overlays of a run, or of one that is at work.

    Parameters
    ----------
    chosen : ChosenSlide
    slide : Slide
    run : Run or None
        The finished one that is read.
    """
    if unfinished.is_growing(chosen, run):
        _show_growing(chosen, slide, run)
    else:
        _show_still(chosen, slide, run)


@st.fragment
def _show_still(chosen: state.ChosenSlide, slide: Slide, run: Run | None) -> None:
    with frame.shown_errors():
        _show_seen(chosen, slide, run)


@st.fragment(run_every=_GROWING_S)
def _show_growing(chosen: state.ChosenSlide, slide: Slide, run: Run | None) -> None:
    """Show what is there of an analysis at work, again and again; the page follows its end."""
    with frame.shown_errors():  # the slide's file may be taken away meanwhile
        if not unfinished.is_growing(chosen, run):
            st.rerun()
        _show_seen(chosen, slide, run)


def _show_seen(chosen: state.ChosenSlide, slide: Slide, run: Run | None) -> None:
    partial = unfinished.shown(chosen, run)
    _show(chosen, slide, run if partial is None else partial.run)


def _show(chosen: state.ChosenSlide, slide: Slide, run: Run | None) -> None:
    """Show a slide with its ROIs and the overlays of a run.

    A rerun of the page changes the viewer in place: the key names the slide, and only that. A
    picked nucleus is the viewer's affair alone; what is drawn concerns the whole page.
    """
    follow_refusal()
    if state.DRAWN.get():
        state.DRAWN.clear()
        st.rerun()
    source = _tile_source(chosen)
    finished = run if run is not None and run.status == "finished" else None
    # Streamlit forbids "__" in such a key; of the slide's id only the digits at its end have none.
    key = f"_viewer_{resources.identity(slide.info.path).rpartition('-')[2]}"

    def take_drawn() -> None:
        regions.take_drawn(chosen, st.session_state[key]["regions"])
        state.DRAWN.set(True)

    def take_measured() -> None:
        measured = st.session_state[key]["measured"]
        state.MEASURED.set(float(measured["px"]))
        state.DRAWN.set(True)

    def take_beside() -> None:
        _take_beside(st.session_state[key]["beside"])

    def take_pick() -> None:
        nucleus_card.take_pick(finished, st.session_state[key]["pick"])

    _mount(
        key=key,
        data={
            "modules": web_files.address("slide_viewer.js"),
            "library": web_files.library(),
            "slide": _slide_data(slide, source),
            "layers": layers_of(slide.info, run, source),
            "classes": [] if run is None else legend_of(run, regions.slide_rois(chosen)),
            "classesNote": None if run is None else legend_note(run, regions.slide_rois(chosen)),
            "goTo": _place_to_go(run),
            "nucleus": nucleus_card.card_of(finished, slide),
            "hover": nucleus_hover.hover_address(finished, source),
            "picked": nucleus_card.picked_outlines(finished),
            "regions": regions.drawing_of(chosen),
            "beside": beside.describe(chosen, slide.info, run, source),
            "correcting": correcting.describe(finished, source),
            "answers": answers_to(st.session_state.get(key, {}).get("ask"), source),
        },
        on_ask_change=lambda: None,  # Streamlit hands on only what has a callback
        on_regions_change=refusable(take_drawn),
        on_measured_change=refusable(take_measured),
        on_beside_change=refusable(take_beside),
        on_corrected_change=lambda: state.DRAWN.set(True),
        on_pick_change=refusable(take_pick),
    )


def _take_beside(run_id: str | None) -> None:
    if run_id is None:
        state.BESIDE.clear()
    else:
        state.BESIDE.set(run_id)


def _tile_source(chosen: state.ChosenSlide) -> TileSource:
    """Return what the session's token stands for; a new slide, or another pixel size, has a new one."""
    source = state.TILES.get()
    if source is None or source.slide != chosen:
        source = singletons.tile_sources().add(chosen, visitor.folder_name())
        state.TILES.set(source)
    return source


def _place_to_go(run: Run | None) -> dict[str, Any] | None:
    """Return where another page wants the viewer to be.

    The browser goes there once for each number: a rerun that overtakes this one sends it again.
    """
    place = state.GO_TO.get()
    number, last = state.GONE_TO.get() or (0, None)
    if place is not None:
        state.GO_TO.clear()
        number, last = number + 1, place
        state.GONE_TO.set((number, place))
        if run is not None and place.nucleus_id is not None:
            state.NUCLEUS.set((run.run_id, place.nucleus_id))
    if last is None:
        return None
    return {"number": number, "x": last.x, "y": last.y, "width": last.width}


def _slide_data(slide: Slide, source: TileSource) -> dict[str, Any]:
    info = slide.info
    return {
        "id": resources.identity(info.path),
        "title": printable(info.path.name),
        "url": source.address(SLIDE_LAYER, "jpg"),
        "picture": source.picture_address,
        "brush": source.brush_address,
        "tileSize": TILE_PX,
        "levels": DeepZoom(slide, TILE_PX).level_count,
        "mpp": info.mpp,
        **rectangle(info.bounds),
    }
