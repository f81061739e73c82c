"""Writing a run: its facts, its maps, its nuclei."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd

from seg_core.classes import ClassScheme
from seg_core.errors import StoreError
from seg_core.files.atomic import sync_disk_of, write_json
from seg_core.files.disk_errors import store_errors
from seg_core.geometry import Raster
from seg_core.store.facts import RunFacts
from seg_core.store.maps_writer import MapsWriter, discard_maps
from seg_core.store.nuclei_file import write_nuclei
from seg_core.store.piece_files import PieceFiles
from seg_core.store.run import MAPS_FOLDER, NUCLEI_FILE, RUN_FILE, Run, open_run
from seg_core.store.run_maps import RunMaps
from seg_core.store.seal import seal_of

PIECES_FOLDER = "pieces"


class RunWriter:
    """Writes a run into its folder; `seg_core.store.Store.writing` gives one that holds the lock.

    Every method raises `seg_core.errors.StoreError` if the disk is full or cannot be written.

    Parameters
    ----------
    folder : Path
        That of the run, which is there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write_facts(self, facts: RunFacts) -> Run:
        """Write ``run.json`` and return the run as it now is.

        Of a finished run all files are on the disk before it is called so, and their checksums
        stand in it.
        """
        with store_errors(self.folder):
            if facts.status == "finished":
                maps, nuclei = self.folder / MAPS_FOLDER, self.folder / NUCLEI_FILE
                sync_disk_of(self.folder)
                facts = replace(facts, seal=seal_of(maps, nuclei))
            write_json(self.folder / RUN_FILE, facts.to_json())
        return Run(self.folder, facts)

    def maps_writer(self, raster: Raster, scheme: ClassScheme) -> MapsWriter:
        """Return what writes the maps, band by band; it goes on where another stopped."""
        return MapsWriter(self.folder / MAPS_FOLDER, raster, class_count=len(scheme.classes))

    def pieces(self) -> PieceFiles:
        """Return what keeps the pieces of nuclei until their table is there."""
        return PieceFiles(self.folder / PIECES_FOLDER)

    def discard_maps_of_others(self, facts: RunFacts) -> None:
        """Remove maps that another engine, precision or lesser version has begun, or that are damaged."""
        if not (self.folder / RUN_FILE).is_file():
            return
        pieces = self.pieces()
        try:
            earlier = open_run(self.folder)
        except StoreError:  # damaged: what its maps were made by is not known
            discard_maps(self.folder / MAPS_FOLDER)
            pieces.discard()
            return
        lacks_pieces = bool(facts.feature_count) and not pieces.exists
        others = not earlier.facts.has_arithmetic_of(facts) or earlier.status == "finished"
        if others or lacks_pieces:
            discard_maps(self.folder / MAPS_FOLDER)
            pieces.discard()

    def discard_maps(self) -> None:
        """Remove the maps, so that the next start begins anew."""
        with store_errors(self.folder):
            discard_maps(self.folder / MAPS_FOLDER)
        self.pieces().discard()

    def maps(self) -> RunMaps:
        """Open the maps, as far as they are there."""
        return RunMaps(self.folder / MAPS_FOLDER)

    def write_nuclei(self, tables: Iterable[gpd.GeoDataFrame], facts: RunFacts) -> None:
        """Write the parts of the table of nuclei, which is there when all of them are."""
        path = self.folder / NUCLEI_FILE
        write_nuclei(tables, path, facts.scheme, feature_count=facts.feature_count or 0)
