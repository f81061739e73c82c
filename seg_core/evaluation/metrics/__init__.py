"""Figures that say how good an answer is: arrays in, numbers out.

`score_image` takes what can be added up from one image, `figures_of` makes the figures of many
images from it, and `intervals_of` their 95 % intervals. The parts they are made of are in `pixel`
(class and ternary maps), `instance` (labelled nuclei) and `bootstrap`.

Throughout, a figure that cannot be had (no such class, no nucleus at all) is NaN here and null in
JSON, and is left out of means.
"""

from seg_core.evaluation.metrics.bootstrap import BOOTSTRAP_SAMPLES, BOOTSTRAP_SEED, FEW_PATIENTS
from seg_core.evaluation.metrics.figures import (
    DETECTION_RADIUS_UM,
    ImageScore,
    figures_of,
    intervals_of,
    paired_differences,
    score_image,
)
from seg_core.evaluation.metrics.instance import (
    Comparison,
    Counts,
    compare,
)

__all__ = [
    "BOOTSTRAP_SAMPLES",
    "BOOTSTRAP_SEED",
    "DETECTION_RADIUS_UM",
    "FEW_PATIENTS",
    "Comparison",
    "Counts",
    "ImageScore",
    "compare",
    "figures_of",
    "intervals_of",
    "paired_differences",
    "score_image",
]
