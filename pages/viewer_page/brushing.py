"""A stroke of the brush becomes a region, is joined to one, or taken off it."""

import json
import math
from typing import Any

import shapely

from pages.shared import resources, singletons
from pages.shared.tile_sources import AddressError

MOST_BYTES = 4 * 1024 * 1024

# An edge may be so much of the radius beside where the brush has been: the eye does not see it.
_TOLERANCE = 0.03


def brushed(token: str, content: bytes) -> dict[str, Any]:
    """Return the outline of a region after a stroke.

    Parameters
    ----------
    token : str
        Of the session.
    content : bytes
        JSON, level-0 pixels: ``rings`` of the selected region, its holes after its outline, none
        where none is selected; ``line`` of the stroke, its ``radius``, and whether it is to ``erase``.

    Returns
    -------
    dict
        ``rings``, none where nothing is left, and ``joined``: whether they are those of the
        selected region, which a stroke elsewhere leaves as it is. Of a region that is cut in two
        the larger part stays.

    Raises
    ------
    UnknownTileError
        If nobody has opened this session.
    AddressError
        If what was sent is no stroke.
    """
    chosen = singletons.tile_sources().find(token).slide
    bounds = resources.slide(chosen.path, chosen.mpp).info.bounds
    try:
        if len(content) > MOST_BYTES:
            raise ValueError("too much")
        asked = json.loads(content)
        rings, line, erase = asked["rings"], asked["line"], bool(asked["erase"])
        radius = float(asked["radius"])
        region = shapely.Polygon(rings[0], rings[1:]) if rings else shapely.Polygon()
        track = shapely.LineString(line) if len(line) > 1 else shapely.Point(line[0])
        if not (0 < radius < math.inf and region.is_valid and shapely.is_valid(track)):
            raise ValueError("no stroke")
        stroke = track.buffer(radius)
    except (
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        RecursionError,
        shapely.errors.ShapelyError,
    ) as error:
        raise AddressError("What was sent is no stroke of a brush; reload the page.") from error
    stroke = stroke.intersection(shapely.box(bounds.x, bounds.y, bounds.right, bounds.bottom))
    joined = bool(region.intersects(stroke))
    if erase:
        return {"rings": _rings_of(region.difference(stroke), radius), "joined": joined}
    painted = region.union(stroke) if joined else stroke
    return {"rings": _rings_of(painted, radius), "joined": joined}


def _rings_of(shape: shapely.Geometry, radius: float) -> list[list[tuple[float, float]]]:
    parts = [each for each in shapely.get_parts(shape) if isinstance(each, shapely.Polygon)]
    if not parts or shape.is_empty:
        return []
    polygon = max(parts, key=lambda each: each.area).simplify(_TOLERANCE * radius)
    return [
        [(round(x, 2), round(y, 2)) for x, y in ring.coords[:-1]]
        for ring in (polygon.exterior, *polygon.interiors)
    ]
