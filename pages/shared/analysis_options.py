"""How an analysis is done, where its reader wants to say so."""

from contextlib import suppress

import streamlit as st

from seg_core.errors import ModelError
from seg_core.model import ModelCard, find_model
from seg_core.settings import AnalysisSettings

_TILES_PX = (256, 512, 1024)


def choose_settings(model: str | None) -> AnalysisSettings:
    """Offer what makes an analysis faster; the defaults are those the model was measured with.

    Parameters
    ----------
    model : str or None
        Name of the model chosen; None is the default model.
    """
    defaults = AnalysisSettings()
    card: ModelCard | None = None
    with suppress(ModelError):  # said in a sentence when an analysis is asked for
        card, _ = find_model(model)
    with st.popover("Options", icon=":material/tune:", width="stretch"):
        fast = card is not None and _keeps_accuracy_in_int8(card) and _offer_fast(card)
        tile_px = st.segmented_control(
            "Tile",
            _TILES_PX,
            default=defaults.tile_px,
            format_func=lambda side: f"{side} px",
            help="What the network sees at once. Larger tiles overlap less: less work on a whole "
            "slide, more memory. Results differ slightly.",
            key="_tile_px",
        )
    return AnalysisSettings(
        tile_px=tile_px or defaults.tile_px, precision="int8" if fast else defaults.precision
    )


def _offer_fast(card: ModelCard) -> bool:
    assert card.int8 is not None, "asked before"
    lost = -100 * card.int8.metrics["mpq_plus_change"]
    told = f"loses {lost:.1f} points of mPQ+" if lost > 0 else "loses no mPQ+"
    return st.toggle(
        "Fast (8-bit)",
        help=f"Computes in 8-bit integers. On the images the model was validated with this {told}.",
        key="_fast",
    )


def _keeps_accuracy_in_int8(card: ModelCard) -> bool:
    """Tell whether the model ships a graph in 8-bit integers of these weights that loses little."""
    return (
        card.int8 is not None
        and card.int8.weights_sha256 == card.sha256
        and card.int8.keeps_accuracy
    )
