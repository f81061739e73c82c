"""Which bands of a run's maps are finished: the file beside them."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seg_core.geometry import Window

RECORD_FILE = "bands.json"


@dataclass
class BandRecord:
    """What stands in ``bands.json``.

    Attributes
    ----------
    finished : set of Window
        Bands of the raster that are on disk.
    to_halve : Window or None
        What of them the coarser levels still lack.
    files : dict of str to str
        Checksums of the chunks of level 0 that hold what is finished, and of the layout.
    coarser : str
        Checksum of all that the coarser levels had when they were last made.
    with_pieces : set of Window
        Bands that hold pieces of nuclei, which are on disk beside the maps.
    """

    finished: set[Window] = field(default_factory=set)
    to_halve: Window | None = None
    files: dict[str, str] = field(default_factory=dict)
    coarser: str = ""
    with_pieces: set[Window] = field(default_factory=set)

    def forget(self, places: Mapping[str, Window]) -> None:
        """Take back what lies in some files, named with the window that each holds."""
        for name, window in places.items():
            del self.files[name]
            self.forget_bands(
                {band for band in self.finished if band.intersection(window) is not None}
            )

    def forget_bands(self, bands: Collection[Window]) -> None:
        """Take back that some bands are finished; their files hold what they held."""
        self.finished.difference_update(bands)
        self.with_pieces.difference_update(bands)

    def to_json(self) -> dict[str, Any]:
        """Return the record as it stands in the file."""
        entries = {
            "finished": sorted(band.to_json() for band in self.finished),
            "to_halve": None if self.to_halve is None else self.to_halve.to_json(),
            "files": dict(sorted(self.files.items())),
            "coarser": self.coarser,
            "with_pieces": sorted(band.to_json() for band in self.with_pieces),
        }
        return {**entries, "checksum": _checksum(entries)}

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> "BandRecord":
        """Read what `to_json` gave; ValueError, KeyError or TypeError where it is not that."""
        said = entries.pop("checksum")
        if said != _checksum(entries):
            raise ValueError("the record of bands is damaged")
        to_halve = entries["to_halve"]
        return cls(
            {Window(*values) for values in entries["finished"]},
            None if to_halve is None else Window(*to_halve),
            dict(entries["files"]),
            entries["coarser"],
            {Window(*values) for values in entries["with_pieces"]},
        )

    @classmethod
    def read(cls, run_folder: Path) -> "BandRecord | None":
        """Read the record beside the maps of a run; None where it is missing or damaged."""
        try:
            entries = json.loads((run_folder / RECORD_FILE).read_bytes().decode("utf-8"))
            return cls.from_json(entries)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None


def finished_share(run_folder: Path, window: Window) -> float:
    """Return how much of a window is covered by finished bands, 0 to 1; 0 where nothing is known."""
    record = BandRecord.read(run_folder)
    if record is None:
        return 0.0
    inside = (band.intersection(window) for band in record.finished)
    return sum(each.area for each in inside if each is not None) / window.area


def _checksum(entries: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()
