"""Pictures of nuclei by class, from the most or the least certain on."""

from typing import Any

import streamlit as st

from pages.nuclei_page import explained
from pages.nuclei_page.choice import Choice
from pages.nuclei_page.nucleus_table import open_nucleus
from pages.shared import resources
from pages.shared.crop_gallery import Shown, show_crops
from seg_core.picture.crops import CROP_UM

_CROPS = 32

_HOW = (
    f"Squares of {CROP_UM} µm cut out of the slide, each nucleus in the middle of its own; only its "
    "own outline is drawn. Nuclei are ordered by class score, equal ones by their number. If the "
    "least certain look right, the score may be asked for less; if the most certain look wrong, "
    "the model does not know this tissue."
)


def show(choice: Choice) -> None:
    """Show crops of one class; a click on one opens it in the viewer."""
    # what does not fit beside goes on in the next line as a whole
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Class", choice.names, default=choice.names[0], required=True, key="_gallery_class"
        )
        order = st.segmented_control(
            "First",
            ["Most certain", "Least certain"],
            default="Most certain",
            required=True,
            key="_gallery_order",
        )
        outlined = st.toggle("Outline", value=True, key="_gallery_outline")
    nuclei, crops = resources.gallery(
        choice.run,
        choice.selection((name,)),
        _CROPS,
        choice.scheme,
        most=order == "Most certain",
        outlined=outlined,
    )
    if nuclei.empty:
        st.info("There are no such nuclei.")
        return
    clicked = show_crops(
        "_gallery",
        choice.scheme.colours[name],
        [
            Shown(int(number), f"{score:.2f}", jpeg)
            for number, score, jpeg in zip(
                nuclei["nucleus_id"], nuclei["class_score"], crops, strict=True
            )
        ],
    )
    explained.how(_HOW)
    if clicked is not None:
        _open(choice, nuclei, clicked)


def _open(choice: Choice, nuclei: Any, clicked: int) -> None:
    found = nuclei[nuclei["nucleus_id"] == clicked]
    if len(found):
        open_nucleus(choice, found.iloc[0])
