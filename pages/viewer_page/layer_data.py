"""What the viewer is told of layers and classes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from pages.shared import min_score, palettes, resources, shown_names
from pages.shared.tile_sources import TileSource
from pages.viewer_page.layers import LAYERS, Layer
from pages.viewer_page.outlines import describe_outlines
from seg_core.classes import OTHER
from seg_core.geometry import Region
from seg_core.roi import Roi
from seg_core.scoring import counted_of
from seg_core.slide import SlideInfo
from seg_core.store import Run

# What is drawn anew at every size is offered up to the viewer's largest enlargement, fourfold.
_DRAWN_EXTRA_LEVELS = 2


def layers_of(info: SlideInfo, run: Run | None, source: TileSource) -> list[dict[str, Any]]:
    """Return the layers offered on a slide, and let the session's token show the run."""
    if run is not None:
        source.runs[run.run_id] = run
    return [_describe(each, info, run, source) for each in LAYERS if each.offered(info, run)]


def legend_of(run: Run, rois: Sequence[Roi] = ()) -> list[dict[str, Any]]:
    """Return what nuclei of a run can be called, with how many count; *other* is hidden at first."""
    scheme = palettes.scheme_of(run)
    if run.status != "finished":  # nothing is counted yet
        return [
            {"id": each.id, "name": each.name, "colour": scheme.colours[each.name], "on": True}
            for each in scheme.classes
        ]
    least = min_score.chosen()
    counted = counted_of(run, rois, other=True, min_score=least)
    counts = resources.counts(run, least, counted.part)
    return [
        {
            "id": scheme.id_of(name),
            "name": name,
            "colour": scheme.colours[name],
            "count": counts.get(name, 0),
            "on": name != OTHER,
        }
        for name in scheme.counted_names(other=True, uncertain=least > 0)
    ]


def legend_note(run: Run, rois: Sequence[Roi]) -> str | None:
    """Return what stands below the legend: what its numbers leave out, as on the Nuclei page."""
    if run.status != "finished":
        return "What is looked at so far; nuclei are counted at the end."
    note = counted_of(run, rois).left_out_in_words()
    return " ".join(filter(None, [note, min_score.note()])) or None


def rectangle(region: Region) -> dict[str, int]:
    """Return a region as the viewer reads it, level-0 pixels."""
    return {"x": region.x, "y": region.y, "width": region.width, "height": region.height}


def _describe(layer: Layer, info: SlideInfo, run: Run | None, source: TileSource) -> dict[str, Any]:
    shown_run = run if layer.of_run else None
    return {
        "id": layer.name,
        "label": layer.label,
        "title": layer.title,
        "url": source.address(layer.name, "jpg" if layer.opaque else "webp")
        + _query(layer, shown_run, layer.options()),
        "byClass": layer.by_class,
        "opaque": layer.opaque,
        "extraLevels": _extra_levels(layer, shown_run),
        "bounds": rectangle(info.bounds if shown_run is None else shown_run.region),
        "on": layer.on,
        "opacity": _opacity(layer, shown_run),
        "outlines": describe_outlines(run, source) if layer.outlines and run else None,
        "scale": None
        if layer.scale is None
        else {
            "colours": list(layer.scale.colours),
            "low": layer.scale.low,
            "high": layer.scale.high,
        },
    }


def _opacity(layer: Layer, run: Run | None) -> float:
    grows = run is not None and run.status != "finished"
    return layer.growing_opacity or layer.opacity if grows else layer.opacity


def _query(layer: Layer, run: Run | None, options: Mapping[str, str]) -> str:
    """Return what a layer's addresses end with; the viewer fills in the classes."""
    fixed = dict(options)
    if run is not None:
        fixed |= shown_names.query(run)
    if layer.by_class:
        fixed["palette"] = palettes.chosen()
    query = urlencode(sorted(fixed.items()))
    if layer.by_class:
        query += "&show={show}"
    return f"?{query}" if query else ""


def _extra_levels(layer: Layer, run: Run | None) -> int:
    """Return how many levels a layer goes on beyond the slide's own pixels."""
    if layer.finest == "drawn":
        return _DRAWN_EXTRA_LEVELS
    if layer.finest == "maps" and run is not None:
        return max(0, math.ceil(-math.log2(run.raster.downsample)))
    return 0
