"""One analysis of the table is named, deleted or moved to another store."""

from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared import run_edit, run_removal, slide_places
from pages.shared.literal import literal
from pages.shared.steady_choice import keep_chosen
from pages.shared.told_apart import told_apart
from seg_core.store import Run, Store, default_store, open_run


def offer_edits(table: pd.DataFrame) -> None:
    """Let the reader choose a row that has an analysis, and change that."""
    rows = table.dropna(subset=["folder"])
    rows = rows[[(default_store() / folder / "run.json").is_file() for folder in rows["folder"]]]
    if rows.empty:
        return
    with st.expander("Name, delete or move an analysis"):
        titles = _titles(rows)
        keep_chosen("_edited", titles)
        folder = st.selectbox(
            "Analysis", list(titles), format_func=titles.__getitem__, key="_edited"
        )
        run = open_run(default_store() / folder)
        run_edit.offer(run)
        if slide_places.reader_is_local():
            _offer_move(run)


def _titles(rows: pd.DataFrame) -> dict[str, str]:
    """Return a line for each analysis, by its folder; what two share is told apart by its id."""
    told = {
        row["folder"]: " · ".join(
            str(row[each]) for each in ("slide", "roi", "name") if isinstance(row[each], str)
        )
        for row in rows.to_dict("records")
    }
    return told_apart(told, {folder: folder.rpartition("/")[2] for folder in told})


def _offer_move(run: Run) -> None:
    words, button = st.columns([4, 1], vertical_alignment="bottom")
    typed = words.text_input(
        "Another store",
        key="_other_store",
        placeholder=str(Path.home() / "archive"),
        help="A folder of runs; the analysis is there whole before it is no longer here. "
        "`SEG_STORE` names the store that the dashboard shows.",
    )
    if button.button("Move", disabled=not typed, key="_move"):
        moved = run_removal.move(run, Store(Path(typed).expanduser()))
        st.success(literal(f"It lies in {moved.path} now."))
