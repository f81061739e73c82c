"""Layers of what became of nuclei beside a reference, as the page Evaluate has measured it.

They are offered where an evaluation of the run shown is kept.
"""

from collections.abc import Mapping
from functools import partial

from pages.shared import evaluations, resources, singletons, state
from pages.viewer_page.layers.layer import Colours, Layer, LayerRequest
from seg_core.errors import RegionError
from seg_core.evaluation.area_scores import FOUND, MISSED, SPURIOUS, WRONG_CLASS
from seg_core.slide import SlideInfo
from seg_core.store import Run

_KEY = "evaluation"


def _offered(info: SlideInfo, run: Run | None) -> bool:
    return run is not None and evaluations.shown_key(run) is not None


def _options() -> Mapping[str, str]:
    shown = state.EVALUATED.get()
    return {} if shown is None or shown.key is None else {_KEY: shown.key}


def _paint(outcome: str, request: LayerRequest) -> Colours:
    file = singletons.evaluation_files().find(request.options.get(_KEY, ""))
    if file is None or not file.is_file():
        raise RegionError("this evaluation is no longer kept; open the page Evaluate again.")
    painter = resources.outcome_painter(file)
    return painter.paint(request.viewport, {evaluations.OUTCOME_SCHEME.id_of(outcome)})


def _layer(outcome: str, title: str) -> Layer:
    return Layer(
        name=outcome.replace(" ", "-"),
        label=outcome.capitalize(),
        title=title,
        paint=partial(_paint, outcome),
        finest="drawn",
        offered=_offered,
        options=_options,
        option_names=frozenset({_KEY}),
    )


EVALUATION_LAYERS = (
    _layer(FOUND, "Green: nuclei of the reference that were found, with their class"),
    _layer(MISSED, "Red: nuclei of the reference that were not found"),
    _layer(SPURIOUS, "Yellow: what was called a nucleus and is none in the reference"),
    _layer(WRONG_CLASS, "Violet: nuclei that were found and are called something else"),
)
