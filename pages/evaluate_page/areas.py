"""Regions from the worst to the best."""

import streamlit as st

from pages.evaluate_page.confusion import go_to
from pages.evaluate_page.figures import AREA_TITLES
from pages.shared import resources
from seg_core.evaluation.area_scores import FOUND, NOT_ASKED
from seg_core.evaluation.kept import KeptEvaluation
from seg_core.evaluation.tables import area_table
from seg_core.store import Run


def show(run: Run, evaluation: KeptEvaluation) -> None:
    """Show a row for each region; a click goes to a nucleus there that is wrong, if there is one."""
    table = area_table(evaluation.result)
    clicked = st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        column_config={
            name: title if name == "name" else st.column_config.NumberColumn(title, format="%.3f")
            for name, title in {**AREA_TITLES, "name": "Region"}.items()
        },
        on_select="rerun",
        selection_mode="single-row",
        key="_areas",
    )
    st.caption(
        "The worst first. Click the left edge of a row to see the region in the viewer, at a nucleus "
        "that is wrong where there is one."
    )
    rows = clicked["selection"]["rows"]
    if rows:
        outcomes = resources.outcomes(evaluation.outcomes_file)
        inside = outcomes[outcomes["area"] == table["name"].iloc[rows[0]]]
        wrong = inside[~inside["outcome"].isin([FOUND, NOT_ASKED])]
        if len(inside):
            go_to(run, (wrong if len(wrong) else inside).iloc[0])
        st.info("There are no nuclei in this region.")
