"""What addresses say of what changes in a run: its nuclei's names, and maps that still grow.

Corrections and classifiers change the names, an analysis at work the maps. Addresses name the
version of both, so that a browser may keep what it got for one version and asks anew for the next.
"""

from collections.abc import Mapping

from pages.shared import singletons
from seg_core.store import Run

_RUN, _NAMES, _MAPS = "run", "names", "maps"

OPTIONS = frozenset({_RUN, _NAMES, _MAPS})
"""What `query` says."""


def query(run: Run) -> dict[str, str]:
    """Return what an address says of a run."""
    grown = {} if run.status == "finished" else {_MAPS: run.maps_version}
    return {_RUN: run.run_id, _NAMES: run.names_version, **grown}


def asked_run(token: str, query: Mapping[str, str]) -> Run:
    """Return the run that an address names, as its session shows it.

    Raises
    ------
    UnknownTileError
        If no session shows such a run.
    """
    return singletons.tile_sources().find(token).run_of(query.get(_RUN))


def are_current(token: str, query: Mapping[str, str]) -> bool:
    """Tell whether an address names nuclei and maps as they are now.

    What is answered to another one is of now as well, and must not be kept for then.
    """
    if _NAMES not in query:
        return _RUN not in query
    run = asked_run(token, query)
    return query[_NAMES] == run.names_version and query.get(_MAPS, "whole") == run.maps_version
