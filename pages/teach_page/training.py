"""Train a classifier of the labels, see how well it does and what it would change, and apply it."""

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.shared import frame, palettes, pixel_size, state
from pages.shared.literal import literal
from pages.shared.page_list import VIEWER
from pages.teach_page.material import Material, reader
from seg_core.classes import ClassScheme
from seg_core.errors import capitalised, counted
from seg_core.figures.style import config_of
from seg_core.figures.teaching import change_map, confusion_map
from seg_core.store import forget_answer
from seg_core.store.own_classes import read_own_classes
from seg_core.teaching.apply import classify, doubt_about
from seg_core.teaching.changes import PLACE_UM, Changes, changes_by
from seg_core.teaching.classifier import Classifier
from seg_core.teaching.teach import Taught, teach
from seg_core.teaching.validation import Validation
from seg_core.unbroken import unbroken

_PLACES = 8
_COUNTED = st.column_config.NumberColumn(format="localized")

_DRAWN = 5_000
_SEED = 0

_DEFAULT_NAME = "my-classes"


def show(material: Material) -> None:
    """Offer training; show what came of it."""
    lesson = state.LESSON.get()
    runs = tuple(each.run for each in lesson.changes) if lesson else ()
    name, button = st.columns([3, 1], vertical_alignment="bottom")
    called = name.text_input(
        "Name of the classifier",
        lesson.name if lesson else _DEFAULT_NAME,
        max_chars=60,
        key="_classifier_name",
        help="It stands wherever a run shows its answer.",
    )
    if button.button("Train", type="primary", icon=":material/school:", width="stretch"):
        with frame.told_errors():
            with st.spinner("Teaching …"):
                _teach(material, called.strip() or _DEFAULT_NAME)
            st.rerun()
    _offer_forgetting(material)
    if lesson is None or [each.path for each in runs] != [each.path for each in material.runs]:
        st.info(_what_to_do(material))
        return
    with frame.shown_errors():
        lesson = _kept_up(material, lesson)
    _tell_newer_labels(material, lesson)
    _offer_applying(material, lesson)
    if lesson.taught is not None:
        _show_figures(lesson.taught)
    _show_changes(lesson)


def take_up(material: Material, name: str, classifier: Classifier, taught: Taught | None) -> None:
    """Make a classifier the one that is shown and may be applied.

    Raises
    ------
    TeachingError
        If it was taught on another model's features.
    """
    # asked for before anything is read: what is said meanwhile makes it older, as it is
    names, labels = material.names_versions, material.labels_version if taught else None
    changes = tuple(changes_by(run, classifier) for run in material.runs)
    state.LESSON.set(state.Lesson(name, classifier, taught, changes, names, labels))


def _kept_up(material: Material, lesson: state.Lesson) -> state.Lesson:
    """Return a lesson with what it changes in the runs as their nuclei are called now.

    They are corrected and labelled on other pages, and in other tabs.
    """
    names = material.names_versions
    if names != lesson.names:
        changes = tuple(changes_by(run, lesson.classifier) for run in material.runs)
        lesson = replace(lesson, changes=changes, names=names)
        state.LESSON.set(lesson)
    return lesson


def _tell_newer_labels(material: Material, lesson: state.Lesson) -> None:
    if lesson.labels not in (None, material.labels_version):
        st.warning(
            f"Labels were given or taken back after **{literal(lesson.name)}** was trained, and the "
            "figures below do not know of them; press Train again.",
            icon=":material/update:",
        )


def _teach(material: Material, name: str) -> None:
    own = [each for run in material.runs for each in read_own_classes(run.said_in)]
    taught = teach(material.labels, own_classes=own, known=material.known)
    take_up(material, name, taught.classifier, taught)


def _what_to_do(material: Material) -> str:
    count = sum(material.counts().values())
    if count:
        return f"{counted(count, 'label')} {'is' if count == 1 else 'are'} there; press Train."
    return "Nothing is labelled yet; answer some nuclei under Label first."


def _offer_applying(material: Material, lesson: state.Lesson) -> None:
    changed = sum(len(each.changed) for each in lesson.changes)
    if not changed and all(run.classifier == lesson.name for run in material.runs):
        return  # all of it was applied already, which is said above
    namings = dict.fromkeys(run.facts.question.naming for run in material.runs)
    for doubt in dict.fromkeys(doubt_about(lesson.classifier, each) for each in namings):
        if doubt is not None:
            st.warning(capitalised(doubt), icon=":material/warning:")
    words, button = st.columns([3, 1], vertical_alignment="center")
    words.markdown(
        f"**{literal(lesson.name)}** would change {changed:,} of "
        f"{sum(sum(each.before.values()) for each in lesson.changes):,} nuclei."
    )
    if button.button("Apply", icon=":material/done_all:", width="stretch"):
        reader()  # who is nobody has no place of their own, and would answer for all
        for run in material.runs:
            classify(run, lesson.classifier, name=lesson.name)
        st.rerun()


def _offer_forgetting(material: Material) -> None:
    named = [run for run in material.runs if run.classifier is not None]
    outdated = [run for run in material.runs if run.outdated_classifier is not None]
    if not named and not outdated:
        return
    words, button = st.columns([3, 1], vertical_alignment="center")
    if named:
        names = _each_once(str(run.classifier) for run in named)
        words.success(
            f"Nuclei are named by the taught classifier {names}.", icon=":material/check_circle:"
        )
    if outdated:
        names = _each_once(str(run.outdated_classifier) for run in outdated)
        words.warning(
            f"The taught classifier {names} named the nuclei of an earlier analysis; apply it again "
            "to name these.",
            icon=":material/warning:",
        )
    # what lies beside a run for all readers is not forgotten by one who has a place of their own
    own = [run for run in (*named, *outdated) if run.has_own_answer]
    if own and button.button("Forget", icon=":material/undo:", width="stretch"):
        reader()
        for run in own:
            forget_answer(run.said_in)
        st.rerun()


def _each_once(names: Iterable[str]) -> str:
    return ", ".join(literal(name) for name in dict.fromkeys(names))


def _show_figures(taught: Taught) -> None:
    for warning in taught.warnings:
        st.warning(capitalised(warning), icon=":material/warning:")
    validation = taught.validation
    if validation is None:
        st.caption(unbroken(literal(taught.explanation)))
        return
    confusion, table = st.columns([1, 1], gap="large")
    with confusion:
        st.subheader("What it confuses", anchor=False)
        st.plotly_chart(confusion_map(validation), key="_confusion", config=config_of("confusion"))
    with table:
        st.subheader("How well it does", anchor=False)
        figures = st.column_config.NumberColumn(format="%.2f")
        st.dataframe(
            _by_class(validation),
            hide_index=True,
            placeholder="–",
            column_config={
                **dict.fromkeys(["Precision", "Recall", "F1"], figures),
                "Labels": _COUNTED,
            },
        )
        st.caption(
            f"Macro F1 **{validation.macro_f1:.2f}**. Cross-validated: each of {validation.groups} "
            f"{validation.unit}s was answered without labels of its own."
        )
        st.caption(unbroken(literal(taught.explanation)))


def _by_class(validation: Validation) -> pd.DataFrame:
    table = pd.DataFrame(validation.by_class())
    table.columns = pd.Index(["Class", "Precision", "Recall", "F1", "Labels"])
    return table.astype(dict.fromkeys(["Precision", "Recall", "F1"], float))


def _show_changes(lesson: state.Lesson) -> None:
    st.subheader("What changes", anchor=False)
    for number, changes in enumerate(lesson.changes):
        if len(lesson.changes) > 1:
            st.markdown(f"**{literal(changes.run.slide_path.name)}**")
        scheme = _scheme(changes, lesson.classifier)
        counts, drawn = st.columns([2, 3], gap="large")
        with counts:
            st.dataframe(
                _counts(changes, scheme),
                hide_index=True,
                column_config={"Now": _COUNTED, "Taught": _COUNTED},
            )
            _offer_places(changes, number)
        with drawn:
            _show_map(changes, scheme, number)


def _scheme(changes: Changes, classifier: Classifier) -> ClassScheme:
    return palettes.recoloured(changes.run.scheme.joined_with(classifier.scheme.classes))


def _counts(changes: Changes, scheme: ClassScheme) -> pd.DataFrame:
    names = [
        name for name in scheme.names_with_other if name in {**changes.before, **changes.after}
    ]
    return pd.DataFrame(
        {
            "Class": names,
            "Now": [changes.before.get(name, 0) for name in names],
            "Taught": [changes.after.get(name, 0) for name in names],
        }
    )


def _offer_places(changes: Changes, number: int) -> None:
    places = changes.places(_PLACES)
    if places.empty:
        return
    squares = unbroken(f"squares of {PLACE_UM:.0f} µm")
    st.caption(f"Where most nuclei change, {squares}; a click opens the viewer.")
    event = st.dataframe(
        places[["nuclei", "change"]].rename(columns={"nuclei": "Nuclei", "change": "Mostly"}),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        column_config={"Nuclei": _COUNTED},
        key=f"_places_{number}",
    )
    if event["selection"]["cells"]:
        row = places.iloc[event["selection"]["cells"][0][0]]
        _open(changes, float(row["x"]), float(row["y"]))


def _show_map(changes: Changes, scheme: ClassScheme, number: int) -> None:
    changed = changes.changed
    if changed.empty:
        st.info("Nothing changes here.")
        return
    shown = changed if len(changed) <= _DRAWN else changed.sample(_DRAWN, random_state=_SEED)
    mpp = changes.run.slide_mpp
    event = st.plotly_chart(
        change_map(shown, scheme, mpp),
        key=f"_changes_{number}",
        config=config_of("changes"),
        on_select="rerun",
        selection_mode="points",
    )
    told = f"a random sample of {_DRAWN:,}" if len(changed) > _DRAWN else "each"
    st.caption(f"Nuclei that change, {told} in its new colour; a click opens the viewer there.")
    if event["selection"]["points"]:
        nucleus = event["selection"]["points"][0]["customdata"][0]
        row = changed[changed["nucleus_id"] == nucleus].iloc[0]
        _open(changes, float(row["x"]), float(row["y"]), int(nucleus))


def _open(changes: Changes, x: float, y: float, nucleus: int | None = None) -> None:
    """Go to a place of a run in the viewer."""
    run = changes.run
    chosen = state.SLIDE.get()
    if chosen is None or chosen.path != run.slide_path:
        state.choose_slide(pixel_size.chosen(run.slide_path, run.slide_mpp))
    state.show_run(run.path)
    state.GO_TO.set(state.Place(x, y, PLACE_UM / run.slide_mpp, nucleus))
    VIEWER.open()
