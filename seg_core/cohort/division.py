"""A slide that several workers share: which of its ranges are done, and how far the whole is."""

from typing import Any

from seg_core.cohort.task import Division
from seg_core.store import RowRange


class DividedItem:
    """What is known of the ranges of one item.

    Parameters
    ----------
    division : Division
    """

    def __init__(self, division: Division) -> None:
        self._left = set(division.ranges)
        self._done = dict.fromkeys(division.ranges, 0)

    @property
    def is_done(self) -> bool:
        """Whether no range is left."""
        return not self._left

    def end(self, rows: RowRange) -> None:
        """Count a range as done."""
        self._left.discard(rows)
        self._done[rows] = rows.tiles

    def advanced(self, rows: RowRange, stage: str, done: int) -> dict[str, Any]:
        """Take what a worker tells of a range, and return what it means for the whole slide.

        Tiles are what is counted, also while a range's nuclei are looked for: that takes little
        time, and a bar that counted both would jump between them. How long the rest takes depends on
        how many workers there will be, so nothing is said of it.

        Parameters
        ----------
        rows : RowRange
        stage : str
            As of `seg_core.process.progress.Progress`.
        done : int

        Returns
        -------
        told : dict
            ``stage``, ``done``, ``total``, ``seconds_left``.
        """
        # a range that goes on counts only what was not done before
        if stage == "tiles":
            self._done[rows] = max(self._done[rows], done)
        else:
            self._done[rows] = rows.tiles
        return {
            "stage": "tiles",
            "done": sum(self._done.values()),
            "total": sum(each.tiles for each in self._done),
            "seconds_left": None,
        }
