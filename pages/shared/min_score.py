"""The least class score that a reader asks for, on every page: nuclei below it are *uncertain*.

What depends on it says so in its address, so that nothing kept under one score is shown for another.
"""

from collections.abc import Mapping

from pages.shared import state
from pages.shared.tile_sources import UnknownTileError

_NAME = "min_score"

NAMES = frozenset({_NAME})
"""What addresses may say of it."""


def chosen() -> float:
    """Return the session's least score, 0 where none is asked for."""
    return state.MIN_SCORE.get() or 0.0


def query() -> Mapping[str, str]:
    """Return what addresses say of it; nothing where none is asked for."""
    return {_NAME: f"{chosen():g}"} if chosen() else {}


def asked(query: Mapping[str, str]) -> float:
    """Return what an address says of it.

    Raises
    ------
    UnknownTileError
        If that is no share.
    """
    text = query.get(_NAME, "0")
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise UnknownTileError(f"The least class score is a share from 0 to 1, not {text!r}.")
    return score


def note() -> str | None:
    """Return what stands below the legend of the viewer and beside the TIL scores while there is one."""
    if not chosen():
        return None
    return f"Nuclei with a class score below {chosen():.2f} are uncertain, as on the Nuclei page."
