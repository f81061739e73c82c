"""The store of runs on disk: what was asked, the maps, the nuclei."""

from seg_core.store.answer import forget_answer
from seg_core.store.facts import RunFacts, Status
from seg_core.store.maps_writer import MapsWriter
from seg_core.store.nuclei_file import write_nuclei
from seg_core.store.nucleus_queries import NucleusQueries, Selection
from seg_core.store.row_ranges import RowRange, RowRanges
from seg_core.store.run import Run, open_run
from seg_core.store.run_maps import RunMaps
from seg_core.store.run_writer import RunWriter
from seg_core.store.store import Store, default_store

__all__ = [
    "MapsWriter",
    "NucleusQueries",
    "RowRange",
    "RowRanges",
    "Run",
    "RunFacts",
    "RunMaps",
    "RunWriter",
    "Selection",
    "Status",
    "Store",
    "default_store",
    "forget_answer",
    "open_run",
    "write_nuclei",
]
