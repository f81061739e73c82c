"""The part of the Viewer page that lists the ROIs of the slide: names, kinds, files."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.shared import state
from pages.shared.browser_answer import say
from pages.shared.callbacks import refusable
from pages.shared.literal import literal
from pages.shared.regions import (
    bring_back,
    change_rois,
    is_rectangle,
    selected_roi,
    slide_rois,
)
from pages.viewer_page import region_files
from seg_core.digits import in_digits
from seg_core.roi import CLASS_OF_KIND, Roi, RoiKind
from seg_core.unbroken import unbroken

_UM2_PER_MM2 = 1e6
_LEAST_IN_MM2 = 1e3  # µm²

_KINDS: dict[RoiKind, str] = {"include": "Count", "tumour": "Tumour", "exclude": "Leave out"}

_KIND_HELP = (
    "*Tumour*: counted too, and TIL scores look for epithelium and stroma there alone. *Leave out*: "
    "necrosis, folds and artefacts, whose nuclei count nowhere."
)

_SAID: dict[RoiKind, str] = {"tumour": " (tumour)", "exclude": " (left out)"}
"""What stands behind a region's name, here as on the slide."""

_DRAW_ONE = "Draw a region on the slide: a rectangle :material/select: or a free outline."


def offer_regions(chosen: state.ChosenSlide, mpp: float | None) -> None:
    """List the slide's ROIs; the selected one can be renamed, changed in kind and removed."""
    rois = slide_rois(chosen)
    selected = selected_roi(chosen)
    if rois:
        _choose(rois, selected)
    st.caption(_DRAW_ONE if selected is None else unbroken(describe_roi(selected, mpp)))
    with st.container(horizontal=True):
        if selected is not None:
            with st.popover("Edit", icon=":material/edit:", width="stretch"):
                _edit(chosen, rois, selected)
        with st.popover("Files", icon=":material/draft:", width="stretch"):
            region_files.exchange(chosen, rois)
    _offer_undo(chosen)
    region_files.ask_about_detections(chosen)


def describe_roi(roi: Roi, mpp: float | None) -> str:
    """Return the size of a ROI in words."""
    region = roi.region
    # the class that stands for its kind says no more than what is behind its name already
    is_own = roi.class_name and roi.class_name != CLASS_OF_KIND.get(roi.kind)
    of_class = f"{literal(roi.class_name)}: " if is_own else ""
    shape = "Rectangle" if is_rectangle(roi) else "Outline"
    size = f"{of_class}{shape} of {region.width:,} × {region.height:,} px"
    if mpp is None:
        return size
    width, height = region.width * mpp, region.height * mpp
    return (
        f"{size}, {in_digits(width)} × {in_digits(height)} µm, {_area(roi.polygon.area * mpp**2)}"
    )


def _area(um2: float) -> str:
    """Return an area in the unit that leaves few zeros to count."""
    if um2 < _LEAST_IN_MM2:
        return f"{in_digits(um2)} µm²"
    return f"{in_digits(um2 / _UM2_PER_MM2)} mm²"


def _choose(rois: list[Roi], selected: Roi | None) -> None:
    names = [roi.name for roi in rois]

    def keep() -> None:
        name = st.session_state["_roi"]
        if name is None:
            state.ROI.clear()
        elif name in names:  # not a region that is called otherwise by now
            state.ROI.set(name)

    # The slide may have selected another one since; a widget's own memory would not notice.
    titles = {roi.name: f"{roi.name}{_SAID.get(roi.kind, '')}" for roi in rois}
    say("_roi", selected.name if selected else None, titles[selected.name] if selected else None)
    st.selectbox(
        f"Regions ({len(rois)})",
        names,
        index=None,
        key="_roi",
        placeholder="Choose or click one",
        format_func=lambda name: titles.get(name, name),
        on_change=refusable(keep),
    )


def _edit(chosen: state.ChosenSlide, rois: list[Roi], selected: Roi) -> None:
    def change(**fields: Any) -> None:
        # Streamlit may call for what was shown before another change: that one stays
        now = next((roi for roi in slide_rois(chosen) if roi.roi_id == selected.roi_id), None)
        if now is not None:
            [kept] = change_rois(chosen, put=[replace(now, **fields)])
            state.ROI.set(kept.name)

    def remove(removed: Sequence[Roi]) -> None:
        change_rois(chosen, remove=removed)
        state.ROI.clear()

    def rename() -> None:
        name = st.session_state[name_key].strip()
        if name:
            change(name=name)

    name_key, kind_key = f"_roi_name_{selected.name}", f"_roi_kind_{selected.name}"
    st.text_input(
        "Name",
        selected.name,
        max_chars=60,
        key=name_key,
        on_change=refusable(rename, state.PROBLEM),
    )
    st.segmented_control(
        "Nuclei in it",
        list(_KINDS),
        default=selected.kind,
        required=True,
        key=kind_key,
        format_func=lambda kind: _KINDS[kind],
        help=_KIND_HELP,
        on_change=refusable(lambda: change(kind=st.session_state[kind_key]), state.PROBLEM),
    )
    st.button(
        "Remove",
        icon=":material/delete:",
        on_click=refusable(remove, state.PROBLEM),
        args=([selected],),
        width="stretch",
    )
    if len(rois) > 1:
        st.button(
            f"Remove all {len(rois):,}",
            on_click=refusable(remove, state.PROBLEM),
            args=(rois,),
            width="stretch",
        )


def _offer_undo(chosen: state.ChosenSlide) -> None:
    """Say what was removed last, in the viewer or here, and offer to bring it back."""
    removed = state.REMOVED.get()
    if removed:
        what = literal(removed[0].name) if len(removed) == 1 else f"{len(removed):,} regions"
        st.caption(f"Removed: {what}")
        st.button(
            "Undo",
            icon=":material/undo:",
            on_click=refusable(bring_back, state.PROBLEM),
            args=(chosen,),
            width="stretch",
        )


def tell_problem() -> None:
    """Show why a region was refused, until the next change."""
    problem = state.PROBLEM.get()
    if problem is not None:
        st.error(literal(problem))
