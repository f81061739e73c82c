"""The reference: brought, chosen, its classes mapped, and measured by."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared import evaluations, frame, regions, resources, run_words, runs, state
from pages.shared.asked_file import say_if_missing
from pages.shared.asked_number import check_number
from pages.shared.literal import literal
from pages.shared.slide_places import file_name_of
from pages.shared.steady_choice import keep_chosen
from pages.shared.told_apart import told_apart
from seg_core.errors import DataError, SegCoreError
from seg_core.evaluation.kept import (
    CorrectedRun,
    KeptEvaluation,
    KeptReference,
    Reference,
    evaluate_kept,
    keep_reference,
    kept_evaluation,
)
from seg_core.labelled.class_mapping import AREA, targets
from seg_core.labelled.reference_list import FILE_SUFFIXES, REFERENCES, in_words, kind_of_file
from seg_core.labelled.slide_reference import SlideReference
from seg_core.roi import Roi
from seg_core.store import Run
from seg_core.unbroken import unbroken

_MOST_MB = 200
_FILE_MPP = (0.01, 100.0)
_MASK_SUFFIXES = next(each.suffixes for each in REFERENCES if each.name == "mask")


@dataclass(frozen=True)
class Asked:
    """What a run is to be measured by.

    Attributes
    ----------
    reference : KeptReference or CorrectedRun
    rois : tuple of Roi
        Regions in which every nucleus is labelled, where the reference names none.
    title : str
        How readers know the reference.
    notes : tuple of str
        What has been said of it already.
    """

    reference: Reference
    rois: tuple[Roi, ...]
    title: str
    notes: tuple[str, ...] = ()


def choose(chosen: state.ChosenSlide, run: Run) -> Asked:
    """Let the reader bring and choose a reference, and say what its classes mean."""
    known = evaluations.references(chosen.path, resources.identity(chosen.path))
    with st.expander("Bring a reference", expanded=not known), frame.told_errors():
        _bring(chosen)
    if not known:
        st.info(
            "To see how good the analysis is, bring what somebody labelled on this slide: "
            f"{in_words('run')}. For the last there is nothing to bring: it stands here as soon as "
            "nuclei are corrected in the viewer."
        )
        st.stop()
    by_id = {each.folder.name: each for each in known}
    wanted = st.session_state.pop("_new_reference", None)
    if wanted in by_id:
        st.session_state["_reference"] = wanted
    parts = run_words.titles([each.run for each in known if isinstance(each, CorrectedRun)])
    titles = told_apart(
        {name: _title(each, parts) for name, each in by_id.items()},
        {name: _brought(each) for name, each in by_id.items()},
        {name: name for name in by_id},
    )
    keep_chosen("_reference", titles)
    picked, forget = st.columns([5, 1], vertical_alignment="bottom")
    name = picked.selectbox(
        "Reference",
        list(titles),
        format_func=titles.__getitem__,
        key="_reference",
    )
    reference = by_id[name]
    if isinstance(reference, CorrectedRun):
        if reference.run.path == run.path:
            st.caption(
                "What the model found is measured against what people have made of it since."
            )
        title = f"{parts[reference.run.path]} (corrected by hand)"
        return Asked(reference, _rois(chosen, reference, run), title)
    if forget.button("Forget it", icon=":material/delete:", width="stretch"):
        reference.remove()
        st.rerun()
    read = resources.slide_reference(reference.file, reference.mpp, run.path)
    for note in read.notes:
        st.caption(unbroken(literal(note)))
    reference = _map(reference, read, run)
    return Asked(reference, _rois(chosen, reference, run), reference.name, read.notes)


def _title(reference: Reference, parts: dict[Path, str]) -> str:
    if isinstance(reference, CorrectedRun):
        return f"Corrected by hand: {parts[reference.run.path]}"
    return reference.name


def _brought(reference: Reference) -> str:
    if isinstance(reference, CorrectedRun):
        return reference.run.run_id
    said = run_words.day_of(datetime.fromtimestamp(reference.file.stat().st_mtime, UTC))
    size = "" if reference.mpp is None else f"{reference.mpp:g} µm/px, "
    return f"{size}brought {said}"


def _bring(chosen: state.ChosenSlide) -> None:
    with st.form("_bring_reference", border=False, clear_on_submit=True):
        uploaded = st.file_uploader(
            "File of labelled nuclei",
            type=[each.removeprefix(".") for each in FILE_SUFFIXES],
            key="_reference_file",
            max_upload_size=_MOST_MB,
        )
        class_mask = st.file_uploader(
            "Beside a mask of nuclei, if there is one: a second mask, of their classes and of the same size",
            type=[each.removeprefix(".") for each in _MASK_SUFFIXES],
            key="_class_mask_file",
            max_upload_size=_MOST_MB,
        )
        stated = st.number_input(
            "µm per pixel of the file (empty: as the slide's level 0, in which QuPath and ImageScope count)",
            value=None,
            step=0.01,
            format="%.4f",
        )
        sent = st.form_submit_button("Keep with the slide", icon=":material/save:", type="primary")
    say_if_missing(uploaded, sent=sent)
    if sent and uploaded is not None:
        check_number("µm per pixel of the file", stated, *_FILE_MPP)
        kind = kind_of_file(uploaded.name)
        if class_mask is not None and (kind is None or kind.name != "mask"):
            raise DataError(
                f"{uploaded.name} is no mask of nuclei, so {class_mask.name} has nothing to name the classes "
                "of; take the second file out, or bring the mask of nuclei first."
            )
        kept = keep_reference(
            evaluations.place_of(chosen.path),
            resources.identity(chosen.path),
            file_name_of(uploaded.name),
            uploaded.getvalue(),
            stated,
            class_mask=None if class_mask is None else class_mask.getvalue(),
        )
        mpp = runs.needed_run(chosen).slide_mpp
        try:
            kept.read(resources.slide(chosen.path).info, mpp)
        except SegCoreError:
            kept.remove()
            raise
        st.session_state["_new_reference"] = kept.folder.name
        st.rerun()


def _map(reference: KeptReference, read: SlideReference, run: Run) -> KeptReference:
    """Show what each class is taken for; what the person changes is kept."""
    counts = Counter(read.names)
    mapping = reference.means(read, run.scheme)
    with st.expander("Classes: what theirs are among ours"):
        edited = st.data_editor(
            pd.DataFrame(
                {
                    "Theirs": [name or "(no class)" for name in mapping],
                    "How many": [counts[name] for name in mapping],
                    "Ours": list(mapping.values()),
                }
            ),
            hide_index=True,
            disabled=["Theirs", "How many"],
            column_config={
                "Ours": st.column_config.SelectboxColumn(
                    options=list(targets(run.scheme)), required=True
                )
            },
            key=f"_mapping_{reference.folder.name}",
        )
        st.caption(
            "Names are guessed; you decide. *none*: a nucleus whose class nobody knows. *area*: a "
            "region in which every nucleus is labelled. *ignore*: nothing in it counts."
        )
    said = dict(zip(mapping, edited["Ours"], strict=True))
    return reference if said == mapping else reference.with_mapping(said)


def _rois(chosen: state.ChosenSlide, reference: Reference, run: Run) -> tuple[Roi, ...]:
    drawn = regions.slide_rois(chosen)
    excluded = [roi for roi in drawn if not roi.counts]
    if isinstance(reference, KeptReference) and _names_regions(reference, run):
        return tuple(excluded)
    inside = [roi for roi in drawn if roi.counts]
    if not inside:
        st.caption(
            "The reference names no region in which every nucleus is labelled, so all that was analysed "
            "is scored. Where labels are not complete, draw such regions in the viewer."
        )
        return tuple(excluded)
    names = st.multiselect(
        "Every nucleus is labelled in",
        [roi.name for roi in inside],
        key=f"_labelled_in_{reference.folder.name}",
        placeholder="all that was analysed",
    )
    return tuple([roi for roi in inside if roi.name in names] + excluded)


def _names_regions(reference: KeptReference, run: Run) -> bool:
    read = resources.slide_reference(reference.file, reference.mpp, run.path)
    return AREA in reference.means(read, run.scheme).values()


def measured(run: Run, asked: Asked) -> KeptEvaluation:
    """Return what was measured and kept, else measure it now."""
    found = kept_evaluation(asked.reference, run, asked.rois)
    if found is None:
        with st.spinner("Comparing nuclei …"):
            found = evaluate_kept(asked.reference, run, asked.rois)
    return found
