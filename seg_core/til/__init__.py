"""From nuclei to TIL scores: compartments, the scores, their place, their uncertainty."""

from seg_core.til.bootstrap import Estimate, ratio_estimate
from seg_core.til.compartments import Compartments, Field, find_compartments, find_field
from seg_core.til.result import DISCLAIMER, TilResult
from seg_core.til.scores import score_tils
from seg_core.til.settings import TilSettings

__all__ = [
    "DISCLAIMER",
    "Compartments",
    "Estimate",
    "Field",
    "TilResult",
    "TilSettings",
    "find_compartments",
    "find_field",
    "ratio_estimate",
    "score_tils",
]
