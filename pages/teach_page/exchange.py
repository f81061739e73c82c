"""Classifiers and labels as files: to take along, and from elsewhere."""

from collections import Counter
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.shared import frame, state
from pages.shared.asked_file import say_if_missing
from pages.shared.literal import literal
from pages.shared.slide_places import file_name_of
from pages.shared.writing import written
from pages.teach_page import own_classes, training
from pages.teach_page.material import Material, write_down
from seg_core.errors import counted
from seg_core.files.temporary import temporary_folder
from seg_core.store import Selection
from seg_core.teaching.classifier import read_classifier, write_classifier
from seg_core.teaching.labels import Labels, labels_of, read_marks
from seg_core.teaching.labels_file import write_labels

_MOST_MB = 100


def show(material: Material) -> None:
    """Offer what was taught and labelled as files, and take such files."""
    classifier, labels = st.columns(2, gap="large")
    with classifier, frame.told_errors():
        st.subheader("Classifier", anchor=False)
        _offer_classifier()
        _take_classifier(material)
    with labels, frame.told_errors():
        st.subheader("Labels", anchor=False)
        _offer_labels(material)
        _take_labels(material)


def _offer_classifier() -> None:
    lesson = state.LESSON.get()
    if lesson is None:
        st.caption("Nothing was taught in this visit.")
        return
    st.download_button(
        f"{lesson.name}.json",
        partial(written, partial(write_classifier, lesson.classifier), f"{lesson.name}.json"),
        f"{lesson.name}.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
        key="_download_classifier",
    )
    st.caption(
        "For other slides: `analyse SLIDE --classifier FILE`, `classify RUN --classifier FILE`, "
        "`cohort FOLDER --classifier FILE`."
    )


def _take_classifier(material: Material) -> None:
    with st.form("_take_classifier", clear_on_submit=True):
        file = st.file_uploader(
            "A classifier from elsewhere",
            type="json",
            key="_classifier_file",
            max_upload_size=_MOST_MB,
        )
        sent = st.form_submit_button("Use it", icon=":material/upload:")
    say_if_missing(file, sent=sent)
    if sent and file is not None:
        with temporary_folder() as folder:
            path = _saved(file, folder)
            training.take_up(material, path.stem, read_classifier(path), None)
        st.success(f"{literal(file.name)} is shown under Train, and may be applied there.")


def _offer_labels(material: Material) -> None:
    labels = material.labels
    count = sum(len(each.names) for each in labels)
    if not count:
        st.caption("Nothing is labelled yet.")
        return
    st.download_button(
        f"{counted(count, 'label')}, GeoJSON",
        partial(written, partial(write_labels, labels), "labels.geojson"),
        f"{material.runs[0].slide_path.stem}-labels.geojson",
        "application/geo+json",
        icon=":material/download:",
        on_click="ignore",
        key="_download_labels",
    )
    st.caption("Points in nuclei with classes, as QuPath reads them and `teach --labels` does.")


def _take_labels(material: Material) -> None:
    with st.form("_take_labels", clear_on_submit=True):
        file = st.file_uploader(
            "Labels from elsewhere: GeoJSON of points and polygons, or CSV with x, y, class",
            type=["geojson", "json", "csv"],
            key="_labels_file",
            max_upload_size=_MOST_MB,
        )
        sent = st.form_submit_button("Take them over", icon=":material/upload:")
    say_if_missing(file, sent=sent)
    if sent and file is not None:
        left_out: list[str] = []
        with temporary_folder() as folder:
            found = labels_of(read_marks(_saved(file, folder), left_out.append), material.runs)
        own_classes.add(material, [name for each in found for name in each.names])
        for each in found:
            _write(each)
        count = sum(len(each.names) for each in found)
        nuclei = counted(count, "nucleus", "nuclei")
        labelled = f"{nuclei} {'was' if count == 1 else 'were'} labelled."
        state.TAKEN_LABELS.set(" ".join([labelled, *left_out]))
        state.LABEL_SCREEN.clear()
        st.rerun()
    told = state.TAKEN_LABELS.get()
    if told is not None:
        st.success(literal(told))
        state.TAKEN_LABELS.clear()


def _write(labels: Labels) -> None:
    run = labels.run
    everything = Selection(run.scheme.names_with_other)
    table = run.nucleus_queries().columns(everything, ["nucleus_id", "class_name"])
    # a label takes back that something is no nucleus, as any later word on it does
    called = {number: each.found for number, each in run.journal().said().items()}
    called |= zip(table["nucleus_id"].tolist(), table["class_name"], strict=True)
    for name in Counter(labels.names):
        ids = [
            int(nucleus)
            for nucleus, each in zip(labels.nucleus_ids, labels.names, strict=True)
            if each == name
        ]
        write_down(run, ids, [called[nucleus] for nucleus in ids], name)


def _saved(file: UploadedFile, folder: Path) -> Path:
    path = folder / file_name_of(file.name)
    path.write_bytes(file.getvalue())
    return path
