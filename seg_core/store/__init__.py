"""A run on disk: what was asked, the maps, the nuclei."""

from seg_core.store.catalog import NucleusCatalog, Selection
from seg_core.store.maps import MapsWriter, RunMaps
from seg_core.store.nuclei_file import write_nuclei
from seg_core.store.run import (
    Question,
    Run,
    RunFacts,
    Status,
    default_store,
    open_run,
    runs_of,
    write_facts,
)
from seg_core.store.shares import MapName

__all__ = [
    "MapName",
    "MapsWriter",
    "NucleusCatalog",
    "Question",
    "Run",
    "RunFacts",
    "RunMaps",
    "Selection",
    "Status",
    "default_store",
    "open_run",
    "runs_of",
    "write_facts",
    "write_nuclei",
]
