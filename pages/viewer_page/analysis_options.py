"""How an analysis is done, where its reader wants to say so."""

from contextlib import suppress
from dataclasses import replace

import streamlit as st

from pages.shared import preferences
from pages.shared.models import choose_model
from seg_core.errors import ModelError
from seg_core.model import ModelCard, find_model, suits_int8
from seg_core.model.measured import preset_in_words
from seg_core.settings import PRESETS, STAIN_TITLES, AnalysisSettings, Precision, PresetName
from seg_core.unbroken import unbroken

_TILES_PX = (256, 512, 1024)
_VIEWS = (1, 2, 4, 8)
_PRECISIONS: dict[Precision, str] = {"auto": "16-bit", "fp32": "32-bit", "int8": "8-bit integers"}

_SINGLE = ("_tile_px", "_views", "_precision")
"""Keys of the single options; None where the preset decides."""


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
        int8 = card is not None and suits_int8(card)
        settings = PRESETS[_choose_preset(card)].applied(defaults, int8=int8)
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
        settings = replace(settings, stain=stain, tissue_only=tissue_only, quality=quality)
        chosen = any(st.session_state.get(key) is not None for key in _SINGLE)
        with st.expander("Single options", expanded=chosen):
            return model, _overruled(settings, int8=int8)


def _choose_preset(card: ModelCard | None) -> PresetName:
    """Offer the presets, with what the chosen one costs below them."""
    names = list(PRESETS)
    preferences.ready("_preset", names[0], PRESETS.__contains__)
    chosen = st.segmented_control(
        "How thorough",
        names,
        format_func=lambda name: PRESETS[name].title,
        help="What each costs in time and accuracy was measured, and stands in the model's card.",
        key="_preset",
    )
    name: PresetName = chosen or names[0]
    st.caption(unbroken(preset_in_words(card, name)))
    return name


def _overruled(settings: AnalysisSettings, *, int8: bool) -> AnalysisSettings:
    """Let single options overrule what a preset says; of what is not chosen it decides."""
    st.caption("What is chosen here overrules the choice above.")
    precisions = [name for name in _PRECISIONS if int8 or name != "int8"]
    choices = (_TILES_PX, _VIEWS, precisions)
    for key, offered in zip(_SINGLE, choices, strict=True):
        preferences.ready(key, None, [None, *offered].__contains__)
    tile_px = st.segmented_control(
        "Tile",
        _TILES_PX,
        format_func=lambda side: f"{side} px",
        help="What the network sees at once. Larger tiles overlap less: less work on a whole "
        "slide, more memory. Results differ slightly.",
        key="_tile_px",
    )
    views = st.segmented_control(
        "Views of each tile",
        _VIEWS,
        help="Test-time augmentation: each view is flipped or turned, and the answers are averaged. Two "
        "views take twice the time and make classes steadier, most of all macrophages.",
        key="_views",
    )
    precision = st.segmented_control(
        "Precision",
        precisions,
        format_func=_PRECISIONS.__getitem__,
        help="8-bit integers are offered where the model was measured to lose little in them; "
        "16-bit is 32-bit where the processor has none.",
        key="_precision",
    )
    return replace(
        settings,
        tile_px=tile_px or settings.tile_px,
        views=views or settings.views,
        precision=precision or settings.precision,
    )


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
