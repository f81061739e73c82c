"""The slides that are open, for all sessions, bounded by the memory that they take.

A whole slide takes next to none: OpenSlide reads its parts from the file. An ordinary image is held
decoded, the largest in 400 MB, and whoever uploads some dozens of them must not fill the server.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from seg_core.slide import ArraySlide, Slide

_Key = tuple[Path, int, float | None]


class SlideShelf:
    """Keeps the slides that were asked for last; any number of threads may ask.

    What is not kept is opened anew, by one thread while the others wait for that slide.

    Parameters
    ----------
    open_slide : callable
        Opens a file with a size of its pixels, µm, or None.
    most : int
        Slides that are kept.
    most_bytes : int
        Of the images among them together. The last one that was asked for is kept in any case.
    """

    def __init__(
        self, open_slide: Callable[[Path, float | None], Slide], *, most: int, most_bytes: int
    ) -> None:
        self._open = open_slide
        self._most, self._most_bytes = most, most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, Slide] = OrderedDict()
        self._opening: dict[_Key, threading.Lock] = {}

    @property
    def bytes(self) -> int:
        """What the images that are kept take now."""
        with self._lock:
            return sum(map(_bytes_of, self._kept.values()))

    def get(self, path: Path, changed: int, mpp: float | None) -> Slide:
        """Return an open slide.

        Parameters
        ----------
        path : Path
        changed : int
            When the file was last written: another time is another slide.
        mpp : float or None

        Raises
        ------
        SegCoreError
            As opening does.
        """
        key = (path, changed, mpp)
        with self._lock:
            opening = self._opening.setdefault(key, threading.Lock())
        try:
            with opening:
                slide = self._find(key)
                if slide is None:
                    slide = self._open(path, mpp)
                    self._keep(key, slide)
                return slide
        finally:
            with self._lock, suppress(KeyError):
                if not opening.locked():
                    del self._opening[key]

    def forget_files(self) -> None:
        """Open whole slides anew; decoded images depend on no file any more and stay."""
        with self._lock:
            for key, slide in list(self._kept.items()):
                if not _bytes_of(slide):
                    del self._kept[key]

    def forget(self) -> None:
        """Keep nothing of what is kept now."""
        with self._lock:
            self._kept.clear()

    def _find(self, key: _Key) -> Slide | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: _Key, slide: Slide) -> None:
        with self._lock:
            self._kept[key] = slide
            while len(self._kept) > 1 and (
                len(self._kept) > self._most
                or sum(map(_bytes_of, self._kept.values())) > self._most_bytes
            ):
                # Nobody closes it: a thread may be reading. It goes with its last reader.
                self._kept.popitem(last=False)


def _bytes_of(slide: Slide) -> int:
    return slide.nbytes if isinstance(slide, ArraySlide) else 0
