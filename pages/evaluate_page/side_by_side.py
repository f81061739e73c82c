"""Two answers to one reference, in a table with their difference."""

from typing import Any

import pandas as pd
import streamlit as st

from seg_core.evaluation.tables import figures_in_words, overall_table
from seg_core.unbroken import unbroken


def show(
    first: dict[str, Any], second: dict[str, Any], compared: dict[str, Any], titles: tuple[str, str]
) -> None:
    """Show the figures of all nuclei of two answers, and the second's less the first's.

    Parameters
    ----------
    first, second : dict
        As ``evaluate`` gives them.
    compared : dict
        ``difference`` and ``difference95``; see `seg_core.evaluation.result_parts.differences_of`.
    titles : tuple of str
        Of both answers.
    """
    one, two = (overall_table(result).set_index("figure") for result in (first, second))
    columns = {
        title: pd.Series(figures_in_words(table), index=table.index)
        for title, table in zip(titles, (one, two), strict=True)
    }
    if compared["difference"] is not None:
        table = overall_table(compared["difference"], compared["difference95"])
        words = figures_in_words(table, signed=True)
        columns[f"{titles[1]} less {titles[0]}"] = pd.Series(words, index=table["figure"])
    shown = pd.DataFrame(columns).reindex(one.index)
    st.table(shown.set_axis(one.index.map(unbroken).rename("Figure")), border="horizontal")
