"""The TIL maps of a cohort side by side."""

import pandas as pd
import streamlit as st

from pages.cohort_page.cohort_table import open_slide_of
from pages.shared.literal import literal
from seg_core.cohort.columns import measures_of, title_of
from seg_core.cohort.run_rows import is_scored
from seg_core.cohort.til_maps import MAP_FILE, MAP_WORDS, map_of
from seg_core.digits import in_percent
from seg_core.errors import counted
from seg_core.store import default_store
from seg_core.unbroken import unbroken

_COLUMNS, _A_PAGE = 4, 24


def show_maps(table: pd.DataFrame) -> None:
    """Show the small maps in an order of choice; a button under each opens its slide."""
    has_map = [
        isinstance(row["folder"], str)
        and map_of(default_store() / row["folder"], scored=is_scored(row)) is not None
        for row in table.to_dict("records")
    ]
    mapped = table[has_map]
    if mapped.empty:
        st.info(
            "No slide of this cohort has a TIL map: they are drawn when TILs are scored, which "
            "`--no-til` leaves out and a slide without tumour or stroma does not have."
        )
        return
    left, right = st.columns(2)
    orders = ["slide", *(each for each in measures_of(mapped) if each != "slide")]
    usual = orders.index("til_pct") if "til_pct" in orders else 0
    order = left.selectbox("In order of", orders, usual, format_func=title_of, key="_map_order")
    pages = -(-len(mapped) // _A_PAGE)
    page = right.number_input("Page", 1, pages, 1, key="_map_page") if pages > 1 else 1
    ordered = mapped.sort_values(order, ascending=order == "slide", na_position="last")
    shown = ordered.iloc[(page - 1) * _A_PAGE : page * _A_PAGE]
    for start in range(0, len(shown), _COLUMNS):
        _show_row(shown.iloc[start : start + _COLUMNS])
    missing = len(table) - len(mapped)
    without = f" {counted(missing, 'slide')} without a map." if missing else ""
    st.caption(f"{MAP_WORDS}{without}")


def _show_row(rows: pd.DataFrame) -> None:
    """Show maps, which are of many heights, and below all of them what each is."""
    pictures, names = st.columns(_COLUMNS), st.columns(_COLUMNS)
    for picture, words, (_, row) in zip(pictures, names, rows.iterrows(), strict=False):
        picture.image(str(default_store() / row["folder"] / MAP_FILE))
        with words:
            if st.button(
                literal(row["slide"]),
                key=f"_map_{row['folder']}",
                width="stretch",
                type="tertiary",
            ):
                open_slide_of(row)
            reason = row["til_reason"] if pd.isna(row["til_pct"]) else None
            st.caption(
                unbroken(_words_of(row)), help=literal(reason) if isinstance(reason, str) else None
            )


def _words_of(row: pd.Series) -> str:
    score = row["til_pct"]
    said = "no TIL score" if pd.isna(score) else f"TIL score {in_percent(score)} %"
    interval = ""
    if pd.notna(row["til_low"]) and pd.notna(row["til_high"]):
        interval = f" ({in_percent(row['til_low'])}–{in_percent(row['til_high'])})"
    group = f" · {literal(row['group'])}" if isinstance(row["group"], str) else ""
    return f"{said}{interval}{group}"
