"""The slides that were drawn around in the scatter plot: they alone are shown until all are again."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.shared import state
from pages.shared.state import DrawnAround
from seg_core.errors import counted

_TIMES = "_times_all_shown"


def narrowed(table: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """Return the slides that were drawn around, with a word and the way back; all where none were."""
    drawn = _drawn(cohort)
    if not drawn:
        return table
    kept = table[[row in drawn for row in rows_of(table)]]
    words, button = st.columns([5, 1], vertical_alignment="center")
    words.info(
        f"{len(kept):,} of {counted(len(table), 'slide')}: those that were drawn around in *Scatter*.",
        icon=":material/lasso_select:",
    )
    button.button("All slides", key="_all_slides", width="stretch", on_click=_forget)
    return kept


def rows_of(table: pd.DataFrame) -> list[str]:
    """Return for each row what no other row of the cohort has: the slide, and the ROI of it."""
    rois = table["roi"].fillna("")
    return [f"{path}\n{roi}" for path, roi in zip(table["slide_path"], rois, strict=True)]


def places_of(table: pd.DataFrame, cohort: str) -> list[int]:
    """Return which rows of a table were drawn around."""
    drawn = _drawn(cohort)
    return [place for place, row in enumerate(rows_of(table)) if row in drawn]


def chart_key() -> str:
    """Return the key of the chart: another one each time that all slides are shown again.

    A chart keeps what was drawn in it for as long as it is the same one.
    """
    return f"_scatter_{st.session_state.get(_TIMES, 0)}"


def take(chart: str, rows: Sequence[str], cohort: str) -> None:
    """Keep what was drawn around in a chart; drawn around nothing, all slides are shown.

    Parameters
    ----------
    chart : str
        Its key.
    rows : sequence of str
        Of its points, as `rows_of` gives them.
    cohort : str
    """
    places = st.session_state[chart]["selection"]["point_indices"]
    if places:
        state.DRAWN_AROUND.set(DrawnAround(cohort, frozenset(rows[place] for place in places)))
    else:
        _forget()


def _forget() -> None:
    state.DRAWN_AROUND.clear()
    st.session_state[_TIMES] = st.session_state.get(_TIMES, 0) + 1


def _drawn(cohort: str) -> frozenset[str]:
    drawn = state.DRAWN_AROUND.get()
    return drawn.rows if drawn is not None and drawn.cohort == cohort else frozenset()
