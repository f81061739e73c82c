"""A run: what was asked, what came of it, and the folder where it is kept.

A run lies in ``<store>/<slide id>/<run id>/``. The run id is made of the question, so the same
question finds the same run: one that is finished answers at once, one that is not goes on.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import platformdirs
import shapely

from seg_core.classes import ClassScheme
from seg_core.errors import SegCoreError, StoreError
from seg_core.files.lease import is_held
from seg_core.files.stored import store_errors, write_json
from seg_core.geometry import Raster, Region, Window
from seg_core.roi import Roi, roi_of_region
from seg_core.settings import AnalysisSettings
from seg_core.slide import SlideInfo, StainFit
from seg_core.slide.normalisation import stain_from_json
from seg_core.store.catalog import NucleusCatalog
from seg_core.store.maps import RunMaps
from seg_core.store.nuclei_file import iterate_nuclei, read_nuclei

_log = logging.getLogger(__name__)

FORMAT = 1
"""Version of what stands in a run folder; part of the run id, so formats never meet."""

STORE_VARIABLE = "SEG_STORE"
"""Environment variable that names the store where nobody chooses one."""

Status = Literal["running", "stopped", "failed", "finished"]

RUN_FILE, MAPS_FOLDER, NUCLEI_FILE = "run.json", "maps.zarr", "nuclei.parquet"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a slide; the same question has the same run id."""

    slide_id: str

    raster: Raster
    """Over the whole slide, at the model's mpp."""

    region: Region
    """The part that is analysed, level-0 pixels; the bounding box of the ROI where there is one."""

    roi: Roi | None
    """Nuclei are those whose centroid it holds; None: those of the region."""

    model: str
    model_sha256: str

    settings: AnalysisSettings

    @property
    def run_id(self) -> str:
        """Sixteen hexadecimal digits; the names of the model and of the ROI do not matter."""
        polygon = None if self.roi is None else shapely.normalize(self.roi.polygon)
        asked = {
            "format": FORMAT,
            "raster": _raster_to_json(self.raster),
            "region": _rectangle_to_json(self.region),
            "roi": None if polygon is None else polygon.wkb_hex,
            "model": self.model_sha256,
            "settings": self.settings.to_json(),
        }
        canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    @property
    def window(self) -> Window:
        """The region in pixels of the raster."""
        return self.raster.window_of(self.region)

    @property
    def slide_mpp(self) -> float:
        """Size of a level-0 pixel, µm."""
        return self.raster.mpp / self.raster.downsample

    @property
    def area_um2(self) -> float:
        """Area of the region, or of what the ROI covers of it."""
        polygon = roi_of_region(self.region).polygon
        if self.roi is not None:
            polygon = polygon.intersection(self.roi.polygon)
        return float(polygon.area * self.slide_mpp**2)

    def folder(self, store: Path) -> Path:
        """Return where the run lies in a store."""
        return store / self.slide_id / self.run_id


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What stands in ``run.json``; enough to read a run without its slide and its model."""

    question: Question
    slide: SlideInfo
    scheme: ClassScheme
    status: Status

    engine: str
    precision: str
    """Really used; the settings may say *auto*."""

    versions: dict[str, str]
    """Of the packages that a figure may depend on."""

    started: str
    """First start, ISO 8601 with time zone."""

    finished: str | None = None

    seconds: float = 0.0
    """Of work; the time between a stop and going on is not counted."""

    megapixels: float = 0.0
    """Size of the analysed window at the model's mpp."""

    tissue_um2: float = 0.0
    """Tissue in the ROI or region; all of it when the analysis did not look for tissue."""

    counts: dict[str, int] = field(default_factory=dict)
    """Nuclei by class, *other* included."""

    warnings: tuple[str, ...] = ()

    stain: StainFit | None = None
    """What the slide's stain is like, where its colours were normalised."""

    error: str | None = None
    """Why the run failed."""

    peak_rss_mb: float | None = None
    """Largest resident memory of the process until then; None where it cannot be had."""

    def to_json(self) -> dict[str, Any]:
        """Return the facts as they stand in ``run.json``."""
        question = self.question
        return {
            "format": FORMAT,
            "run": question.run_id,
            "status": self.status,
            "error": self.error,
            "slide": {"id": question.slide_id, **_slide_to_json(self.slide)},
            "region": _rectangle_to_json(question.region),
            "roi": None if question.roi is None else _roi_to_json(question.roi),
            "raster": _raster_to_json(question.raster),
            "model": {"name": question.model, "sha256": question.model_sha256},
            "classes": self.scheme.to_json(),
            "engine": self.engine,
            "precision": self.precision,
            "settings": question.settings.to_json(),
            "stain": None if self.stain is None else self.stain.to_json(),
            "versions": self.versions,
            "started": self.started,
            "finished": self.finished,
            "seconds": self.seconds,
            "megapixels": self.megapixels,
            "area_um2": question.area_um2,
            "tissue_um2": self.tissue_um2,
            "counts": self.counts,
            "warnings": list(self.warnings),
            "peak_rss_mb": self.peak_rss_mb,
        }

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> "RunFacts":
        """Read what `to_json` gave; KeyError, TypeError or ValueError where it is not that."""
        question = Question(
            slide_id=entries["slide"]["id"],
            raster=_raster_from_json(entries["raster"]),
            region=Region(*entries["region"]),
            roi=None if entries["roi"] is None else _roi_from_json(entries["roi"]),
            model=entries["model"]["name"],
            model_sha256=entries["model"]["sha256"],
            settings=AnalysisSettings(**entries["settings"]),
        )
        copied = (
            *("status", "error", "engine", "precision", "versions", "started", "finished"),
            *("seconds", "megapixels", "tissue_um2", "counts", "peak_rss_mb"),
        )
        return cls(
            question=question,
            slide=_slide_from_json(entries["slide"]),
            scheme=ClassScheme.from_json(entries["classes"]),
            warnings=tuple(entries["warnings"]),
            stain=None if entries.get("stain") is None else stain_from_json(entries["stain"]),
            **{name: entries[name] for name in copied},
        )


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the store, as it was when it was opened.

    Attributes
    ----------
    path : Path
        Its folder.
    facts : RunFacts
    """

    path: Path
    facts: RunFacts

    @property
    def run_id(self) -> str:
        """Name of the run's folder."""
        return self.facts.question.run_id

    @property
    def status(self) -> Status:
        """Only a *finished* run has nuclei; the others go on when the same is asked again."""
        return self.facts.status

    @property
    def slide_path(self) -> Path:
        """Where the slide was when it was analysed."""
        return self.facts.slide.path

    @property
    def scheme(self) -> ClassScheme:
        """Names and colours of the model's classes."""
        return self.facts.scheme

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

    def maps(self) -> RunMaps:
        """Open the maps, as far as they are there; windows are pixels of `raster`."""
        return RunMaps(self.path / MAPS_FOLDER)

    def nuclei(self) -> gpd.GeoDataFrame:
        """Read the table of all nuclei, *other* included, with geometry in level-0 pixels."""
        return read_nuclei(self._nuclei_file())

    def nuclei_in_parts(self) -> Iterator[gpd.GeoDataFrame]:
        """Read the same table in one or more parts; for runs that do not fit into memory."""
        return iterate_nuclei(self._nuclei_file())

    def catalog(self) -> NucleusCatalog:
        """Open the same table for questions that DuckDB answers without reading all of it."""
        return NucleusCatalog(self._nuclei_file(), self.scheme)

    def _nuclei_file(self) -> Path:
        if self.status != "finished":
            raise StoreError(
                f"the run {self.run_id} of {self.slide_path.name} is {self.status} and has no "
                "nuclei yet; start the same analysis again, it goes on where it stopped."
            )
        return self.path / NUCLEI_FILE


def default_store() -> Path:
    """Return ``SEG_STORE``, else a folder among the user's data."""
    chosen = os.environ.get(STORE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_data_path("seg_core", False) / "runs"


def open_run(path: Path) -> Run:
    """Open a run folder.

    A run that says *running* while no process holds its lock was killed: it is *stopped*.

    Raises
    ------
    StoreError
        If the folder holds no run, or one of another version of this program.
    """
    path = Path(path)
    with store_errors(path):
        if not (path / RUN_FILE).is_file():
            raise StoreError(f"there is no run in {path}; give the folder that analyse has named.")
        text = (path / RUN_FILE).read_text("utf-8")
    try:
        entries = json.loads(text)
        if entries["format"] != FORMAT:
            raise StoreError(
                f"the run {path} was written by another version of this program "
                f"(format {entries['format']}, this one reads {FORMAT}); analyse the slide again."
            )
        facts = RunFacts.from_json(entries)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{RUN_FILE} in {path} is damaged ({error!r}); remove the folder and analyse again."
        ) from error
    if facts.status == "running" and not is_held(path):
        facts = replace(facts, status="stopped")
    return Run(path, facts)


def runs_of(store: Path, slide_id: str) -> list[Run]:
    """Return the runs of a slide, the latest first; damaged ones are left out and logged."""
    runs = []
    for file in sorted((store / slide_id).glob(f"*/{RUN_FILE}")):
        try:
            runs.append(open_run(file.parent))
        except SegCoreError:
            _log.warning("a run is damaged and left out", extra={"run": file.parent.name})
    return sorted(runs, key=lambda run: run.facts.started, reverse=True)


def write_facts(folder: Path, facts: RunFacts) -> Run:
    """Write ``run.json`` and return the run as it now is.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    with store_errors(folder):
        write_json(folder / RUN_FILE, facts.to_json())
    return Run(folder, facts)


def _rectangle_to_json(region: Region) -> list[int]:
    return [region.x, region.y, region.width, region.height]


def _raster_to_json(raster: Raster) -> dict[str, Any]:
    return {
        "region": _rectangle_to_json(raster.region),
        "mpp": raster.mpp,
        "downsample": raster.downsample,
    }


def _raster_from_json(entries: dict[str, Any]) -> Raster:
    return Raster(Region(*entries["region"]), entries["mpp"], entries["downsample"])


def _roi_to_json(roi: Roi) -> dict[str, Any]:
    return {"name": roi.name, "kind": roi.kind, "geometry": shapely.geometry.mapping(roi.polygon)}


def _roi_from_json(entries: dict[str, Any]) -> Roi:
    return Roi(entries["name"], shapely.geometry.shape(entries["geometry"]), entries["kind"])


def _slide_to_json(info: SlideInfo) -> dict[str, Any]:
    return {
        "name": info.path.name,
        "path": str(info.path),
        "width": info.width,
        "height": info.height,
        "mpp": info.mpp,
        "bounds": _rectangle_to_json(info.bounds),
        "level_downsamples": list(info.level_downsamples),
        "objective_power": info.objective_power,
        "vendor": info.vendor,
    }


def _slide_from_json(entries: dict[str, Any]) -> SlideInfo:
    return SlideInfo(
        path=Path(entries["path"]),
        width=entries["width"],
        height=entries["height"],
        mpp=entries["mpp"],
        level_downsamples=tuple(entries["level_downsamples"]),
        vendor=entries["vendor"],
        objective_power=entries["objective_power"],
        bounds=Region(*entries["bounds"]),
    )
