"""Choose a slide: a sample, one of this machine, or an upload."""

import streamlit as st

from pages.shared import analysis_list, frame, linked_slide, runs, slide_places, state
from pages.shared.page_list import SLIDES
from pages.slides_page import library, slide_choice

_WHAT_THIS_IS = (
    "Open a slide of H&E-stained tissue, have its nuclei found and told apart (epithelial, lymphocyte, "
    "neutrophil, macrophage), then count them and score tumour-infiltrating lymphocytes."
)

sidebar = frame.open_page(SLIDES)
with sidebar, frame.told_errors():
    analysis_list.offer_list()
st.header(SLIDES.title)
st.caption(_WHAT_THIS_IS)
with frame.told_errors():
    linked_slide.follow_address()

places, details = st.columns([3, 2], gap="large")

with places, frame.told_errors():
    names = ["Samples", "Upload", "Library"]
    if slide_places.reader_is_local() or slide_places.offered_folder():
        names.insert(1, "Folder")
    chosen_place = st.segmented_control(
        "Where from",
        names,
        default="Samples",
        required=True,
        key="_place",
        label_visibility="collapsed",
    )
    if chosen_place == "Samples":
        slide_choice.choose_sample()
    elif chosen_place == "Folder":
        slide_choice.choose_in_folder()
    elif chosen_place == "Library":
        library.show()
    else:
        slide_choice.choose_upload()

with details, frame.told_errors():
    chosen = state.SLIDE.get()
    if chosen is None:
        st.info("Choose a slide; its facts will stand here.", icon=":material/info:")
    else:
        linked_slide.write_address(chosen, runs.picked_run(chosen))
        slide_choice.describe(chosen)
