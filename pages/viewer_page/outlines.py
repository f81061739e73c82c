"""The outlines that the viewer draws itself when zoomed in: where they are had, and the answer."""

import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pages.shared import housekeeping, min_score, resources, shown_names
from pages.shared.tile_sources import TileSource, UnknownTileError
from pages.viewer_page.server.tile_cache import TileCache
from pages.viewer_page.server.tiles import refuse_unknown
from seg_core.picture.outline_squares import SQUARE_PX
from seg_core.store import Run

_CACHE_BYTES = 32 * 1024 * 1024

_QUERY = min_score.NAMES | shown_names.OPTIONS

_packed: TileCache[bytes] = TileCache(_CACHE_BYTES, size_of=sys.getsizeof)


def describe_outlines(run: Run, source: TileSource) -> dict[str, Any]:
    """Return what the viewer is told of a run's outlines."""
    question = run.facts.question
    settings = question.settings
    extent_um = settings.max_extent_um + 2 * settings.growth_um
    query = urlencode({**min_score.query(), **shown_names.query(run)})
    return {
        "url": f"{source.folder}nuclei/{{x}}_{{y}}.bin?{query}",
        "side": SQUARE_PX,
        # How far an outline may leave the square of its centroid, level-0 pixels.
        "reach": extent_um / question.slide_mpp,
    }


def outlines_of_square(path: Mapping[str, Any], query: Mapping[str, str]) -> bytes:
    """Return the outlines of a square of the slide, packed by `seg_core.picture.outline_squares`.

    Parameters
    ----------
    path : mapping
        ``token``, ``column`` and ``row``.
    query : mapping
        ``run``, and ``min_score`` where there is one.

    Raises
    ------
    UnknownTileError
        If no session shows such a run, or the slide has no such square.
    """
    refuse_unknown(query, _QUERY)
    run = shown_names.asked_run(path["token"], query)
    least = min_score.asked(query)
    column, row = path["column"], path["row"]
    slide = run.raster.region
    if column * SQUARE_PX >= slide.right or row * SQUARE_PX >= slide.bottom:
        raise UnknownTileError(f"The slide has no square at column {column}, row {row}.")
    return _packed.get(
        (run.path, run.names_version, least, column, row),
        lambda: resources.outline_squares(run).packed(column, row, min_score=least),
    )


def forget_outlines() -> None:
    """Pack all squares anew, for instance to measure how long that takes."""
    _packed.forget()


housekeeping.empty_when_alone(forget_outlines)
