"""What addresses say of the names of a run's nuclei, which corrections and classifiers change.

They name the version of the names, so that a browser may keep what it got for one version and asks
anew for the next.
"""

from collections.abc import Mapping

from pages.shared import resources
from seg_core.store import Run

_RUN, _NAMES = "run", "names"

OPTIONS = frozenset({_RUN, _NAMES})
"""What `query` says."""


def query(run: Run) -> dict[str, str]:
    """Return what an address says of a run."""
    return {_RUN: run.run_id, _NAMES: run.names_version}


def asked_run(token: str, query: Mapping[str, str]) -> Run:
    """Return the run that an address names, as its session shows it.

    Raises
    ------
    UnknownTileError
        If no session shows such a run.
    """
    return resources.tile_sources().find(token).run_of(query.get(_RUN))


def are_current(token: str, query: Mapping[str, str]) -> bool:
    """Tell whether an address names the nuclei as they are called now.

    What is answered to another one is of now as well, and must not be kept for then.
    """
    if _NAMES not in query:
        return _RUN not in query
    return query[_NAMES] == asked_run(token, query).names_version
