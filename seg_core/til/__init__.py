"""From nuclei to TIL scores: compartments, the scores, their place, their uncertainty."""

from seg_core.til.cells import NEEDED_ROLES
from seg_core.til.compartments import Compartments, find_compartments
from seg_core.til.confusion import Confusion, confusion_of
from seg_core.til.field import Field, find_field
from seg_core.til.interval import INTERVAL_METHOD, Estimate, Grid, ratio_estimate
from seg_core.til.result import DISCLAIMER, AssessedPart, TilResult
from seg_core.til.score import Formula, Score
from seg_core.til.score_settings import TilSettings
from seg_core.til.scores import score_tils
from seg_core.til.tumour import Tumour, tumour_of

__all__ = [
    "DISCLAIMER",
    "INTERVAL_METHOD",
    "NEEDED_ROLES",
    "AssessedPart",
    "Compartments",
    "Confusion",
    "Estimate",
    "Field",
    "Formula",
    "Grid",
    "Score",
    "TilResult",
    "TilSettings",
    "Tumour",
    "confusion_of",
    "find_compartments",
    "find_field",
    "ratio_estimate",
    "score_tils",
    "tumour_of",
]
