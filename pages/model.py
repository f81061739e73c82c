"""What a model can and cannot do, before anybody trusts its numbers."""

import streamlit as st

from pages.model_page import card_view, failures, machine, own_model, trust
from pages.shared import frame, preferences
from pages.shared.models import titles_of_models
from pages.shared.page_list import MODEL
from seg_core.model import ModelCard, find_model


def _show_worth(card: ModelCard) -> None:
    card_view.show_origin(card)
    card_view.show_figures(card)


def _show_speed(card: ModelCard) -> None:
    card_view.show_presets(card)
    card_view.show_speed(card)
    machine.show()


SECTIONS = {
    "Figures": _show_worth,
    "Failures": failures.show,
    "Class scores": trust.show_scores,
    "Speed": _show_speed,
    "Training": trust.show_training,
}
OWN = "Add a model"

sidebar = frame.open_page(MODEL)
st.header(MODEL.title)
frame.keep_slide()
with frame.shown_errors():
    titles = titles_of_models()
    name = None
    if len(titles) > 1:
        name = st.selectbox(
            "Model", list(titles), format_func=titles.__getitem__, key="_model_shown"
        )
    card, _ = find_model(name)
    card_view.show_licence(card)
    section = preferences.chosen_section("_model_section", [*SECTIONS, OWN])
    if section == OWN:
        own_model.show()
    else:
        SECTIONS[section](card)
