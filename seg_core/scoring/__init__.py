"""From the nuclei of a run to the numbers a reader takes away: by class and by part of the slide."""

from seg_core.scoring.comparison import IN_BOTH, compare_classes, part_in_both
from seg_core.scoring.counted import Counted, counted_of, kept_rois, naming_facts, told_apart
from seg_core.scoring.parts import WHOLE, Part, joined, named_apart, parts_of
from seg_core.scoring.square_counts import Squares, count_squares
from seg_core.scoring.summary import (
    DENSITY_FORMULA,
    Ratio,
    Statistics,
    cautions_in_words,
    describe_part,
    describe_parts,
    describe_run,
    measure_columns,
    tissue_of,
)

__all__ = [
    "DENSITY_FORMULA",
    "IN_BOTH",
    "WHOLE",
    "Counted",
    "Part",
    "Ratio",
    "Squares",
    "Statistics",
    "cautions_in_words",
    "compare_classes",
    "count_squares",
    "counted_of",
    "describe_part",
    "describe_parts",
    "describe_run",
    "joined",
    "kept_rois",
    "measure_columns",
    "named_apart",
    "naming_facts",
    "part_in_both",
    "parts_of",
    "tissue_of",
    "told_apart",
]
