"""The table of a cohort: chosen, filtered, sorted, taken away, and each slide opened."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import resources, slide_places, state
from pages.shared.literal import literal
from pages.shared.page_list import VIEWER
from seg_core.cohort.columns import title_of
from seg_core.cohort.journal import Journal, cohort_names
from seg_core.cohort.report import write_cohort_report
from seg_core.errors import SlideError
from seg_core.picture.encoding import jpeg_url
from seg_core.store import default_store

# What a person wants to see first; everything else can be chosen.
_FIRST = (
    *("patient", "group", "state", "nuclei", "lymphocyte_per_mm2", "til_pct", "til_low"),
    *("til_high", "phenotype", "classifier", "warnings", "error"),
)

_INNER = {"folder", "slide_path", "cohort", "settings", "model_sha256"}

_MOST_PICTURES = 60


def choose_cohort(place: DeltaGenerator) -> str:
    """Let the reader choose one of the store's cohorts; end the page where there is none to see."""
    names = [name for name in cohort_names(default_store()) if _may_see(name)]
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
    return place.selectbox("Cohort", names)


def _may_see(name: str) -> bool:
    """Tell whether the reader may know what the slides of a cohort are called."""
    if slide_places.reader_is_local():
        return True
    offered = slide_places.offered_folder()
    items = Journal(default_store(), name).read_plan()["items"]
    return offered is not None and all(
        Path(item["slide"]).is_relative_to(offered.absolute()) for item in items
    )


def show_counts(table: pd.DataFrame) -> None:
    """Say how far the cohort is."""
    states = table["state"].value_counts()
    patients = table["patient"].nunique()
    facts = [f"{count:,} {name}" for name, count in states.items()]
    st.caption(" · ".join([f"{len(table):,} slides", *facts, f"{patients:,} patients named"]))


def filtered(table: pd.DataFrame, place: DeltaGenerator) -> pd.DataFrame:
    """Let the reader leave out slides by state and group, and return the others."""
    with place:
        for name in ("state", "group", "phenotype"):
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
    return table


def show(table: pd.DataFrame, name: str) -> None:
    """Show the rows; a click on one opens its slide."""
    columns = st.multiselect(
        "Columns",
        [each for each in table.columns if each not in {*_INNER, "slide"}],
        default=[each for each in _FIRST if each in table and table[each].notna().any()],
        key="_columns",
    )
    shown = table[["slide", *columns]].reset_index(drop=True)
    settings = {each: st.column_config.Column(title_of(each)) for each in columns}
    if len(table) <= _MOST_PICTURES:
        shown.insert(0, "picture", [_picture(Path(path)) for path in table["slide_path"]])
        settings["picture"] = st.column_config.ImageColumn(" ", width="small")
    event = st.dataframe(
        shown,
        column_config=settings,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"_table_{name}",
    )
    st.caption("Click the left edge of a row to open its slide; the head of a column sorts.")
    csv, html, pdf = st.columns(3)
    csv.download_button(
        "Table as CSV",
        table.drop(columns=["slide_path"]).to_csv(index=False),
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


def report_of(name: str, suffix: str) -> bytes:
    """Return the report of a cohort, written when somebody asks."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"report.{suffix}"
        write_cohort_report(default_store(), name, path)
        return path.read_bytes()


def open_slide_of(row: pd.Series) -> None:
    """Turn to a slide of the cohort in the viewer, with the analysis that the cohort has."""
    path = Path(row["slide_path"])
    if not path.exists():
        raise SlideError(f"{path.name} is no longer where it was when the cohort was analysed.")
    mpp = row.get("mpp")
    state.choose_slide(state.ChosenSlide(path, None if pd.isna(mpp) else float(mpp)))
    if isinstance(row["folder"], str):
        state.RUN.set(default_store() / row["folder"])
    VIEWER.open()


def _picture(path: Path) -> str | None:
    """Return a slide as a small picture that a table shows; None where it cannot be opened."""
    try:
        thumbnail = resources.thumbnail(path)
    except SlideError:
        return None
    step = max(1, max(thumbnail.shape[:2]) // 120)
    small = np.ascontiguousarray(thumbnail[::step, ::step])
    return jpeg_url(small)
