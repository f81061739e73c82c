"""Adding a model of one's own, and removing it."""

import streamlit as st

from pages.shared import callbacks, frame, slide_places, state
from pages.shared.callbacks import refusable
from pages.shared.literal import literal
from seg_core.model import available_models
from seg_core.model.adding import WEIGHTS, add_model, card_template, is_own, remove_model

_MOST_MB = 500

_PROBLEM = state.Key[str]("_model_not_removed")


def show() -> None:
    """Offer to add a model, and to remove those that were added."""
    if not slide_places.reader_is_local():
        st.info(
            "Models are added by whoever sits at the machine that runs the dashboard: weights and card "
            "into its folder of models, or here on that machine."
        )
        return
    told = state.MODEL_ADDED.get()
    if told is not None:
        state.MODEL_ADDED.clear()
        st.success(
            f"{literal(told)} is there, and is offered wherever a model is chosen. It has no figures yet: "
            "measure it on labelled images on the page Evaluate.",
            icon=":material/check:",
        )
    with frame.told_errors():
        _offer_adding()
    callbacks.show(_PROBLEM)
    for card in filter(is_own, available_models()):
        words, button = st.columns([5, 1], vertical_alignment="center")
        words.markdown(f"**{literal(card.name)}**: {literal(card.title or 'no title')}")
        with button.popover("Remove", width="stretch"):
            st.caption("Its runs stay; they cannot be gone on with.")
            st.button(
                "Remove it",
                key=f"_remove_{card.name}",
                on_click=refusable(remove_model, _PROBLEM),
                args=(card,),
            )


def _offer_adding() -> None:
    st.caption(
        "Weights as safetensors with a card, which says at how many µm per pixel and with which classes "
        "they have learnt; or a checkpoint of the original project (.pt), as it is. Both are checked: "
        "the weights must fit the network of the card to the last tensor."
    )
    uploaded = st.file_uploader(
        "Weights",
        type=[each.removeprefix(".") for each in WEIGHTS],
        key="_own_weights",
        max_upload_size=_MOST_MB,
    )
    text = st.text_area(
        "Card (JSON)",
        card_template(),
        height=300,
        key="_own_card",
        help="Of a checkpoint of the original project: empty, or what the JSON beside it says. Without one it "
        "is a ResNet-34 at 0.25 µm/px, with the classes of MoNuSAC.",
    )
    left, right = st.columns(2)
    right.download_button(
        "The template as a file",
        card_template,
        "my-model.json",
        "application/json",
        icon=":material/download:",
        width="stretch",
        on_click="ignore",
    )
    if left.button(
        "Check and add",
        type="primary",
        disabled=uploaded is None,
        key="_add_model",
        width="stretch",
    ):
        assert uploaded is not None
        is_template = text.strip() == card_template().strip()
        is_checkpoint = not uploaded.name.lower().endswith(WEIGHTS[0])
        with st.spinner("Checking …"):
            card = add_model(
                uploaded.name, uploaded.getvalue(), "" if is_checkpoint and is_template else text
            )
        state.MODEL_ADDED.set(card.title or card.name)
        st.rerun()
