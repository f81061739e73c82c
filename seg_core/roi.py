"""What a person draws on a slide."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import shapely
import shapely.affinity

from seg_core.errors import RegionError
from seg_core.geometry import Region

RoiKind = Literal["include", "tumour", "exclude"]

CLASS_OF_KIND: dict[RoiKind, str] = {"tumour": "Tumor", "exclude": "Ignore*"}
"""QuPath's own class for the same thing, which it keeps where it forgets the kind."""


@dataclass(frozen=True)
class Roi:
    """A named polygon in level-0 pixels; statistics count the nuclei whose centroid is in it.

    What does not change which nuclei it holds, the last three, makes no other ROI of it.

    Attributes
    ----------
    name : str
    polygon : shapely.Polygon
    kind : str
        *include*; *tumour*, which counts as well and says where TIL scores look for epithelium and
        stroma (`seg_core.til.Tumour`); or *exclude* for what is not to count.
    roi_id : str
        Stays when it is renamed or drawn anew; empty where nobody gave one.
    class_name : str
        What a person or another program says it shows; empty where nobody did.
    colour : str
        Of its class, ``#rrggbb``; empty where nobody chose one.
    """

    name: str
    polygon: shapely.Polygon
    kind: RoiKind = "include"
    roi_id: str = field(default="", compare=False)
    class_name: str = field(default="", compare=False)
    colour: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(RoiKind):
            raise RegionError(
                f"the ROI {self.name!r} is of kind {str(self.kind)[:40]!r}; "
                f"choose one of {', '.join(get_args(RoiKind))}."
            )
        if not isinstance(self.polygon, shapely.Polygon) or self.polygon.area <= 0:
            raise RegionError(f"the ROI {self.name!r} encloses no area; draw it again.")
        if not self.polygon.is_valid:
            raise RegionError(
                f"the outline of the ROI {self.name!r} crosses itself; draw it again."
            )

    def moved(self, x: float, y: float) -> "Roi":
        """Return the ROI by so many pixels further to the right and down.

        Files count from the corner of a slide's bounds, as QuPath does; here pixels are counted
        from the corner of the slide.
        """
        return replace(self, polygon=shapely.affinity.translate(self.polygon, x, y))

    @property
    def counts(self) -> bool:
        """Whether what lies in it counts."""
        return self.kind != "exclude"

    @property
    def region(self) -> Region:
        """The bounding box in whole level-0 pixels."""
        x0, y0, x1, y1 = self.polygon.bounds
        left, top = int(np.floor(x0)), int(np.floor(y0))
        return Region(left, top, int(np.ceil(x1)) - left, int(np.ceil(y1)) - top)

    def to_json(self) -> dict[str, Any]:
        """Return the ROI as it stands in ``run.json``."""
        geometry = shapely.geometry.mapping(self.polygon)
        return {"name": self.name, "kind": self.kind, "geometry": geometry}

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> "Roi":
        """Read what `to_json` gave."""
        return cls(entries["name"], shapely.geometry.shape(entries["geometry"]), entries["kind"])


def roi_of_region(region: Region, name: str = "region") -> Roi:
    """Return a rectangle as a ROI."""
    return Roi(name, shapely.box(region.x, region.y, region.right, region.bottom))


def included(rois: Sequence[Roi], whole: Region) -> list[Roi]:
    """Return what is to be looked at: the ROIs less those that say what to leave out.

    Parameters
    ----------
    rois : sequence of Roi
    whole : Region
        What is meant where none says what to include.

    Raises
    ------
    RegionError
        If nothing is left.
    """
    excluded = shapely.union_all([roi.polygon for roi in rois if not roi.counts])
    wanted = [roi for roi in rois if roi.counts] or [roi_of_region(whole, "slide")]
    if excluded.is_empty:
        return wanted
    left = []
    for roi in wanted:
        parts = [
            part
            for part in shapely.get_parts(roi.polygon.difference(excluded))
            if isinstance(part, shapely.Polygon) and part.area > 0
        ]
        left += [
            replace(
                roi, name=roi.name if len(parts) == 1 else f"{roi.name} ({number})", polygon=part
            )
            for number, part in enumerate(parts, start=1)
        ]
    if not left:
        raise RegionError("all that was drawn is to be left out as well; draw something else.")
    return left
