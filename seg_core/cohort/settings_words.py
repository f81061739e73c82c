"""The settings of an analysis as sentences that need no manual."""

from typing import Any

from seg_core.errors import SettingsError
from seg_core.settings import AnalysisSettings

_STAINS = {"macenko": "by Macenko's method", "reinhard": "by Reinhard's method"}


def settings_in_words(said: dict[str, Any]) -> list[str]:
    """Return what settings mean, a sentence each.

    Parameters
    ----------
    said : dict
        As `AnalysisSettings.to_json` gives them. Those of another version give no sentences.

    Examples
    --------
    >>> settings_in_words(AnalysisSettings(views=4).to_json())[0]
    'The network saw tiles of 256 × 256 px, 64 px of which neighbours share, each in 4 views.'
    """
    try:
        settings = AnalysisSettings(**said)
    except (TypeError, SettingsError):
        return []
    views = f", each in {settings.views} views" if settings.views > 1 else ""
    looked_at = "Tissue alone was looked at" if settings.tissue_only else "All was looked at"
    pen = ""
    if settings.tissue_only:
        pen = (
            "; pen marks do not count as tissue" if settings.quality else "; pen marks count as it"
        )
    colours = "Colours were taken as they are"
    if settings.stain in _STAINS:
        colours = f"Colours were taken to those of the training data {_STAINS[settings.stain]}"
    return [
        (
            f"The network saw tiles of {settings.tile_px} × {settings.tile_px} px, "
            f"{settings.overlap_px} px of which neighbours share{views}."
        ),
        f"{looked_at}{pen}.",
        f"{colours}.",
        (
            f"Nuclei below {settings.min_nucleus_um2:g} µm² were left out, and connected areas wider "
            f"than {settings.max_extent_um:g} µm."
        ),
        (
            f"Engine {settings.engine}, precision {settings.precision}; auto is what suits each "
            "machine."
        ),
    ]
