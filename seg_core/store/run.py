"""A run, to read.

A run lies in ``<store>/<slide id>/<run id>/``. The run id is made of the question, so the same
question finds the same run: one that is finished answers at once, one that is not goes on.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.classes import ClassScheme, Role
from seg_core.errors import SlideError, StoreError
from seg_core.files.disk_errors import store_errors
from seg_core.geometry import Raster, Region, Window
from seg_core.nuclei.names import Names
from seg_core.question import FORMAT
from seg_core.roi import Roi
from seg_core.slide import Slide, TissueMask, find_tissue, is_identity, open_slide
from seg_core.store.answer import AnswerFacts
from seg_core.store.band_record import RECORD_FILE, BandRecord, finished_share
from seg_core.store.facts import RunFacts, Status
from seg_core.store.growing_maps import GrowingMaps
from seg_core.store.journal import Correction, Journal
from seg_core.store.naming import Naming
from seg_core.store.nuclei_file import iterate_nuclei, read_columns, read_features, read_nuclei
from seg_core.store.nucleus_places import NucleusPlaces
from seg_core.store.nucleus_queries import NucleusQueries, Selection
from seg_core.store.overlay import Overlay, version_of_names
from seg_core.store.row_ranges import is_in_use
from seg_core.store.run_maps import RunMaps
from seg_core.store.seal import NUCLEI, check_map_files, check_nuclei, damage_of, damaged

RUN_FILE, MAPS_FOLDER, NUCLEI_FILE = "run.json", "maps.zarr", "nuclei.parquet"

# Resolution of the mask where an analysis took everything for tissue, µm.
_MASK_MPP = 8.0


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the store, as it was when it was opened.

    Attributes
    ----------
    path : Path
        Its folder.
    facts : RunFacts
    only_found : bool
        Whether nuclei are as the model found them, whatever people and classifiers said since.
    corrections_in : Path or None
        Folder of corrections, own classes and a classifier's answer where what one person said counts
        and not what lies beside the run.
    """

    path: Path
    facts: RunFacts
    only_found: bool = False
    corrections_in: Path | None = None

    @property
    def run_id(self) -> str:
        """Name of the run's folder."""
        return self.facts.question.run_id

    @property
    def status(self) -> Status:
        """Only a *finished* run has nuclei; the others go on when the same analysis is started again."""
        return self.facts.status

    @property
    def slide_path(self) -> Path:
        """Where the slide is read: where it was analysed, or where somebody has it now."""
        return self.facts.slide.path

    @property
    def slide_id(self) -> str:
        """Name of the slide's folder, made of its content."""
        return self.facts.question.slide_id

    @property
    def slide_mpp(self) -> float:
        """Size of a level-0 pixel as the analysis took it, µm."""
        return self.facts.question.slide_mpp

    @property
    def covers_slide(self) -> bool:
        """Whether the whole slide was analysed."""
        return self.roi is None and self.region == self.raster.region

    @property
    def scheme(self) -> ClassScheme:
        """Names and colours of what nuclei are called.

        The model's classes, or a classifier's, and those that people have named for this run.
        """
        return self._naming.scheme

    @property
    def model_scheme(self) -> ClassScheme:
        """Names and colours of the model's classes, which the maps and the shares are of."""
        return self.facts.scheme

    @property
    def classifier(self) -> str | None:
        """What the taught classifier is called that named the nuclei; None: the model did."""
        said = self.named_by
        return None if said is None else said.classifier

    @property
    def named_by(self) -> AnswerFacts | None:
        """The taught classifier that named the nuclei, and how well it does; None: the model did."""
        return self._naming.named_by

    @property
    def outdated_classifier(self) -> str | None:
        """What the taught classifier is called whose answer is of the nuclei of an earlier analysis.

        Such an answer names no nuclei: ids are others in a run that was made anew.
        """
        return self._naming.outdated_classifier

    def require_roles(self, roles: Sequence[Role], purpose: str) -> None:
        """Refuse a purpose that needs nuclei which whoever named them does not tell apart.

        Parameters
        ----------
        roles : sequence of Role
        purpose : str
            What needs them, in the plural, as the sentence begins.

        Raises
        ------
        ModelError
            If neither the model nor the taught classifier, whichever named the nuclei, has a class of
            one of the roles.
        """
        self._naming.require_roles(roles, purpose)

    def as_found(self) -> "Run":
        """Return the run as the model left it, without a classifier and without corrections."""
        return replace(self, only_found=True)

    def corrected_in(self, folder: Path) -> "Run":
        """Return the run with what was said in another folder instead of beside it.

        A classifier's answer beside the run counts where that folder has none of the run's nuclei.
        """
        return replace(self, corrections_in=folder)

    def with_slide_at(self, slide: Path) -> "Run":
        """Return the run with its slide at the place where it is now.

        Parameters
        ----------
        slide : Path
            Of the same content; `open_slide` refuses another one.
        """
        return replace(self, facts=replace(self.facts, slide=replace(self.facts.slide, path=slide)))

    def journal(self) -> Journal:
        """Return what people correct of the run."""
        table = None
        if self.status == "finished":
            table = NucleusPlaces(self.path / NUCLEI_FILE, self.nuclei_checksum, self.slide_mpp)
        return Journal(self.said_in, table)

    @property
    def nuclei_checksum(self) -> str:
        """Checksum of the file of nuclei; empty before the run is finished."""
        return self.facts.seal.get(NUCLEI, "")

    @property
    def said_in(self) -> Path:
        """Folder of what was said of the nuclei since: that of the run, or one person's."""
        return self.corrections_in or self.path

    @property
    def has_own_answer(self) -> bool:
        """Whether a classifier's answer lies in `said_in`, where it can be forgotten."""
        return self._naming.has_own_answer

    @property
    def names_version(self) -> str:
        """A word that is another one whenever nuclei are called something else, or seen as found.

        What is kept of a run by this word is never out of date.
        """
        return self._naming.version(anywhere=False)

    @property
    def kept_names_version(self) -> str:
        """The same for files of figures: no other one where the run was moved or is called otherwise."""
        return self._naming.version(anywhere=True)

    def corrections(self) -> dict[int, Correction]:
        """Return what is corrected now, by id of the nucleus; none in a run as found.

        What somebody called rightly named is corrected once a classifier has come or gone that names it
        otherwise.
        """
        return self._naming.corrections(
            lambda ids: read_columns(self.nuclei_file(), ["nucleus_id", "class_name"], ids)
        )

    @property
    def raster(self) -> Raster:
        """The grid of the maps, over the whole slide."""
        return self.facts.question.raster

    @property
    def region(self) -> Region:
        """What was analysed, level-0 pixels."""
        return self.facts.question.region

    @property
    def roi(self) -> Roi | None:
        """The polygon whose nuclei were wanted, if one was given."""
        return self.facts.question.roi

    @property
    def window(self) -> Window:
        """What was analysed, pixels of the raster."""
        return self.facts.question.window

    def open_slide(self) -> Slide:
        """Open the slide, with the pixel size the run was made with; the caller closes it.

        Raises
        ------
        SlideError
            If it is no longer there, cannot be read, or is another one by now.
        """
        slide = open_slide(self.slide_path, mpp=self.slide_mpp)
        if is_identity(self.slide_path, self.slide_id):
            return slide
        slide.close()
        raise SlideError(
            f"{self.slide_path} is no longer the slide that was analysed; put that one back, or "
            "analyse this one."
        )

    def tissue(self) -> TissueMask:
        """Find the slide's tissue again, as the analysis did: a run does not keep it.

        An analysis that did not look for tissue took everything for tissue.

        Raises
        ------
        SlideError
            As `open_slide` does.
        """
        settings = self.facts.question.settings
        with closing(self.open_slide()) as slide:
            if settings.tissue_only:
                return find_tissue(slide, keep_pen=not settings.quality)
            raster = slide.raster(_MASK_MPP)
        return TissueMask(raster, np.ones((raster.height, raster.width), dtype=np.bool_))

    def maps(self) -> RunMaps:
        """Open the maps, as far as they are there; windows are pixels of `raster`.

        Raises
        ------
        StoreError
            If they are damaged.
        """
        folder = self.path / MAPS_FOLDER
        check_map_files(folder, self.facts.seal)
        record = None if self.status == "finished" else BandRecord.read(self.path)
        return RunMaps(folder) if record is None else GrowingMaps(folder, record.to_halve)

    @property
    def maps_version(self) -> str:
        """A word that is another one whenever more of the maps is there; empty before the first.

        Of a finished run it is always the same.
        """
        if self.status == "finished":
            return "whole"
        record = self.path / RECORD_FILE
        return version_of_names([record]) if record.is_file() else ""

    @property
    def finished_share(self) -> float:
        """How much of the window has its maps, 0 to 1."""
        return 1.0 if self.status == "finished" else finished_share(self.path, self.window)

    def nuclei(self) -> gpd.GeoDataFrame:
        """Read the table of all nuclei, *other* included, with geometry in level-0 pixels."""
        return self.overlay().applied(read_nuclei(self.nuclei_file()))

    def names_of(self, found: pd.DataFrame) -> Names:
        """Return the names of now of the table of `as_found`, or of a part of it."""
        return self.overlay().names_of(found)

    def nuclei_in_parts(self) -> Iterator[gpd.GeoDataFrame]:
        """Read the same table in one or more parts; for runs that do not fit into memory."""
        overlay = self.overlay()
        return (overlay.applied(part) for part in iterate_nuclei(self.nuclei_file()))

    def found_columns(self, names: Sequence[str]) -> pd.DataFrame:
        """Read some columns of all nuclei as the model found them, in that order, without outlines."""
        return read_columns(self.nuclei_file(), names)

    def said_since(self) -> list[str]:
        """Return sentences on who named the nuclei but the model; none where nobody did."""
        return self._naming.in_words(self.corrections())

    def overlay(self) -> Overlay:
        """Read the names that go over those in the file of nuclei; none in a run as found."""
        return self._naming.overlay()

    @property
    def _naming(self) -> Naming:
        said = self.said_in, self.journal(), self.only_found
        return Naming(self.path, self.model_scheme, self.nuclei_checksum, *said)

    def features(self) -> npt.NDArray[np.float16]:
        """Read what the network knows of all nuclei it found, in the order in which it found them.

        Returns
        -------
        (N, F) float16
            See `seg_core.model.features`.

        Raises
        ------
        StoreError
            If the run is not finished, or of a version that kept no features.
        """
        features = read_features(self.nuclei_file())
        if features is None:
            raise StoreError(
                f"the run {self.run_id} of {self.slide_path.name} was made by a version that kept no "
                "features of nuclei; analyse the slide again, with the same settings."
            )
        return features

    def counts(self) -> dict[str, int]:
        """Count the nuclei by what they are called now, *other* included."""
        return self.nucleus_queries().counts(Selection(self.scheme.names_with_other))

    def nucleus_queries(self) -> NucleusQueries:
        """Open the same table for questions that DuckDB answers without reading all of it."""
        return NucleusQueries(self.nuclei_file(), self.model_scheme, self.overlay())

    def nuclei_file(self) -> Path:
        """Return the file of nuclei as the model found them, once it was looked through for damage."""
        if self.status != "finished":
            raise StoreError(
                f"the run {self.run_id} of {self.slide_path.name} is {self.status} and has no "
                "nuclei yet; start the same analysis again, it goes on where it stopped."
            )
        check_nuclei(self.path / NUCLEI_FILE, self.facts.seal)
        return self.path / NUCLEI_FILE

    def damage(self) -> list[Path]:
        """Read all files of a finished run and return those that are not as they were written."""
        return list(damage_of(self.path / MAPS_FOLDER, self.path / NUCLEI_FILE, self.facts.seal))


def open_run(path: Path) -> Run:
    """Open a run folder.

    A run that says *running* while no process holds its lock was killed: it is *stopped*.

    Raises
    ------
    StoreError
        If the folder holds no run, or one of another version of this program.
    """
    path = Path(path)
    file = path / RUN_FILE
    with store_errors(path):
        if not file.is_file():
            raise StoreError(f"there is no run in {path}; give the folder that analyse has named.")
        content = file.read_bytes()
    try:
        entries = json.loads(content.decode("utf-8"))
        if (written := entries["format"]) != FORMAT and isinstance(written, int):
            raise StoreError(
                f"the run {path} was written by another version of this program "
                f"(format {written}, this one reads {FORMAT}); analyse the slide again."
            )
        facts = RunFacts.from_json(entries)
    except StoreError:
        raise
    except Exception as error:  # whatever values of other types lead to
        raise damaged(file) from error
    if facts.status == "running" and not is_in_use(path):
        facts = replace(facts, status="stopped")
    return Run(path, facts)
