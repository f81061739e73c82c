"""The question a run answers: slide, region, model and settings. Its hash names the run."""

import hashlib
import json
from dataclasses import asdict, dataclass

import shapely

from seg_core.classes import VoteWeight
from seg_core.geometry import Raster, Region, Window
from seg_core.roi import Roi, roi_of_region
from seg_core.settings import AnalysisSettings

FORMAT = 1
"""Version of what stands in a run folder; part of the run id, so formats never meet."""


@dataclass(frozen=True, slots=True)
class Question:
    """Slide, region, model and settings of a run; equal questions have the same run id."""

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

    votes: tuple[VoteWeight, ...] | None = None
    """What calibrates the votes of the model's classes, where its card does."""

    context_head: str | None = None
    """Checksum of what names the model's nuclei by what is around them, where it has such a head."""

    @property
    def run_id(self) -> str:
        """Sixteen hexadecimal digits; the names of the model and of the ROI do not matter."""
        polygon = None if self.roi is None else shapely.normalize(self.roi.polygon)
        asked = {
            "format": FORMAT,
            "raster": self.raster.to_json(),
            "region": self.region.to_json(),
            "roi": None if polygon is None else polygon.wkb_hex,
            "model": self.model_sha256,
            "settings": self.settings.to_json(),
            **({} if self.votes is None else {"votes": [asdict(each) for each in self.votes]}),
            **({} if self.context_head is None else {"context_head": self.context_head}),
        }
        canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def model_to_json(self) -> dict[str, str]:
        """Return what files say of the model: its name, its weights and, where it has one, its head."""
        return model_to_json(self.model, self.model_sha256, self.context_head)

    @property
    def naming(self) -> str:
        """What names the model's nuclei beside its weights; see `naming_of`."""
        return naming_of(self.votes, self.context_head)

    @property
    def window(self) -> Window:
        """The region in pixels of the raster."""
        return self.raster.window_of(self.region)

    @property
    def slide_mpp(self) -> float:
        """Size of a level-0 pixel, µm."""
        return self.raster.slide_mpp

    @property
    def area_um2(self) -> float:
        """Area of the region, or of what the ROI covers of it."""
        polygon = roi_of_region(self.region).polygon
        if self.roi is not None:
            polygon = polygon.intersection(self.roi.polygon)
        return float(polygon.area * self.slide_mpp**2)


def naming_of(votes: tuple[VoteWeight, ...] | None, context_head: str | None) -> str:
    """Return sixteen hexadecimal digits that tell apart how the same weights' nuclei are named."""
    said = {"votes": votes and [asdict(each) for each in votes], "context": context_head}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def model_to_json(name: str, sha256: str, context_head: str | None) -> dict[str, str]:
    """Return what files say of a model, by the checksums of its weights and of its head."""
    head = {} if context_head is None else {"context": context_head}
    return {"name": name, "sha256": sha256, **head}
