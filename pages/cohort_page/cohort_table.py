"""The table of a cohort: chosen, filtered, sorted, taken away, and each slide opened."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from pandas.api.types import is_numeric_dtype
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.column_types import ColumnConfig

from pages.shared import linked_slide, resources, singletons, slide_places, state
from pages.shared.browser_answer import say
from pages.shared.callbacks import refusable
from pages.shared.literal import literal
from pages.shared.page_list import VIEWER
from seg_core.cohort.columns import groupings_of, known, measures_of, title_of
from seg_core.cohort.compare import numbers_of
from seg_core.cohort.journal import Journal, cohort_names
from seg_core.cohort.report import write_cohort_report
from seg_core.cohort.thumbnails import THUMBNAIL_FILE
from seg_core.errors import CohortError, SlideError, counted
from seg_core.files.csv import csv_text
from seg_core.files.temporary import temporary_folder
from seg_core.picture.encoding import jpeg_url
from seg_core.store import default_store
from seg_core.unbroken import unbroken

# What a person wants to see first; everything else can be chosen.
_FIRST = (
    *("patient", "group", "state", "nuclei", "lymphocyte_per_mm2", "til_pct", "til_low"),
    *("til_high", "phenotype", "classifier", "warnings", "error"),
)

STARTED = "_cohort_started"
"""Of the session: the cohort that was asked for last, until the page has turned to it."""

_SENTENCES, _MOST_TOLD = ("error", "warnings"), 100

_USUAL_FILTERS = ("state", "group", "phenotype")

_INNER = {"folder", "slide_path", "cohort", "settings", "model_sha256"}

# Kept ones, of a few kilobytes each; and slides that may be opened for want of one.
_MOST_PICTURES, _MOST_OPENED = 1000, 60


def choose_cohort(place: DeltaGenerator) -> str:
    """Let the reader choose one of the store's cohorts; end the page where there is none to see."""
    names = [name for name in cohort_names(default_store()) if _may_see(name)]
    if not names and slide_places.reader_is_local() and singletons.cohorts().current is not None:
        st.info("The cohort is being started; its table stands here in a moment.")
        st.stop()
    if not names:
        st.info(
            "There is no cohort yet that you may see. "
            + (
                "Name a folder or a CSV under *Analyse a cohort*."
                if slide_places.reader_is_local()
                else "Whoever runs this dashboard starts one with `python -m seg_core cohort FOLDER "
                "--out STORE`; it is shown here when all its slides lie in the folder that the "
                "dashboard offers."
            ),
            icon=":material/table_view:",
        )
        st.stop()
    started = st.session_state.get(STARTED)
    if started in names:  # not before there is something of it to see
        st.session_state["_cohort"] = st.session_state.pop(STARTED)
    if st.session_state.get("_cohort") not in names:  # one that has been deleted meanwhile
        st.session_state.pop("_cohort", None)
    return place.selectbox("Cohort", names, key="_cohort")


def _may_see(name: str) -> bool:
    """Tell whether the reader may know what the slides of a cohort are called."""
    if slide_places.reader_is_local():
        return True
    offered = slide_places.offered_folder()
    try:
        items = Journal(default_store(), name).read_plan()["items"]
    except CohortError:  # a damaged one is nobody's affair but theirs who run the dashboard
        return False
    return offered is not None and all(
        Path(item["slide"]).is_relative_to(offered.absolute()) for item in items
    )


def show_counts(table: pd.DataFrame, *, states: bool) -> None:
    """Say how large the cohort is, and how far, unless that is said above."""
    patients = table["patient"].nunique()
    facts = [counted(len(table), "slide")]
    if states:
        facts += [f"{count:,} {name}" for name, count in table["state"].value_counts().items()]
    if patients:
        facts.append(counted(patients, "patient"))
    st.caption(" · ".join(facts))


def filtered(table: pd.DataFrame, place: DeltaGenerator) -> pd.DataFrame:
    """Let the reader leave out slides by state, group and any other column, and return the others."""
    with place:
        for name in _USUAL_FILTERS:
            found = sorted(table[name].dropna().unique(), key=str) if name in table else []
            if len(found) > 1:
                chosen = st.pills(
                    name.capitalize(),
                    found,
                    selection_mode="multi",
                    format_func=lambda each: literal(str(each)),
                    key=f"_{name}",
                )
                if chosen:
                    table = table[table[name].isin(chosen)]
        return _filtered_by_choice(table)


def _filtered_by_choice(table: pd.DataFrame) -> pd.DataFrame:
    measures = measures_of(table)
    others = [each for each in groupings_of(table) if each not in (*measures, *_USUAL_FILTERS)]
    name = st.selectbox(
        "Filter by", [*measures, *others], None, format_func=title_of, key="_filter_by"
    )
    if name in measures:
        numbers = pd.Series(numbers_of(table[name], name), index=table.index)
        least, most = float(numbers.min()), float(numbers.max())
        low, high = st.slider(
            literal(title_of(name)), least, most, (least, most), key=f"_range_{name}"
        )
        # a slide without a number stays as long as nothing is asked of it
        return table if (low, high) == (least, most) else table[numbers.between(low, high)]
    if name is not None:
        column = known(table[name])
        chosen = st.multiselect(
            literal(title_of(name)), sorted(column.dropna().unique(), key=str), key=f"_words_{name}"
        )
        return table[column.isin(chosen)] if chosen else table
    return table


def show(table: pd.DataFrame, name: str) -> None:
    """Show the rows; a click on one opens its slide."""
    columns = _choose_columns(table, name)
    shown, settings = readable(table, ["slide", *columns])
    if len(table) <= _MOST_PICTURES:
        may_open = len(table) <= _MOST_OPENED
        of_slides = zip(table["folder"], table["slide_path"], strict=True)
        pictures = [_picture(folder, Path(path), may_open=may_open) for folder, path in of_slides]
        shown.insert(0, "picture", pictures)
        settings["picture"] = st.column_config.ImageColumn(" ", width="small")
    event = st.dataframe(
        shown,
        column_config=settings,
        hide_index=True,
        placeholder="–",
        on_select="rerun",
        selection_mode="single-row",
        key=f"_table_{name}",
    )
    st.caption("Click the left edge of a row to open its slide; the head of a column sorts.")
    _show_sentences(table)
    csv, html, pdf = st.columns(3)
    csv.download_button(
        "Table as CSV",
        csv_text(table.drop(columns=["slide_path"])),
        f"{name}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
    )
    for place, suffix, mime in ((html, "html", "text/html"), (pdf, "pdf", "application/pdf")):
        place.download_button(
            f"Report as {suffix.upper()}",
            partial(report_of, name, suffix),
            f"{name}.{suffix}",
            mime,
            icon=":material/description:",
            help="The whole cohort, whatever is filtered here: groups compared, slides, TIL maps, "
            "warnings, settings.",
            on_click="ignore",
            width="stretch",
            key=f"_report_{suffix}",
        )
    rows = event["selection"]["rows"]
    if rows:
        open_slide_of(table.iloc[rows[0]])


def readable(
    table: pd.DataFrame, columns: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, ColumnConfig]]:
    """Return columns of a table and how each is shown: numbers of ours with the digits that they have elsewhere."""
    shown = table[list(columns)].reset_index(drop=True)
    for each in columns:
        if each.endswith("_per_mm2") and is_numeric_dtype(shown[each]):
            # what is set off in thousands would else show three decimals; rare nuclei keep some
            shown[each] = shown[each].round(0 if shown[each].max() >= 100 else 2)
    return shown, {each: _setting(each, shown[each]) for each in columns}


def _show_sentences(table: pd.DataFrame) -> None:
    """Show in full what a cell of the table cuts off: why slides failed, and what to be warned of."""
    told = [
        (str(row["slide"]), " ".join(sentences))
        for row in table[["slide", *_SENTENCES]].to_dict("records")
        if (sentences := [row[each] for each in _SENTENCES if isinstance(row[each], str)])
    ]
    if not told:
        return
    with st.expander(f"Failures and warnings ({counted(len(told), 'slide')})"):
        lines = [f"- **{literal(name)}**: {literal(words)}" for name, words in told[:_MOST_TOLD]]
        st.markdown(unbroken("\n".join(lines)))
        if len(told) > _MOST_TOLD:
            st.caption(f"{len(told) - _MOST_TOLD:,} more: in the table's file and the report.")


def _choose_columns(table: pd.DataFrame, name: str) -> list[str]:
    """Let the reader choose columns; until then those that have something, more and more at work."""
    key, own = f"_columns_{name}", f"_columns_chosen_{name}"
    options = [each for each in table.columns if each not in {*_INNER, "slide"}]
    wanted = st.session_state.get(own)
    if wanted is None:
        wanted = [each for each in _FIRST if each in table and table[each].notna().any()]
    say(key, [each for each in wanted if each in options])

    def keep() -> None:
        st.session_state[own] = st.session_state[key]

    return st.multiselect(
        "Columns", options, format_func=title_of, key=key, on_change=refusable(keep)
    )


def _setting(name: str, column: "pd.Series[Any]") -> ColumnConfig:
    title = title_of(name)
    if not is_numeric_dtype(column):
        return st.column_config.Column(title)
    if name == "nuclei" or name.startswith("count_") or name.endswith("_per_mm2"):
        return st.column_config.NumberColumn(title, format="localized")
    if title.endswith((", %", ", mm²")):
        return st.column_config.NumberColumn(title, format="%.2f")
    return st.column_config.Column(title)


def report_of(name: str, suffix: str) -> bytes:
    """Return the report of a cohort, written when somebody asks."""
    with temporary_folder() as folder:
        path = folder / f"report.{suffix}"
        write_cohort_report(default_store(), name, path)
        return path.read_bytes()


def open_slide_of(row: pd.Series) -> None:
    """Turn to a slide of the cohort in the viewer, with the analysis that the cohort has."""
    path = _place_of(row)
    mpp = float(row["mpp"])
    is_as_stated = np.isnan(mpp) or mpp == resources.slide(path).info.mpp
    state.choose_slide(state.ChosenSlide(path, None if is_as_stated else mpp))
    if isinstance(row["folder"], str):
        state.show_run(default_store() / row["folder"])
    VIEWER.open()


def _place_of(row: pd.Series) -> Path:
    """Return where a slide of the cohort is now: where it was, or among those this visit may open."""
    path = Path(row["slide_path"])
    if path.exists():
        return path
    folder = row["folder"]
    found = linked_slide.find_slide(Path(folder).parent.name) if isinstance(folder, str) else None
    if found is None:
        raise SlideError(f"{path.name} is no longer where it was when the cohort was analysed.")
    return found.path


def _picture(folder: object, path: Path, *, may_open: bool) -> str | None:
    """Return a slide as a small picture that a table shows; None where there is none."""
    if isinstance(folder, str):
        kept = resources.kept_thumbnail(default_store() / folder / THUMBNAIL_FILE)
        if kept is not None:
            return kept
    if not may_open:
        return None
    try:
        thumbnail = resources.thumbnail(path)
    except SlideError:
        return None
    step = max(1, max(thumbnail.shape[:2]) // 120)
    small = np.ascontiguousarray(thumbnail[::step, ::step])
    return jpeg_url(small)
