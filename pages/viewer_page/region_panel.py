"""The part of the Viewer page that lists the ROIs of the slide: names, kinds, files."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from pages.shared import resources, state
from pages.shared.literal import literal, printable
from pages.shared.regions import (
    add_rois,
    free_name,
    is_rectangle,
    keep_slide_rois,
    selected_roi,
    slide_rois,
)
from pages.shared.slide_places import file_name_of
from seg_core.errors import SegCoreError
from seg_core.roi import Roi, RoiKind, read_rois
from seg_core.store.rois import geojson_of

_UM2_PER_MM2 = 1e6

_KINDS: dict[RoiKind, str] = {"include": "Count", "exclude": "Leave out"}

_KIND_HELP = "Statistics leave out the nuclei of regions such as necrosis, folds and artefacts."

_DRAW_ONE = "Draw a region on the slide: a rectangle :material/select: or a free outline."


def offer_regions(chosen: state.ChosenSlide, mpp: float | None) -> None:
    """List the slide's ROIs; the selected one can be renamed, changed in kind and removed."""
    rois = slide_rois(chosen)
    selected = selected_roi(chosen)
    if rois:
        _choose(rois, selected)
    st.caption(_DRAW_ONE if selected is None else describe_roi(selected, mpp))
    with st.container(horizontal=True):
        if selected is not None:
            with st.popover("Edit", icon=":material/edit:", width="stretch"):
                _edit(chosen, rois, selected)
        with st.popover("Files", icon=":material/draft:", width="stretch"):
            _exchange(chosen, rois)


def describe_roi(roi: Roi, mpp: float | None) -> str:
    """Return the size of a ROI in words."""
    region = roi.region
    shape = "Rectangle" if is_rectangle(roi) else "Outline"
    size = f"{shape} of {region.width:,} × {region.height:,} px"
    if mpp is None:
        return size
    width, height = region.width * mpp, region.height * mpp
    area = roi.polygon.area * mpp**2 / _UM2_PER_MM2
    return f"{size}, {width:,.0f} × {height:,.0f} µm, {area:.3g} mm²"


def _choose(rois: list[Roi], selected: Roi | None) -> None:
    names = [roi.name for roi in rois]

    def keep() -> None:
        name = st.session_state["_roi"]
        if name is None:
            state.ROI.clear()
        else:
            state.ROI.set(name)

    # The slide may have selected another one since; a widget's own memory would not notice.
    st.session_state["_roi"] = selected.name if selected else None
    kinds = {roi.name: roi.kind for roi in rois}
    st.selectbox(
        f"Regions ({len(rois)})",
        names,
        index=None,
        key="_roi",
        placeholder="Choose one, or click its border",
        format_func=lambda name: f"{name} (left out)" if kinds.get(name) == "exclude" else name,
        on_change=keep,
    )


def _edit(chosen: state.ChosenSlide, rois: list[Roi], selected: Roi) -> None:
    others = [roi for roi in rois if roi != selected]

    def change(new: Roi) -> None:
        keep_slide_rois(chosen, [new if roi == selected else roi for roi in rois])
        state.ROI.set(new.name)

    def remove() -> None:
        keep_slide_rois(chosen, others)
        state.ROI.clear()

    def rename() -> None:
        name = st.session_state[name_key].strip()
        if name:
            change(replace(selected, name=free_name(name, others)))

    name_key, kind_key = f"_roi_name_{selected.name}", f"_roi_kind_{selected.name}"
    st.text_input("Name", selected.name, max_chars=60, key=name_key, on_change=rename)
    st.segmented_control(
        "Nuclei in it",
        list(_KINDS),
        default=selected.kind,
        required=True,
        key=kind_key,
        format_func=lambda kind: _KINDS[kind],
        help=_KIND_HELP,
        on_change=lambda: change(replace(selected, kind=st.session_state[kind_key])),
    )
    st.button("Remove", icon=":material/delete:", on_click=remove, width="stretch")


def _exchange(chosen: state.ChosenSlide, rois: list[Roi]) -> None:
    st.download_button(
        "Save as GeoJSON",
        lambda: json.dumps(geojson_of(_from_corner(chosen, rois, -1)), indent=1),
        f"{printable(chosen.path.stem)}-regions.geojson",
        "application/geo+json",
        icon=":material/download:",
        on_click="ignore",
        disabled=not rois,
        width="stretch",
    )

    def read() -> None:
        uploaded = st.session_state["_roi_file"]
        state.PROBLEM.clear()
        if uploaded is None:
            return
        try:
            found = _read(uploaded.name, uploaded.getvalue())
            add_rois(chosen, _from_corner(chosen, found, 1))
        except SegCoreError as error:
            state.PROBLEM.set(str(error))

    st.file_uploader(
        "Read a GeoJSON file, as QuPath writes it",
        ["geojson", "json", "gz"],
        key="_roi_file",
        on_change=read,
    )


def _from_corner(chosen: state.ChosenSlide, rois: Sequence[Roi], sign: int) -> list[Roi]:
    """Return ROIs of a file, whose pixels count from the corner of the bounds, or for one."""
    bounds = resources.slide(chosen.path).info.bounds
    return [roi.moved(sign * bounds.x, sign * bounds.y) for roi in rois]


def tell_problem() -> None:
    """Show why a region was refused, until the next change."""
    problem = state.PROBLEM.get()
    if problem is not None:
        st.error(literal(problem))


def _read(name: str, content: bytes) -> list[Roi]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / file_name_of(name)
        path.write_bytes(content)
        return read_rois(path)
