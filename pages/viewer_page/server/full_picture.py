"""A part of the slide with the layers that are switched on, in full resolution."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO

from pages.shared import resources, singletons
from pages.shared.tile_sources import AddressError, TileSource, UnknownTileError
from pages.viewer_page.layers import LAYERS, Colours, Layer, LayerRequest, layer_named
from pages.viewer_page.server.tiles import query_of
from seg_core.geometry import Region
from seg_core.picture.slide_overlay import write_png_of_layers
from seg_core.picture.viewport import Viewport
from seg_core.slide import Slide

_OWN = frozenset({"region", "layers"})
_OPTIONS = frozenset().union(*(layer.option_names for layer in LAYERS))


class AskerGoneError(Exception):
    """Whoever asked for a picture has left before it was drawn."""


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """What the address of a picture says."""

    token: str
    region: Region
    """Level-0 pixels."""

    layers: tuple[tuple[Layer, float], ...]
    """What lies over the slide, with opacities, from below."""

    run: str | None
    shown: frozenset[int]
    palette: str
    options: tuple[tuple[str, str], ...]


def picture_request(token: str, query: Mapping[str, str]) -> PictureRequest:
    """Return what the query of an address says.

    Parameters
    ----------
    token : str
        Of the session.
    query : mapping
        ``region`` is x, y, width and height, level-0 pixels; ``layers`` are names with opacities,
        ``classes:0.35,nuclei:1``, each once; the rest as in the addresses of tiles.

    Raises
    ------
    AddressError
        If the query says what no page does.
    UnknownTileError
        If there is no such region, layer or palette.
    """
    rest = {name: value for name, value in query.items() if name not in _OWN}
    said = query_of(rest, _OPTIONS)
    region = _region_of(query.get("region", ""))
    return PictureRequest(token, region, _layers_of(query.get("layers", "")), *said)


def draw_full_picture(asked: PictureRequest, file: IO[bytes], is_gone: Callable[[], bool]) -> None:
    """Write a PNG. The largest takes 200 MB while it is drawn: one after the other.

    Parameters
    ----------
    asked : PictureRequest
    file : binary file
    is_gone : callable
        Asked now and then; True ends the drawing.

    Raises
    ------
    AskerGoneError
        If ``is_gone``.
    UnknownTileError
        If the address names nothing that a session has opened.
    SegCoreError
        If the region lies outside the slide, or slide or run cannot be read.
    """
    source = singletons.tile_sources().find(asked.token)
    slide = resources.slide(source.slide.path, source.slide.mpp)
    region = slide.info.bounds.intersection(asked.region)
    if region is None:
        raise UnknownTileError("The slide has nothing there.")
    request = _layer_request(slide, source, asked)
    layers = [layer for layer, _ in asked.layers]
    if request.shown_run is None and any(layer.of_run for layer in layers):
        raise UnknownTileError("These layers show an analysis, and the address names none.")
    painters = [(partial(_paint, layer, request), opacity) for layer, opacity in asked.layers]

    def go_on() -> None:
        if is_gone():
            raise AskerGoneError

    go_on()
    legend = _legend_of(request, layers)
    write_png_of_layers(slide, region, painters, legend, file, go_on)


def _layer_request(slide: Slide, source: TileSource, asked: PictureRequest) -> LayerRequest:
    shown_run = None if asked.run is None else source.run_of(asked.run)
    whole = Viewport(0, 0, 1, 1, 1)
    return LayerRequest(slide, whole, shown_run, asked.shown, asked.palette, dict(asked.options))


def _paint(layer: Layer, request: LayerRequest, viewport: Viewport) -> Colours:
    return layer.paint(request.at(viewport))


def _region_of(text: str) -> Region:
    try:
        x, y, width, height = map(int, text.split(","))
    except ValueError:
        raise UnknownTileError(f"A region is x,y,width,height, not {text[:60]!r}.") from None
    return Region(x, y, width, height)


def _layers_of(text: str) -> tuple[tuple[Layer, float], ...]:
    layers: list[tuple[Layer, float]] = []
    for each in filter(None, text.split(",")):
        name, _, opacity = each.partition(":")
        layer = layer_named(name)
        try:
            strength = float(opacity)
        except ValueError:
            strength = -1.0
        if layer is None or not 0 <= strength <= 1:
            raise UnknownTileError(f"There is no layer {each[:40]!r}; say for instance nuclei:0.8.")
        if any(layer is other for other, _ in layers):
            raise AddressError(f"The layer {name!r} is named twice; name each once.")
        layers.append((layer, strength))
    return tuple(layers)


def _legend_of(request: LayerRequest, layers: list[Layer]) -> list[tuple[str, str]]:
    if not any(layer.by_class for layer in layers):
        return []
    scheme = request.scheme
    names = [scheme.name_of(each) for each in sorted(request.shown)]
    return [(name, scheme.colours[name]) for name in names]
