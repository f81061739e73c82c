"""The confusion of nuclei as a heat map, and the nuclei of the cell that was clicked."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely
import streamlit as st

from pages.shared import evaluations, palettes, resources, state
from pages.shared.crop_gallery import Shown, show_crops
from pages.shared.figure_words import CONFUSION_IN_WORDS
from pages.shared.page_list import VIEWER
from seg_core.errors import counted
from seg_core.evaluation.area_scores import FOUND, MISSED, SPURIOUS
from seg_core.evaluation.kept import KeptEvaluation
from seg_core.evaluation.tables import confusion_table
from seg_core.picture.crops import crop_nuclei
from seg_core.picture.encoding import encode_jpeg
from seg_core.store import Run

_CROPS = 32
_AROUND_UM = 60
_FOLDER = Path(__file__).parent / "confusion_view"

_mount = st.components.v2.component(
    "confusion_of_nuclei",
    html=(_FOLDER / "confusion.html").read_text("utf-8"),
    css=(_FOLDER / "confusion.css").read_text("utf-8"),
    js=(_FOLDER / "confusion.js").read_text("utf-8"),
)


def show(run: Run, evaluation: KeptEvaluation) -> None:
    """Show the table; a click on a cell lists its nuclei, a click on one opens the viewer there."""
    table = confusion_table(evaluation.result)
    if table is None:
        st.info("The reference has no classes of nuclei, so nothing can be confused.")
        return
    picked = st.session_state.get("_confusion_cell")
    clicked = _mount(key="_confusion", data=_data(table, picked), on_picked_change=lambda: None)[
        "picked"
    ]
    if clicked is not None and clicked != picked:
        st.session_state["_confusion_cell"] = clicked
        st.rerun()
    st.caption(
        "Rows are what the reference says, columns what the run says. Green is right, orange wrong; "
        "the stronger, the larger the share of its row. Click a cell to see its nuclei.\n\n"
        + CONFUSION_IN_WORDS
    )
    if picked is not None and picked[0] in table.index and picked[1] in table.columns:
        _show_nuclei(run, evaluation, *picked)


def _data(table: pd.DataFrame, picked: list[str] | None) -> dict[str, object]:
    columns = [str(each) for each in table.columns]
    rows = []
    for name, counts in zip(map(str, table.index), table.to_numpy().tolist(), strict=True):
        cells = [
            {
                "row": name,
                "column": column,
                "count": count,
                "share": count / max(1, sum(counts)),
                "right": name == column,
            }
            for column, count in zip(columns, counts, strict=True)
        ]
        rows.append({"name": name, "cells": cells})
    return {"columns": columns, "picked": picked, "rows": rows}


def _show_nuclei(run: Run, evaluation: KeptEvaluation, row: str, column: str) -> None:
    outcomes = resources.outcomes(evaluation.outcomes_file)
    listed = outcomes[
        (outcomes["reference_class"] == ("" if row == SPURIOUS else row))
        & (outcomes["called"] == ("" if column == MISSED else column))
    ]
    st.markdown(
        f"**{row} → {column}**: {counted(len(listed), 'nucleus', 'nuclei')}"
        + _first_of(len(listed))
    )
    show_nuclei(run, listed.head(_CROPS), f"_confused_{row}_{column}")


def _first_of(count: int) -> str:
    return f", the first {_CROPS}" if count > _CROPS else ""


def show_nuclei(run: Run, nuclei: gpd.GeoDataFrame, key: str) -> None:
    """Show crops of nuclei of an evaluation; a click on one opens its place in the viewer."""
    if nuclei.empty:
        st.info("There are no such nuclei.")
        return
    mpp = run.slide_mpp
    scheme = evaluations.OUTCOME_SCHEME
    shown = nuclei.assign(class_name=nuclei["outcome"].where(nuclei["outcome"] != "", FOUND))
    outlined = not (shapely.get_type_id(nuclei.geometry.to_numpy()) == 0).any()
    shown = shown[shown["class_name"].isin(scheme.names_with_other)]
    crops = crop_nuclei(resources.slide(run.slide_path, mpp), mpp, shown, scheme, outlined=outlined)
    clicked = show_crops(
        key,
        palettes.scheme_of(run).colours.get(nuclei["called"].iloc[0], "#8c8c8c"),
        [
            Shown(number, f"{int(nucleus)}" if nucleus else MISSED, encode_jpeg(crop))
            for number, (nucleus, crop) in enumerate(
                zip(shown["nucleus_id"], crops, strict=True), start=1
            )
        ],
    )
    if clicked is not None and clicked <= len(shown):
        go_to(run, shown.iloc[clicked - 1])


def go_to(run: Run, nucleus: pd.Series) -> None:
    """Open the viewer at a nucleus."""
    number = int(nucleus["nucleus_id"]) or None
    width = _AROUND_UM / run.slide_mpp
    state.GO_TO.set(state.Place(float(nucleus["x"]), float(nucleus["y"]), width, number))
    VIEWER.open()
