"""From maps to nuclei: instances, their class, outlines, and measures."""

from seg_core.nuclei.certainty import VOTED_CLASS, label_uncertain
from seg_core.nuclei.contours import outline_polygons
from seg_core.nuclei.features import measure_nuclei
from seg_core.nuclei.instances import Instances, find_instances
from seg_core.nuclei.measures import MEASURES, Measure
from seg_core.nuclei.nucleus_table import column_types, empty_table, join_tables
from seg_core.nuclei.ownership import (
    BlockNuclei,
    cores_within,
    find_blocks,
    find_nuclei,
    nuclei_by_block,
    work_by_block,
)
from seg_core.nuclei.ternary import RIM_PX, ternary_of

__all__ = [
    "MEASURES",
    "RIM_PX",
    "VOTED_CLASS",
    "BlockNuclei",
    "Instances",
    "Measure",
    "column_types",
    "cores_within",
    "empty_table",
    "find_blocks",
    "find_instances",
    "find_nuclei",
    "join_tables",
    "label_uncertain",
    "measure_nuclei",
    "nuclei_by_block",
    "outline_polygons",
    "ternary_of",
    "work_by_block",
]
