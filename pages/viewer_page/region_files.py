"""The files of the ROIs: saved and read as GeoJSON, as QuPath writes it."""

import json
from collections.abc import Sequence
from pathlib import Path

import shapely
import streamlit as st

from pages.shared import resources, state
from pages.shared.callbacks import refusable
from pages.shared.literal import literal, printable
from pages.shared.regions import add_rois
from pages.shared.slide_places import file_name_of
from seg_core.annotations import Annotations, read_annotations
from seg_core.errors import RegionError, counted
from seg_core.files.temporary import temporary_folder
from seg_core.roi import Roi
from seg_core.store.rois import geojson_of

_MOST_MB = 100

_IN_WORDS = {
    "Point": "point",
    "LineString": "line",
    "LinearRing": "line",
}


def exchange(chosen: state.ChosenSlide, rois: list[Roi]) -> None:
    """Offer to save the ROIs, and to read others."""
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
        for key in (state.IMPORTED, state.IMPORT_NOTE):
            key.clear()
        if uploaded is not None:
            take(chosen, uploaded.name, read_file(uploaded.name, uploaded.getvalue()))

    st.file_uploader(
        "Read a GeoJSON file, as QuPath writes it",
        ["geojson", "json", "gz"],
        key="_roi_file",
        on_change=refusable(read, state.PROBLEM),
        max_upload_size=_MOST_MB,
    )


def take(chosen: state.ChosenSlide, name: str, found: Annotations) -> None:
    """Take over what was drawn, name what is left out, and put detections aside until asked about.

    Raises
    ------
    RegionError
        If nothing in the file encloses an area.
    StoreError
        If the disk is full or cannot be written.
    """
    if note := _left_out(name, found):
        state.IMPORT_NOTE.set(note)
    if not (found.rois or found.detections):
        raise RegionError(f"{name} holds no polygon; draw at least one ROI and export it.")
    if found.detections:
        state.IMPORTED.set(state.Imported(name, tuple(found.detections)))
    add_rois(chosen, _from_corner(chosen, found.rois, 1))


def _left_out(name: str, found: Annotations) -> str:
    """Say what of a file becomes no region, empty where all does."""
    told = [counted(count, _IN_WORDS.get(each, each)) for each, count in found.left_out.items()]
    were = "was" if sum(found.left_out.values()) == 1 else "were"
    lines = f"{' and '.join(told)} of {name} {were} left out: a region encloses an area."
    return f"{lines if told else ''} {found.unusable.note(Path(name))}".strip()


def ask_about_detections(chosen: state.ChosenSlide) -> None:
    """Ask what the many polygons of a file are, which nobody has drawn by hand."""
    note, imported = state.IMPORT_NOTE.get(), state.IMPORTED.get()
    if note:
        st.info(literal(note))
    if imported is None:
        return

    def answer(rois: Sequence[Roi]) -> None:
        add_rois(chosen, _from_corner(chosen, rois, 1))
        state.IMPORTED.clear()

    def answer_around() -> None:
        answer([_around(imported)])

    count = len(imported.detections)
    st.warning(
        f"{literal(imported.file)} holds {counted(count, 'detection')}: nuclei or cells that a program "
        "has found, and no regions that somebody has drawn. What is to become of them?"
    )
    st.button(
        "Leave them out",
        on_click=refusable(answer, state.PROBLEM),
        args=((),),
        width="stretch",
        type="primary",
    )
    st.button(
        "One region around them",
        on_click=refusable(answer_around, state.PROBLEM),
        width="stretch",
    )
    st.button(
        counted(count, "region"),
        on_click=refusable(answer, state.PROBLEM),
        args=(imported.detections,),
        width="stretch",
    )


def read_file(name: str, content: bytes) -> Annotations:
    """Read a file that was sent, by the name that it was sent under.

    Raises
    ------
    RegionError
        If it cannot be read.
    StoreError
        If there is no room for temporary files.
    """
    with temporary_folder() as folder:
        path = folder / file_name_of(name)
        path.write_bytes(content)
        return read_annotations(path)


def _around(imported: state.Imported) -> Roi:
    polygons = [roi.polygon for roi in imported.detections]
    hull = shapely.convex_hull(shapely.MultiPoint(shapely.get_coordinates(polygons)))
    return Roi(f"around {counted(len(polygons), 'detection')}", hull)


def _from_corner(chosen: state.ChosenSlide, rois: Sequence[Roi], sign: int) -> list[Roi]:
    """Return ROIs of a file, whose pixels count from the corner of the bounds, or for one."""
    bounds = resources.slide(chosen.path).info.bounds
    return [roi.moved(sign * bounds.x, sign * bounds.y) for roi in rois]
