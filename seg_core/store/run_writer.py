"""Writing a run: its facts, its maps, its nuclei."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd

from seg_core.classes import ClassScheme
from seg_core.errors import StoreError
from seg_core.files.atomic import sync_disk_of, write_json
from seg_core.files.disk_errors import store_errors
from seg_core.files.locks import busy
from seg_core.geometry import Raster
from seg_core.store.band_record import RECORD_FILE, BandRecord
from seg_core.store.block_files import BlockFiles
from seg_core.store.facts import RunFacts
from seg_core.store.maps_writer import MapsWriter, discard_maps
from seg_core.store.nuclei_file import write_nuclei
from seg_core.store.piece_files import PieceFiles
from seg_core.store.row_ranges import RowRanges
from seg_core.store.run import MAPS_FOLDER, NUCLEI_FILE, RUN_FILE, Run, open_run
from seg_core.store.run_maps import RunMaps
from seg_core.store.seal import seal_of

PIECES_FOLDER, BLOCKS_FOLDER = "pieces", "blocks"


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

    def has_maps(self) -> bool:
        """Tell whether maps were begun."""
        return (self.folder / MAPS_FOLDER).is_dir()

    def pieces(self) -> PieceFiles:
        """Return what keeps the pieces of nuclei until their table is there."""
        return PieceFiles(self.folder / PIECES_FOLDER)

    def blocks(self) -> BlockFiles:
        """Return what keeps the nuclei of single blocks until their table is there."""
        return BlockFiles(self.folder / BLOCKS_FOLDER)

    def refuse_busy_ranges(self) -> None:
        """Raise BusyError if another process works on a range of the run's rows."""
        if RowRanges(self.folder).is_at_work():
            raise busy(self.folder)

    def join_ranges(self, facts: RunFacts) -> float:
        """Take over what was analysed in ranges of rows, and remove the ranges.

        Ranges of another engine or precision are removed only. A process that is killed meanwhile
        leaves what the next one joins.

        Returns
        -------
        seconds : float
            Of the work on all ranges that were finished.
        """
        ranges = RowRanges(self.folder)
        planned = ranges.plan(facts) or ()
        seconds = 0.0
        if planned:
            raster, scheme = facts.question.raster, facts.scheme
            if facts.feature_count:
                self.pieces().begin()
            with self.maps_writer(raster, scheme) as maps:
                for rows in planned:
                    part = RunWriter(ranges.folder(rows))
                    if not part.has_maps():
                        continue
                    part.forget_lost_pieces(facts)
                    seconds += ranges.seconds(rows) or 0.0
                    self.pieces().take(part.pieces())
                    self.blocks().take(part.blocks())
                    with part.maps_writer(raster, scheme) as others:
                        maps.take(others, rows.of(facts.question.window))
        ranges.discard()
        return seconds

    def discard_maps_of_others(self, facts: RunFacts) -> None:
        """Remove maps that another engine, precision or lesser version has begun, or that are damaged."""
        if not (self.folder / RUN_FILE).is_file():
            return
        try:
            earlier = open_run(self.folder)
        except StoreError:  # damaged: what its maps were made by is not known
            self.discard_maps()
            return
        if not earlier.facts.has_arithmetic_of(facts) or earlier.status == "finished":
            self.discard_maps()
        self.forget_lost_pieces(facts)

    def forget_lost_pieces(self, facts: RunFacts) -> None:
        """Have the bands computed again whose pieces of nuclei are not there as they were written.

        Their maps stay where they are, and are written over by the same.
        """
        pieces, record = self.pieces(), BandRecord.read(self.folder)
        if not facts.feature_count or record is None:  # without the record the maps begin anew
            return
        if not pieces.exists and not record.with_pieces:  # of a version that kept none
            self.discard_maps()
            return
        lost = pieces.remove_damaged(record.with_pieces)
        if lost:
            record.forget_bands(lost)
            with store_errors(self.folder):
                write_json(self.folder / RECORD_FILE, record.to_json())

    def discard_maps(self) -> None:
        """Remove the maps, so that the next start begins anew."""
        with store_errors(self.folder):
            discard_maps(self.folder / MAPS_FOLDER)
        self.pieces().discard()
        self.blocks().discard()

    def maps(self) -> RunMaps:
        """Open the maps, as far as they are there."""
        return RunMaps(self.folder / MAPS_FOLDER)

    def write_nuclei(self, tables: Iterable[gpd.GeoDataFrame], facts: RunFacts) -> None:
        """Write the parts of the table of nuclei, which is there when all of them are."""
        path = self.folder / NUCLEI_FILE
        write_nuclei(tables, path, facts.scheme, feature_count=facts.feature_count or 0)
