"""What the viewer is told of a run: its overlays and the legend."""

import math
from dataclasses import dataclass
from typing import Any

from pages.shared.drawing import BOUNDARY_LAYER, CLASS_LAYER, NUCLEUS_LAYER
from pages.shared.tiles import TileSource
from seg_core.classes import BACKGROUND, OTHER, OTHER_COLOUR
from seg_core.geometry import Raster, Region
from seg_core.store import Run

# What is drawn anew at every size is offered up to the viewer's largest enlargement, fourfold.
_DRAWN_EXTRA_LEVELS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlay:
    """A kind of overlay, as the reader first sees it."""

    layer: str
    label: str
    title: str
    opacity: float
    on: bool = True
    by_class: bool = True
    """Single classes of it can be switched off."""

    drawn: bool = False
    """Drawn from outlines, so it has no pixels of its own."""

    def query(self, run: Run) -> str:
        """Return what its addresses end with; the viewer fills in the classes."""
        return f"?run={run.run_id}" + ("&show={show}" if self.by_class else "")

    def extra_levels(self, raster: Raster) -> int:
        """Return how many levels it goes on beyond the slide's own pixels."""
        if self.drawn:
            return _DRAWN_EXTRA_LEVELS
        return max(0, math.ceil(-math.log2(raster.downsample)))


_OVERLAYS = (
    _Overlay(
        layer=CLASS_LAYER,
        label="Classes",
        title="The class the network gives to each pixel",
        opacity=0.35,
    ),
    _Overlay(
        layer=BOUNDARY_LAYER,
        label="Boundaries",
        title="Rims and insides of nuclei as the network sees them",
        opacity=0.8,
        on=False,
        by_class=False,
    ),
    _Overlay(
        layer=NUCLEUS_LAYER,
        label="Nuclei",
        title="Outlines of the nuclei that were found, coloured by class",
        opacity=1.0,
        drawn=True,
    ),
)
"""From the lowest to the topmost."""


def overlays_of(run: Run, source: TileSource) -> list[dict[str, Any]]:
    """Return the overlays of a run, and let the session's token show it."""
    source.runs[run.run_id] = run.path
    return [
        {
            "id": each.layer,
            "label": each.label,
            "title": each.title,
            "url": source.address(each.layer, "png") + each.query(run),
            "extraLevels": each.extra_levels(run.raster),
            "bounds": rectangle(run.region),
            "on": each.on,
            "opacity": each.opacity,
        }
        for each in _OVERLAYS
    ]


def legend_of(run: Run) -> list[dict[str, Any]]:
    """Return the classes of a run; *other* comes last and is hidden until asked for."""
    counts = run.facts.counts
    named = [
        {"id": c.id, "name": c.name, "colour": c.colour, "count": counts.get(c.name, 0), "on": True}
        for c in run.scheme.classes
    ]
    other = {"id": BACKGROUND, "name": OTHER, "colour": OTHER_COLOUR}
    return [*named, {**other, "count": counts.get(OTHER, 0), "on": False}]


def rectangle(region: Region) -> dict[str, int]:
    """Return a region as the viewer reads it, level-0 pixels."""
    return {"x": region.x, "y": region.y, "width": region.width, "height": region.height}
