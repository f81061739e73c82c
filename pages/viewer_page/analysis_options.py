"""How an analysis is done, where its reader wants to say so."""

from contextlib import suppress

import streamlit as st

from pages.shared import preferences
from pages.shared.models import choose_model
from seg_core.errors import ModelError
from seg_core.model import ModelCard, find_model
from seg_core.settings import STAIN_TITLES, AnalysisSettings

_TILES_PX = (256, 512, 1024)
_VIEWS = (1, 2, 4, 8)


def choose_analysis() -> tuple[str | None, AnalysisSettings]:
    """Offer what a reader may weigh; the defaults are those the model was measured with.

    Returns
    -------
    model : str or None
        Name of the model; None is the default model.
    settings : AnalysisSettings
    """
    defaults = AnalysisSettings()
    card: ModelCard | None = None
    with st.popover("Options", icon=":material/tune:", width="stretch"):
        model = choose_model("_model")
        with suppress(ModelError):  # said in a sentence when an analysis is asked for
            card, _ = find_model(model)
        fast = card is not None and _keeps_accuracy_in_int8(card) and _offer_fast(card)
        preferences.ready("_tile_px", defaults.tile_px, _TILES_PX.__contains__)
        tile_px = st.segmented_control(
            "Tile",
            _TILES_PX,
            format_func=lambda side: f"{side} px",
            help="What the network sees at once. Larger tiles overlap less: less work on a whole "
            "slide, more memory. Results differ slightly.",
            key="_tile_px",
        )
        preferences.ready("_views", defaults.views, _VIEWS.__contains__)
        views = st.segmented_control(
            "Looks at each tile",
            _VIEWS,
            help="Flipped and turned, with the answers averaged: steadier classes, most of all "
            "macrophages, in as many times the time.",
            key="_views",
        )
        preferences.ready("_stain", defaults.stain, STAIN_TITLES.__contains__)
        stain = st.selectbox(
            "Stain",
            list(STAIN_TITLES),
            format_func=STAIN_TITLES.__getitem__,
            help="Bring the slide's colours to those of the training data first. It finds more "
            "nuclei on a pale slide, and makes the classes worse.",
            key="_stain",
        )
        tissue_only, quality = _choose_tissue(defaults)
        settings = AnalysisSettings(
            tile_px=tile_px or defaults.tile_px,
            views=views or defaults.views,
            stain=stain,
            precision="int8" if fast else defaults.precision,
            tissue_only=tissue_only,
            quality=quality,
        )
        return model, settings


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def _choose_tissue(defaults: AnalysisSettings) -> tuple[bool, bool]:
    """Let the reader overrule what is taken for glass and for pen."""
    preferences.ready("_tissue_only", defaults.tissue_only, _is_switch)
    preferences.ready("_quality", defaults.quality, _is_switch)
    tissue_only = st.toggle(
        "Skip glass",
        help="Analyse only what the *Tissue* layer shows. Switch it off where faint tissue "
        "is taken for glass.",
        key="_tissue_only",
    )
    quality = st.toggle(
        "Skip pen marks",
        disabled=not tissue_only,
        help="The *Flaws* layer shows them. Switch it off where a strong stain is taken for pen.",
        key="_quality",
    )
    return tissue_only, quality


def _offer_fast(card: ModelCard) -> bool:
    assert card.int8 is not None, "asked before"
    lost = -100 * card.int8.metrics["mpq_plus_change"]
    told = f"loses {lost:.1f} points of mPQ+" if lost > 0 else "loses no mPQ+"
    preferences.ready("_fast", False, _is_switch)
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
