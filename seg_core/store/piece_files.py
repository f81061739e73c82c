"""Pieces of nuclei between the maps and the table: one file a band, and none when the run is done.

::

    pieces/  0_0_4096_192.npy     of the band with this window: x, y, width, height

A band's pieces are on disk before the band is recorded as finished, so what a killed process has
left behind is whole. Each file ends with its checksum.
"""

import io
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from seg_core.files.atomic import replacing, take_file
from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import add_seal, sealed_content
from seg_core.geometry import Window
from seg_core.maps import MapBand, Pieces, piece_type
from seg_core.store.seal import damaged


class PieceFiles:
    """Writes and reads the pieces of a run's nuclei; memory depends on the window read alone.

    Every method raises `seg_core.errors.StoreError` if the disk is full or cannot be used.

    Parameters
    ----------
    folder : Path
        Made when the first band is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def exists(self) -> bool:
        """Whether bands were written, and none of it was discarded."""
        return self._folder.is_dir()

    def begin(self) -> None:
        """Make the folder: from now on every finished band has its file."""
        with store_errors(self._folder):
            self._folder.mkdir(exist_ok=True)

    def write(self, band: MapBand) -> None:
        """Keep what a band holds."""
        if band.pieces is None:
            return
        path = self._folder / _name_of(band.window)
        with store_errors(self._folder), replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, band.pieces, allow_pickle=False)
            file.flush()
            add_seal(temporary)

    def remove_damaged(self, bands: Iterable[Window]) -> set[Window]:
        """Return which bands have no file as it was written, and remove what is left of it."""
        lost = {band for band in bands if sealed_content(self._folder / _name_of(band)) is None}
        with store_errors(self._folder):
            for band in lost:
                (self._folder / _name_of(band)).unlink(missing_ok=True)
        return lost

    def read(self, window: Window) -> Pieces:
        """Return the pieces whose named pixel lies in a window; StoreError if a file is damaged."""
        with store_errors(self._folder):
            parts = [part for path in self._files_of(window) if len(part := _read(path, window))]
        return np.concatenate(parts) if parts else np.empty(0, piece_type(0))

    def take(self, others: "PieceFiles") -> None:
        """Take the files of a range of rows of the same run."""
        with store_errors(self._folder):
            for path in others._folder.glob("*.npy"):
                take_file(path, self._folder / path.name)

    def discard(self) -> None:
        """Remove them all."""
        with store_errors(self._folder):
            shutil.rmtree(self._folder, ignore_errors=not self._folder.exists())

    def _files_of(self, window: Window) -> Iterator[Path]:
        for path in sorted(self._folder.glob("*.npy")):
            if Window(*map(int, path.stem.split("_"))).intersection(window) is not None:
                yield path


def _name_of(window: Window) -> str:
    return f"{window.x}_{window.y}_{window.width}_{window.height}.npy"


def _read(path: Path, window: Window) -> Pieces:
    content = sealed_content(path)
    if content is None:
        raise damaged(path)
    pieces = np.load(io.BytesIO(content), allow_pickle=False)
    x, y = pieces["x"], pieces["y"]
    inside = (x >= window.x) & (x < window.right) & (y >= window.y) & (y < window.bottom)
    return np.asarray(pieces[inside])
