"""One or two models measured by a folder of labelled images of this machine."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pages.evaluate_page import side_by_side
from pages.evaluate_page.figures import AREA_TITLES, show_result
from pages.shared import analysis_list, singletons, slide_places, state, visitor
from pages.shared.asked_number import check_number
from pages.shared.figure_words import CONFUSION_IN_WORDS
from pages.shared.literal import literal
from pages.shared.models import choose_model, choose_second_model
from seg_core.errors import JobCancelled
from seg_core.evaluation.folder_evaluation import FolderQuestion, kept_answer
from seg_core.evaluation.tables import area_table, class_table, confusion_table, overall_table
from seg_core.files.csv import csv_text
from seg_core.labelled.data_sets import DATA_SETS, MONUSAC_DATA
from seg_core.slide import PLAUSIBLE_MPP
from seg_core.store import default_store

_MOST_EDGE_UM = 50.0


def show() -> None:
    """Let a reader of this machine name a folder, follow the work, and show what came of it."""
    if not slide_places.reader_is_local():
        st.info(
            "Folders are named by whoever sits at the machine that runs the dashboard; elsewhere bring "
            "a file for an analysis of a slide, or ask for python -m seg_core evaluate --data there."
        )
        return
    question = _choose()
    running = singletons.folder_evaluations().at_work()
    for asked, job in running:
        analysis_list.follow(job, literal(f"{asked.data.name}, {_title(asked)}"))
    if question is not None:
        _answer(question, is_running=question in dict(running))


def _choose() -> FolderQuestion | None:
    """Let the reader say what is to be measured by what; None until it was asked for.

    What was asked last is there again after another page, a reload or a restart.
    """
    last = state.LABELLED_FOLDER.get()
    typed = st.text_input(
        "Folder of labelled images",
        str(last.data) if last else "",
        key="_labelled_folder",
        placeholder=str(Path.home() / "my-annotations"),
        help="With images/, inst/ (one number a nucleus) and, where there are classes, class/ and ignore/, "
        "the masks as PNG of the image's name; or images/ and points.csv (image, x_px, y_px, class); or "
        "a folder a patient, in it images each with an XML of ImageScope.",
    )
    one, two, three = st.columns(3)
    classes = one.selectbox(
        "Labels as of",
        list(DATA_SETS),
        index=list(DATA_SETS).index(last.classes if last else MONUSAC_DATA.name),
        format_func=lambda name: DATA_SETS[name].title,
        key="_labelled_classes",
        help="Which data set's numbers stand for which class, at which µm per pixel. Of MoNuSAC 2020 they are "
        + ", ".join(f"{number} {name}" for number, name in MONUSAC_DATA.ids.items())
        + ". Without class/ take outlines without classes.",
    )
    data_set = DATA_SETS[classes]
    mpp = two.number_input(
        "µm per pixel",
        value=last.mpp if last else None,
        step=0.01,
        format="%.4f",
        placeholder=f"{data_set.mpp:g} unless given",
        key="_labelled_mpp",
        help="As large as the model's pixels, or twice as large.",
    )
    edge = three.number_input(
        "Rim left out, µm",
        value=last.edge_um if last else None,
        step=1.0,
        placeholder=f"{data_set.rim_um:g} unless given",
        key="_labelled_edge",
        help="Nuclei that an image's edge cuts are outlined by some annotators and not by others; what "
        "lies within the rim does not count, in the labels and in the answer.",
    )
    left, right = st.columns(2)
    with left:
        model = choose_model("_labelled_model")
    with right:
        beside = choose_second_model("_labelled_beside", model, last.beside if last else None)
    typed = typed.strip()
    if st.button("Measure", type="primary", disabled=not typed, key="_measure_folder"):
        check_number("µm per pixel", mpp, *PLAUSIBLE_MPP)
        check_number("Rim left out, µm,", edge, 0.0, _MOST_EDGE_UM)
        asked = FolderQuestion(Path(typed).expanduser(), classes, model, mpp, edge, beside)
        asked.kept_in(default_store())  # says at once what is wrong with it
        if kept_answer(asked, default_store()) is None:
            singletons.folder_evaluations().ask(asked, visitor.asker())
        state.LABELLED_FOLDER.set(asked)
        st.rerun()
    return state.LABELLED_FOLDER.get()


def _answer(question: FolderQuestion, *, is_running: bool) -> None:
    """Show the answer to what was asked last, or why there is none."""
    if is_running:
        return
    result = kept_answer(question, default_store())
    if result is None:
        try:
            result = singletons.folder_evaluations().answer(question)
        except JobCancelled:
            st.info("Stopped; press Measure to begin again.")
            return
    if result is not None:
        _show(question, result)


def _title(question: FolderQuestion) -> str:
    title = question.model or "the default model"
    return title if question.beside is None else f"{title} and {question.beside}"


def _compare(result: dict[str, Any]) -> None:
    """Show two models side by side; the rest of the page is about the first of them."""
    second = result["beside"]
    titles = (result["model"]["name"], second["model"]["name"])
    side_by_side.show(result, second, result, titles)
    words = (
        "The interval of a difference is by paired bootstrap, the same patients drawn for both; it needs "
        "more than one image."
        if result["difference"] is not None
        else "The two have different classes, so no difference is told."
    )
    st.caption(literal(f"{words} What follows is of {titles[0]}."))


def _show(question: FolderQuestion, result: dict[str, Any]) -> None:
    st.subheader(f"{literal(question.data.name)}: {literal(result['model']['name'])}", anchor=False)
    if question.beside is not None:
        _compare(result)
    show_result(result)
    confusion = confusion_table(result)
    if confusion is not None:
        with st.expander("Confusion of nuclei: rows are the labels, columns the answer"):
            st.dataframe(confusion)
            st.caption(CONFUSION_IN_WORDS)
    with st.expander("Images, the worst first"):
        st.dataframe(
            area_table(result),
            hide_index=True,
            placeholder="–",
            column_config={
                name: title
                if name == "name"
                else st.column_config.NumberColumn(title, format="%.3f")
                for name, title in {**AREA_TITLES, "name": "Image"}.items()
            },
        )
    figures = pd.concat([overall_table(result), class_table(result)], ignore_index=True)
    with st.container(horizontal=True):
        for label, mime, suffix, write in (
            ("Figures (CSV)", "text/csv", "csv", partial(csv_text, figures)),
            (
                "All figures (JSON)",
                "application/json",
                "json",
                partial(json.dumps, result, indent=2),
            ),
        ):
            st.download_button(
                label,
                write,
                f"{question.data.name}-{result['model']['name']}.{suffix}",
                mime,
                icon=":material/download:",
                on_click="ignore",
            )
