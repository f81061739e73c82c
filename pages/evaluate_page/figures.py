"""The figures of an evaluation, with their intervals."""

from collections.abc import Collection
from itertools import chain
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.figure_words import FIGURES_IN_WORDS
from pages.shared.literal import literal
from seg_core.evaluation.report_section import measured_in_words
from seg_core.evaluation.tables import class_rows, figures_in_words, overall_table
from seg_core.unbroken import unbroken

AREA_TITLES = {
    "bpq": "bPQ",
    "aji_plus": "AJI+",
    "detection_f1": "Detection F1",
    "mpq_plus": "mPQ+",
    "class_mean_iou": "IoU of classes",
    "detected": "Dots found",
}
"""What figures of regions and images are called."""


def show_result(
    result: dict[str, Any], reference: str | None = None, told: Collection[str] = ()
) -> None:
    """Show the figures of all nuclei, then by class.

    Parameters
    ----------
    result : dict
        Of a run, or of a model by a folder of images.
    reference : str, optional
        What the reference of a run is called on the page.
    told : collection of str
        Notes that stand on the page already.
    """
    st.caption(unbroken(literal(measured_in_words(result, reference))))
    notes = (result.get(key, ()) for key in ("said_since", "notes", "warnings"))
    for note in chain.from_iterable(notes):
        if note not in told:
            st.caption(unbroken(literal(note)))
    overall = overall_table(result)
    st.table(
        pd.DataFrame(
            {"Figure": overall["figure"].map(unbroken), "Value": figures_in_words(overall)}
        ),
        border="horizontal",
        hide_index=True,
    )
    rows = class_rows(result)
    if not rows:
        st.info("The reference has no classes of nuclei, so there are no figures by class.")
        return
    counts = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        placeholder="–",
        column_config={"Reference": counts, "Found": counts},
    )
    for row in rows:
        if not row["Reference"]:
            st.caption(
                f"The reference has no nucleus of class {literal(row['Class'])}, so the class has no "
                f"figure and is left out of the means; {row['Found']:,} were found."
            )
    with st.popover("How is this computed", icon=":material/function:", type="tertiary"):
        st.markdown(
            f"{result['protocol'].get('explanation', '')}\n\n{result['protocol'].get('border', '')}\n\n"
            f"{unbroken(FIGURES_IN_WORDS)}\n\nWhich figure to compare with which paper: docs/evaluation.md."
        )
