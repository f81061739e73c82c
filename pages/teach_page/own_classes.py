"""Classes of the reader's own: named, coloured, and told what scores take them for."""

from typing import get_args

import pandas as pd
import streamlit as st

from pages.shared import frame, palettes
from pages.shared.class_keys import class_keys
from pages.teach_page.material import Material, reader
from seg_core.classes import NucleusClass, Role
from seg_core.errors import TeachingError
from seg_core.store.own_classes import read_own_classes, write_own_classes
from seg_core.store.said import place_to_say
from seg_core.teaching.teach import OWN_COLOURS

_ROLES: dict[Role, str] = {
    "epithelium": "Tumour or epithelium",
    "lymphocyte": "Lymphocyte",
    "neutrophil": "Neutrophil",
    "macrophage": "Macrophage",
    "other": "None of these",
}

_ROLE_HELP = (
    "TIL scores count what has the role of a lymphocyte in the stroma around what has that of "
    "tumour or epithelium. A class with none of these roles is counted, but enters no score."
)


def show(material: Material) -> None:
    """Show all classes, and let the reader name and remove their own."""
    counts = material.counts()
    scheme = material.scheme
    table = pd.DataFrame(
        {
            "Key": [*class_keys(scheme).values()],
            "Colour": "",
            "Class": scheme.names_with_other,
            "Role": [*(_ROLES[each.role] for each in scheme.classes), _ROLES["other"]],
            "Labels": [counts.get(name, 0) for name in scheme.names_with_other],
        }
    )
    # of all that a style may say, the table paints the ground of a cell and its letters alone
    colours = palettes.recoloured(scheme).colours
    grounds = [f"background-color: {colours[name]}" for name in table["Class"]]
    styled = table.style.apply(lambda _: grounds, subset=["Colour"])
    listed, named = st.columns([3, 2], gap="large")
    listed.dataframe(styled, hide_index=True)
    with named, frame.told_errors():
        _offer_naming(material)
    with named, frame.told_errors():
        _offer_removing(material, counts)


def add(material: Material, names: list[str]) -> None:
    """Name the classes that the runs do not have yet, in colours that are free."""
    known = material.scheme
    new = [name for name in dict.fromkeys(names) if name not in known.names_with_other]
    for name in new:
        _write(material, (*_own(material), NucleusClass(1, name, _free_colour(material))))


def _offer_naming(material: Material) -> None:
    with st.form("_own_class", clear_on_submit=True):
        name = st.text_input("Name a class", placeholder="keratinocyte", max_chars=60)
        colour = st.color_picker("Colour", _free_colour(material))
        role: Role = st.selectbox(
            "Role in scores",
            get_args(Role),
            len(_ROLES) - 1,
            format_func=lambda each: _ROLES[each],
            help=_ROLE_HELP,
        )
        if st.form_submit_button("Add", icon=":material/add:"):
            for known in material.scheme.names_with_other:
                if known.casefold() == name.strip().casefold():
                    raise TeachingError(f"there is a class {known} already; give another name.")
            made = NucleusClass(1, name.strip(), colour, given_role=role)
            _write(material, (*_own(material), made))
            st.rerun()


def _offer_removing(material: Material, counts: dict[str, int]) -> None:
    own = [each.name for each in _own(material)]
    if not own:
        return
    name = st.selectbox("Remove a class", own, None, placeholder="one of your own")
    if name is not None and st.button("Remove", icon=":material/delete:"):
        if counts.get(name):
            raise TeachingError(
                f"{counts[name]} nuclei are labelled {name}; give them another class first."
            )
        _write(material, tuple(each for each in _own(material) if each.name != name))
        st.rerun()


def _own(material: Material) -> tuple[NucleusClass, ...]:
    own: dict[str, NucleusClass] = {}
    for run in material.runs:
        for each in read_own_classes(run.said_in):
            own.setdefault(each.name, each)
    return tuple(own.values())


def _write(material: Material, classes: tuple[NucleusClass, ...]) -> None:
    reader()  # who is nobody would name them for all
    for run in material.runs:
        write_own_classes(place_to_say(run), classes)


def _free_colour(material: Material) -> str:
    taken = set(material.scheme.colours.values())
    return next((each for each in OWN_COLOURS if each not in taken), OWN_COLOURS[0])
