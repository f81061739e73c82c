"""From maps to nuclei: instances, their class, outlines, measures and counts."""

from seg_core.nuclei.contours import outline_polygons
from seg_core.nuclei.features import measure_nuclei
from seg_core.nuclei.instances import Instances, Maps, find_instances
from seg_core.nuclei.ownership import BlockNuclei, find_nuclei, nuclei_by_block
from seg_core.nuclei.summary import histogram, summarise
from seg_core.nuclei.table import column_types, empty_table, join_tables
from seg_core.nuclei.ternary import RIM_PX, ternary_of

__all__ = [
    "RIM_PX",
    "BlockNuclei",
    "Instances",
    "Maps",
    "column_types",
    "empty_table",
    "find_instances",
    "find_nuclei",
    "histogram",
    "join_tables",
    "measure_nuclei",
    "nuclei_by_block",
    "outline_polygons",
    "summarise",
    "ternary_of",
]
