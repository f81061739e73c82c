"""Choosing a model, where there is a choice."""

import os

import streamlit as st

from pages.shared import preferences
from pages.shared.told_apart import told_apart
from seg_core.model import available_models
from seg_core.model.card import MODEL_VARIABLE


def choose_model(key: str) -> str | None:
    """Let the reader choose where there is a choice; None is the default model.

    Parameters
    ----------
    key : str
        Of the widget.
    """
    titles = {} if os.environ.get(MODEL_VARIABLE) else titles_of_models()
    if len(titles) < 2:
        return None
    preferences.ready(key, next(iter(titles)), titles.__contains__)
    return st.selectbox(
        "Model",
        list(titles),
        format_func=titles.__getitem__,
        help="The first is the default. What each has learnt from and what it is worth stands in "
        "its card, and in every report.",
        key=key,
    )


def choose_second_model(key: str, first: str | None, last: str | None = None) -> str | None:
    """Let the reader choose another model beside a first one; None where there is none, or no choice.

    Parameters
    ----------
    key : str
        Of the widget.
    first : str or None
        Name of the first, as `choose_model` returns it.
    last : str, optional
        The one that is chosen until the reader says otherwise.
    """
    titles = {name: title for name, title in titles_of_models().items() if name != first}
    if first is None or not titles:
        return None
    if st.session_state.get(key) == first:  # it is the first one by now
        del st.session_state[key]
    return st.selectbox(
        "Beside it",
        list(titles),
        index=list(titles).index(last) if last in titles else None,
        format_func=titles.__getitem__,
        placeholder="a second model, if you like",
        help="Both answer the same images; how they differ is told with its interval. It takes twice "
        "as long.",
        key=key,
    )


def titles_of_models() -> dict[str, str]:
    """Return what readers call each model that is there, by its name."""
    cards = available_models()
    return told_apart(
        {card.name: card.title or card.name for card in cards},
        {card.name: card.name for card in cards},
    )
