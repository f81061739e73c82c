"""Draw the tile that an address asks for, unless it has been drawn lately."""

import sys
from dataclasses import dataclass

from pages.shared import housekeeping, resources, singletons
from pages.shared.tile_sources import TileSource, UnknownTileError
from pages.viewer_page.layers import Colours, LayerRequest, layer_named
from pages.viewer_page.server.tile_cache import TileCache
from pages.viewer_page.server.tiles import TILE_PX, TileRequest, viewport_of_tile
from seg_core.picture.encoding import TILE_QUALITY, encode_jpeg, encode_webp
from seg_core.slide import DeepZoom
from seg_core.store import Run

SLIDE_LAYER = "slide"

_JPEG, _WEBP = "image/jpeg", "image/webp"

_CACHE_BYTES = 96 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tile:
    """An encoded picture."""

    content: bytes
    media_type: str


_drawn: TileCache[Tile] = TileCache(
    _CACHE_BYTES, size_of=lambda tile: sys.getsizeof(tile) + sys.getsizeof(tile.content)
)


def draw_tile(request: TileRequest) -> Tile:
    """Return a tile: JPEG of the slide and of what hides it, lossless WebP of all other layers.

    Raises
    ------
    UnknownTileError
        If the address names nothing that a session has opened.
    SegCoreError
        If the slide has no such tile, or slide or run cannot be read.
    """
    source = singletons.tile_sources().find(request.token)
    run = None if request.run is None else source.run_of(request.run)
    shown = None if run is None else (run.path, run.names_version, run.maps_version)
    # Not the token: two sessions that look at the same slide share what is drawn.
    key = (
        *(source.slide, resources.changed(source.slide.path), shown),
        *(request.layer, request.level, request.column, request.row),
        *(request.shown, request.palette, request.options),
    )
    return _drawn.get(key, lambda: _draw(request, source, run))


def forget_tiles() -> None:
    """Draw all tiles anew, for instance to measure how long that takes."""
    _drawn.forget()


housekeeping.empty_when_alone(forget_tiles)


def _draw(request: TileRequest, source: TileSource, run: Run | None) -> Tile:
    slide = resources.slide(source.slide.path, source.slide.mpp)
    pyramid = DeepZoom(slide, TILE_PX)
    if request.layer == SLIDE_LAYER:
        return _jpeg(pyramid.read_tile(request.level, request.column, request.row))
    layer = layer_named(request.layer)
    if layer is None:
        raise UnknownTileError(f"There is no layer {request.layer!r}.")
    if layer.of_run and run is None:
        raise UnknownTileError("This layer shows an analysis, and the address names none.")
    viewport = viewport_of_tile(
        slide.info.bounds, pyramid.level_count, request.level, request.column, request.row
    )
    colours = layer.paint(
        LayerRequest(slide, viewport, run, request.shown, request.palette, dict(request.options))
    )
    if layer.opaque:
        return _jpeg(colours)
    return Tile(encode_webp(colours), _WEBP)


def _jpeg(rgb: Colours) -> Tile:
    return Tile(encode_jpeg(rgb, quality=TILE_QUALITY), _JPEG)
