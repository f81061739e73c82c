"""Draw the tile that an address asks for."""

from pages.shared import resources
from pages.shared.tiles import TILE_PX, TileRequest, UnknownTileError, picture_of_tile
from seg_core.export.overlay import encode_png, paint_classes, paint_ternary, sample_map
from seg_core.slide import DeepZoom

SLIDE_LAYER, CLASS_LAYER, BOUNDARY_LAYER, NUCLEUS_LAYER = "slide", "classes", "boundaries", "nuclei"


def draw_tile(request: TileRequest) -> bytes:
    """Return a tile: JPEG of the slide, PNG of an overlay.

    Raises
    ------
    UnknownTileError
        If the address names nothing that a session has opened.
    SegCoreError
        If the slide has no such tile, or slide or run cannot be read.
    """
    source = resources.tile_sources().find(request.token)
    slide = resources.slide(source.path)
    pyramid = DeepZoom(slide, TILE_PX)
    if request.layer == SLIDE_LAYER:
        return pyramid.tile(request.level, request.column, request.row)
    folder = source.run_of(request.run)
    run = resources.run(folder)
    picture = picture_of_tile(
        slide.info.bounds, pyramid.level_count, request.level, request.column, request.row
    )
    if request.layer == NUCLEUS_LAYER:
        return encode_png(resources.nucleus_painter(folder).paint(picture, request.shown))
    maps = resources.maps(folder)
    if request.layer == CLASS_LAYER:
        class_map = sample_map(maps, "class", run.raster, picture)
        return encode_png(paint_classes(class_map, run.scheme, request.shown))
    if request.layer == BOUNDARY_LAYER:
        return encode_png(paint_ternary(sample_map(maps, "ternary", run.raster, picture)))
    raise UnknownTileError(f"There is no layer {request.layer!r}.")
