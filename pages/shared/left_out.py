"""The ROIs to exclude, for layers that do not paint what does not count.

Their outlines are too long for addresses; a word stands for them there, and here is what it means.
"""

import hashlib
import threading
from collections.abc import Mapping, Sequence

import shapely
from cachetools import LRUCache

from pages.shared.tile_sources import UnknownTileError
from seg_core.roi import Roi

_NAME = "without"

NAMES = frozenset({_NAME})
"""What addresses may say of it."""

# More than all sessions of a server have at one time; each is some kilobytes.
_KEPT = 512


class LeftOut:
    """What the ROIs to exclude of all sessions cover, by a word made of it.

    Any number of threads may use it: each tile that is drawn asks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: LRUCache[str, shapely.Geometry] = LRUCache(_KEPT)

    def query(self, rois: Sequence[Roi]) -> dict[str, str]:
        """Return what addresses say of some ROIs; nothing where none of them is to be excluded."""
        covered = shapely.union_all([roi.polygon for roi in rois if roi.kind == "exclude"])
        if covered.is_empty:
            return {}
        word = hashlib.sha256(shapely.normalize(covered).wkb).hexdigest()[:32]
        with self._lock:
            self._kept[word] = covered
        return {_NAME: word}

    def asked(self, query: Mapping[str, str]) -> shapely.Geometry | None:
        """Return what an address leaves out, None where it leaves out nothing.

        Raises
        ------
        UnknownTileError
            If nobody has drawn that, or the server was started anew since.
        """
        word = query.get(_NAME)
        if word is None:
            return None
        with self._lock:
            covered = self._kept.get(word)
        if covered is None:
            raise UnknownTileError("These regions are no longer known; reload the page.")
        return covered
