"""What a model can and cannot do, before anybody trusts its numbers."""

import streamlit as st

from pages.model_page import card_view, failures, machine, own_model, trust
from pages.shared import frame, preferences
from pages.shared.page_list import MODEL
from seg_core.model import ModelCard, available_models, find_model


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
    "Class scores": trust.show_reliability,
    "Speed": _show_speed,
    "Training": trust.show_training,
}
OWN = "Add a model"

sidebar = frame.open_page(MODEL)
st.header(MODEL.title)
with frame.shown_errors():
    cards = {each.name: each for each in available_models()}
    name = None
    if len(cards) > 1:
        name = st.selectbox(
            "Model",
            list(cards),
            format_func=lambda each: cards[each].title or each,
            key="_model_shown",
        )
    card, _ = find_model(name)
    card_view.show_licence(card)
    section = preferences.chosen_section("_model_section", [*SECTIONS, OWN])
    if section == OWN:
        own_model.show()
    else:
        SECTIONS[section](card)
