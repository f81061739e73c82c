"""Files of an evaluation to take away."""

import json
from functools import partial

import pandas as pd
import streamlit as st

from pages.shared import resources
from pages.shared.page_list import NUCLEI
from seg_core.evaluation.kept import KeptEvaluation
from seg_core.evaluation.tables import area_table, class_table, confusion_table, overall_table
from seg_core.files.csv import csv_text
from seg_core.store import Run


def show(run: Run, evaluation: KeptEvaluation) -> None:
    """Offer tables as CSV and the whole answer as JSON."""
    name = f"{run.slide_path.stem}-{run.run_id}-evaluation"
    result = evaluation.result
    figures = pd.concat([overall_table(result), class_table(result)], ignore_index=True)
    confusion = confusion_table(result)
    for words, suffix, table in (
        ("Figures with their intervals", "figures", figures),
        ("Confusion of nuclei", "confusion", confusion),
        ("Regions", "regions", area_table(result)),
    ):
        if table is not None:
            st.download_button(
                f"{words} (CSV)",
                partial(csv_text, table.reset_index() if table is confusion else table),
                f"{name}-{suffix}.csv",
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
            )
    st.download_button(
        "What became of each nucleus (CSV)",
        lambda: csv_text(resources.outcomes(evaluation.outcomes_file).drop(columns="geometry")),
        f"{name}-nuclei.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.download_button(
        "All figures, as the command line writes them (JSON)",
        lambda: json.dumps(result, indent=2),
        f"{name}.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption("A report with these figures in a section of its own is among the files of Nuclei.")
    NUCLEI.link("Go to Nuclei")
