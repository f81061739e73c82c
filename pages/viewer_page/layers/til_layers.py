"""Layers of the TIL scores: the estimated compartments, and the squares of the map.

They show the answer that the page of the TIL scores has shown last; before it has, they are not offered.
"""

from collections.abc import Mapping

from pages.shared import singletons, state
from pages.viewer_page.layers.layer import Colours, Layer, LayerRequest, Scale
from seg_core.errors import RegionError
from seg_core.picture.til_painting import (
    SQUARE_MAPS,
    colours_of_numbers,
    render_compartments,
    render_squares,
)
from seg_core.slide import SlideInfo
from seg_core.store import Run
from seg_core.til import TilResult

_KEY = "til"
_NAMES = frozenset({_KEY})


def _offered(info: SlideInfo, run: Run | None) -> bool:
    shown = state.TIL_SHOWN.get()
    if shown is None or run is None or (shown.run, shown.names) != (run.path, run.names_version):
        return False
    return singletons.scorings().find(shown.key) is not None


def _options() -> Mapping[str, str]:
    shown = state.TIL_SHOWN.get()
    return {} if shown is None else {_KEY: shown.key}


def _result(request: LayerRequest) -> TilResult:
    result = singletons.scorings().find(request.options.get(_KEY, ""))
    if result is None:
        raise RegionError("these TIL scores are no longer kept; open the page TIL score again.")
    return result


def _paint_compartments(request: LayerRequest) -> Colours:
    return render_compartments(_result(request).compartments, request.viewport)


def _paint_squares(request: LayerRequest) -> Colours:
    return render_squares(_result(request), SQUARE_MAPS["stil"], request.viewport)


COMPARTMENTS = Layer(
    name="compartments",
    label="E and S",
    title="Estimated epithelium (orange) and stroma (light blue) of the TIL scores",
    paint=_paint_compartments,
    opacity=0.35,
    finest="slide",
    offered=_offered,
    options=_options,
    option_names=_NAMES,
)

TIL_SQUARES = Layer(
    name="til-squares",
    label="TIL squares",
    title="Share of the stroma of each square that is lymphocytes (sTIL area)",
    paint=_paint_squares,
    opacity=0.5,
    finest="slide",
    scale=Scale(tuple(colours_of_numbers(9)), "0 %", "most"),
    offered=_offered,
    options=_options,
    option_names=_NAMES,
)
