"""The reference: brought, chosen, its classes mapped, and measured by."""

from collections import Counter
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages.shared import evaluations, regions, resources, runs, state
from pages.shared.literal import literal
from seg_core.errors import SegCoreError
from seg_core.evaluation.kept import (
    KeptEvaluation,
    KeptReference,
    evaluate_kept,
    keep_reference,
    kept_evaluation,
    references_of,
)
from seg_core.labelled.class_mapping import AREA, mapping_of, targets
from seg_core.labelled.slide_reference import FORMATS
from seg_core.roi import Roi
from seg_core.store import Run

_MOST_MB = 200


@dataclass(frozen=True)
class Asked:
    """What a run is to be measured by.

    Attributes
    ----------
    reference : KeptReference
    rois : tuple of Roi
        Regions in which every nucleus is labelled, where the reference names none.
    """

    reference: KeptReference
    rois: tuple[Roi, ...]


def choose(chosen: state.ChosenSlide, run: Run) -> Asked:
    """Let the reader bring and choose a reference, and say what its classes mean."""
    kept = references_of(evaluations.place_of(chosen.path), resources.identity(chosen.path))
    with st.expander("Bring a reference", expanded=not kept, icon=":material/upload_file:"):
        _bring(chosen)
    if not kept:
        st.info(
            "Bring what somebody labelled on this slide, to see how good the analysis is: outlines of "
            "QuPath (GeoJSON) or ImageScope (XML), dots (GeoJSON or CSV with the columns x, y, class), "
            "or a mask of the slide."
        )
        st.stop()
    wanted = st.session_state.pop("_new_reference", None)
    if wanted is not None:
        st.session_state["_reference"] = next(
            (each.folder.name for each in kept if each.folder.name == wanted), kept[0].folder.name
        )
    by_id = {each.folder.name: each for each in kept}
    picked, forget = st.columns([5, 1], vertical_alignment="bottom")
    name = picked.selectbox(
        "Reference",
        list(by_id),
        format_func=lambda each: by_id[each].name,
        key="_reference",
    )
    if forget.button("Forget it", icon=":material/delete:", width="stretch"):
        by_id[name].remove()
        st.rerun()
    reference = _map(by_id[name], run)
    return Asked(reference, _rois(chosen, reference, run))


def _bring(chosen: state.ChosenSlide) -> None:
    with st.form("_bring_reference", border=False, clear_on_submit=True):
        uploaded = st.file_uploader(
            "File",
            type=[each.removeprefix(".") for each in FORMATS],
            key="_reference_file",
            max_upload_size=_MOST_MB,
        )
        stated = st.number_input(
            "Pixels of the file, µm (empty: those of the slide's level 0, as QuPath and ImageScope count)",
            min_value=0.01,
            max_value=100.0,
            value=None,
            step=0.01,
            format="%.4f",
        )
        sent = st.form_submit_button("Keep with the slide", icon=":material/save:")
    if sent and uploaded is not None:
        slide_id = resources.identity(chosen.path)
        kept = keep_reference(
            evaluations.place_of(chosen.path),
            slide_id,
            uploaded.name,
            uploaded.getvalue(),
            stated,
        )
        mpp = runs.needed_run(chosen).facts.question.slide_mpp
        try:
            kept.read(resources.slide(chosen.path).info, mpp)
        except SegCoreError:
            kept.remove()
            raise
        st.session_state["_new_reference"] = kept.folder.name
        st.rerun()


def _map(reference: KeptReference, run: Run) -> KeptReference:
    """Show what each class is taken for; what the person changes is kept."""
    read = resources.slide_reference(reference.file, reference.mpp, run.path)
    for note in read.notes:
        st.caption(literal(note))
    counts = Counter(read.names)
    decided = {k: v for k, v in reference.mapping.items() if v in targets(run.scheme)}
    mapping = mapping_of(read.class_names, decided, run.scheme)
    with st.expander("Classes: what theirs are among ours", icon=":material/compare_arrows:"):
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


def _rois(chosen: state.ChosenSlide, reference: KeptReference, run: Run) -> tuple[Roi, ...]:
    read = resources.slide_reference(reference.file, reference.mpp, run.path)
    mapping = mapping_of(read.class_names, reference.mapping, run.scheme)
    drawn = regions.slide_rois(chosen)
    excluded = [roi for roi in drawn if roi.kind == "exclude"]
    if AREA in mapping.values():
        return tuple(excluded)
    inside = [roi for roi in drawn if roi.kind == "include"]
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


def measured(run: Run, asked: Asked) -> KeptEvaluation:
    """Return what was measured and kept, else measure it now."""
    found = kept_evaluation(asked.reference, run, asked.rois)
    if found is None:
        with st.spinner("Comparing nuclei …"):
            found = evaluate_kept(asked.reference, run, asked.rois)
    return found
