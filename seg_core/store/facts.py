"""What stands in ``run.json``: the question of a run and what came of it."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from seg_core.classes import ClassScheme
from seg_core.geometry import Raster, Region
from seg_core.question import FORMAT, Question
from seg_core.roi import Roi
from seg_core.settings import AnalysisSettings
from seg_core.slide import SlideInfo, StainFit
from seg_core.slide.normalisation import stain_from_json
from seg_core.store.seal import Seal

_CHECKSUM = "checksum"

Status = Literal["running", "stopped", "failed", "finished"]


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

    feature_count: int | None = 0
    """Features of each nucleus in the table; None in a run of a version that kept none."""
    seal: Seal = field(default_factory=dict)
    """Checksums of its files, once it is finished; none in runs of earlier versions."""

    def has_arithmetic_of(self, other: "RunFacts") -> bool:
        """Tell whether one engine in one precision makes the maps of both."""
        return (self.engine, self.precision) == (other.engine, other.precision)

    def to_json(self) -> dict[str, Any]:
        """Return the facts as they stand in ``run.json``."""
        question = self.question
        entries = {
            "format": FORMAT,
            "run": question.run_id,
            "status": self.status,
            "error": self.error,
            "slide": {"id": question.slide_id, **_slide_to_json(self.slide)},
            "region": question.region.to_json(),
            "roi": None if question.roi is None else question.roi.to_json(),
            "raster": question.raster.to_json(),
            "model": question.model_to_json(),
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
            "features": self.feature_count,
            "seal": self.seal,
        }
        return {**entries, _CHECKSUM: _checksum(entries)}

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> "RunFacts":
        """Read what `to_json` gave; KeyError, TypeError or ValueError where it is not that."""
        entries = dict(entries)
        said = entries.pop(_CHECKSUM, None)
        if said != (_checksum(entries) if "seal" in entries else None):
            raise ValueError("its checksum is another")
        if entries["status"] not in get_args(Status):
            raise ValueError(f"no status is called {entries['status']!r}")
        scheme = ClassScheme.from_json(entries["classes"])
        question = Question(
            slide_id=entries["slide"]["id"],
            raster=Raster.from_json(entries["raster"]),
            region=Region(*entries["region"]),
            roi=None if entries["roi"] is None else Roi.from_json(entries["roi"]),
            model=entries["model"]["name"],
            model_sha256=entries["model"]["sha256"],
            settings=AnalysisSettings(**entries["settings"]),
            votes=scheme.votes,
            context_head=entries["model"].get("context"),
        )
        if said is None and entries["run"] != question.run_id:
            raise ValueError("it is the answer to another question")
        copied = (
            *("status", "error", "engine", "precision", "versions", "started", "finished"),
            *("seconds", "megapixels", "tissue_um2", "counts", "peak_rss_mb"),
        )
        return cls(
            question=question,
            slide=_slide_from_json(entries["slide"]),
            scheme=scheme,
            warnings=tuple(entries["warnings"]),
            stain=None if entries.get("stain") is None else stain_from_json(entries["stain"]),
            feature_count=entries.get("features"),
            seal=dict(entries.get("seal", {})),
            **{name: entries[name] for name in copied},
        )


def _checksum(entries: dict[str, Any]) -> str:
    canonical = json.dumps(entries, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _slide_to_json(info: SlideInfo) -> dict[str, Any]:
    return {
        "name": info.path.name,
        "path": str(info.path.absolute()),  # a run is read from other folders, too
        "width": info.width,
        "height": info.height,
        "mpp": info.mpp,
        "bounds": info.bounds.to_json(),
        "level_downsamples": list(info.level_downsamples),
        "objective_power": info.objective_power,
        "vendor": info.vendor,
        "notes": list(info.notes),
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
        notes=tuple(entries.get("notes", ())),
    )
