"""The table of nuclei: filtered and sorted in the store, sent a page at a time."""

from typing import Any

import streamlit as st

from pages.nuclei_page.choice import Choice, choose_classes
from pages.shared import resources, state
from pages.shared.callbacks import refusable
from pages.shared.page_list import VIEWER
from seg_core.nuclei import MEASURES, VOTED_CLASS
from seg_core.nuclei.nucleus_table import share_columns
from seg_core.store import Selection

_PAGE_ROWS = 100
_TABLE_PX = 460

# How much of the slide the viewer shows around a nucleus, µm.
_AROUND_UM = 120.0

_PLACES = {
    "nucleus_id": ("Nucleus", None),
    "class_name": ("Class", None),
    VOTED_CLASS: ("Voted class", None),
    "x": ("x, px", "%.1f"),
    "y": ("y, px", "%.1f"),
}


def show(choice: Choice) -> None:
    """Show filters and a page of the table; a click on a row opens the nucleus in the viewer."""
    selection = _filtered(choice)
    queries = resources.nucleus_queries(choice.run)
    total = sum(queries.counts(selection).values())
    shares = share_columns(choice.run.model_scheme)
    columns = _columns(choice, shares)
    sort_by, descending, page = _choose_order(columns, total)
    rows = queries.page(
        selection,
        sort_by=sort_by,
        descending=descending,
        offset=page * _PAGE_ROWS,
        limit=_PAGE_ROWS,
    )
    st.caption(
        f"{total:,} nuclei; a click on a row opens it in the viewer, one on a column's name sorts "
        "all of them."
    )
    event = st.dataframe(
        rows,
        hide_index=True,
        height=_TABLE_PX,
        column_order=list(columns),
        column_config=columns,
        key="_nuclei_table",
        on_select=refusable(_sort_by_clicked),
        selection_mode=["single-cell", "single-column"],
    )
    if event["selection"]["cells"]:
        row, _ = event["selection"]["cells"][0]
        open_nucleus(choice, rows.iloc[row])


def open_nucleus(choice: Choice, nucleus: Any) -> None:
    """Go to a nucleus in the viewer."""
    width = _AROUND_UM / choice.run.slide_mpp
    x, y, number = float(nucleus["x"]), float(nucleus["y"]), int(nucleus["nucleus_id"])
    state.GO_TO.set(state.Place(x, y, width, number))
    VIEWER.open()


def _filtered(choice: Choice) -> Selection:
    queries = resources.nucleus_queries(choice.run)
    classes, score, area = st.columns([3, 2, 2], gap="large")
    with classes:
        names = choose_classes(choice, "_table_classes")
    scores = score.slider("Class score", 0.0, 1.0, (0.0, 1.0), step=0.01, key="_scores")
    _, largest = queries.extent(choice.selection(), "area_um2") or (0.0, 1.0)
    areas = area.slider(
        "Area, µm²", 0.0, float(int(largest) + 1), (0.0, float(int(largest) + 1)), key="_areas"
    )
    picked = state.PICKED.get()
    only_picked = bool(picked) and st.toggle(
        f"Only the {len(picked or ()):,} picked nuclei", value=True, key="_only_picked"
    )
    return choice.selection(
        names, scores=scores, areas_um2=areas, ids=picked if only_picked else None
    )


def _choose_order(columns: dict[str, Any], total: int) -> tuple[str, bool, int]:
    """Return the column to sort by, whether the greatest come first, and the page, from 0."""
    by, order, number = st.columns([3, 2, 2], gap="large", vertical_alignment="bottom")
    sort_by = by.selectbox(
        "Sort by", list(columns), format_func=lambda name: columns[name]["label"], key="_sort_by"
    )
    descending = order.toggle("Greatest first", key="_descending")
    pages = max(1, -(-total // _PAGE_ROWS))
    if st.session_state.get("_page", 1) > pages:
        st.session_state["_page"] = pages
    page = number.number_input(f"Page (of {pages:,})", 1, pages, key="_page")
    return sort_by, descending, page - 1


def _sort_by_clicked() -> None:
    """Sort by the column whose name was clicked."""
    clicked = st.session_state["_nuclei_table"]["selection"]["columns"]
    if clicked:
        st.session_state["_sort_by"] = clicked[0]
        st.session_state["_page"] = 1


def _columns(choice: Choice, shares: list[str]) -> dict[str, Any]:
    """Give columns the names a reader expects, and numbers their digits; shares come last."""
    labels = {
        **_PLACES,
        **{each.column: (each.title, f"%.{each.digits}f") for each in MEASURES.values()},
        **{name: (name.replace("_", " ").capitalize(), "%.2f") for name in shares},
    }
    if not choice.min_score:
        del labels[VOTED_CLASS]
    order = ["nucleus_id", "class_name", VOTED_CLASS, *MEASURES, "x", "y", *shares]
    return {
        name: st.column_config.NumberColumn(label, format=digits)
        if digits
        else st.column_config.Column(label)
        for name, (label, digits) in ((name, labels[name]) for name in order if name in labels)
    }
