"""Layers of what the network says of each pixel."""

from collections.abc import Mapping

from pages.shared import left_out, min_score, regions, resources, singletons, state
from pages.viewer_page.layers.layer import Colours, Layer, LayerRequest, Scale
from seg_core.picture import map_painting


def _paint_classes(request: LayerRequest) -> Colours:
    # a classifier's own classes come after the model's, and the maps know nothing of them
    scheme = request.run.model_scheme.recoloured(request.palette)
    run, options = request.run, request.options
    uncounted = None
    if run.status == "finished":  # before that there are no nuclei
        least, left_out = min_score.asked(options), singletons.left_out().asked(options)
        uncounted = resources.uncounted(run, least, left_out)
    return map_painting.render_classes(
        request.maps, run.raster, request.viewport, scheme, request.shown, uncounted=uncounted
    )


def _count_options() -> Mapping[str, str]:
    """Return what decides which nuclei count, as everywhere else."""
    chosen = state.SLIDE.get()
    rois = [] if chosen is None else regions.slide_rois(chosen)
    return {**min_score.query(), **singletons.left_out().query(rois)}


def _paint_boundaries(request: LayerRequest) -> Colours:
    return map_painting.render_boundaries(request.maps, request.run.raster, request.viewport)


def _paint_score(request: LayerRequest) -> Colours:
    return map_painting.render_scores(request.maps, request.run.raster, request.viewport)


CLASSES = Layer(
    name="classes",
    label="Classes",
    title="The class the network gives to each pixel, but for nuclei that are not counted or "
    "have been given another class since. "
    "Zoomed out: the stronger the colour, the more of the area is nuclei of the class",
    paint=_paint_classes,
    opacity=0.35,
    growing_opacity=0.9,
    on=True,
    by_class=True,
    options=_count_options,
    option_names=min_score.NAMES | left_out.NAMES,
)

BOUNDARIES = Layer(
    name="boundaries",
    label="Boundaries",
    title="Rims and insides of nuclei as the network sees them",
    paint=_paint_boundaries,
    opacity=0.8,
)

SCORE = Layer(
    name="score",
    label="Score",
    title="How sure the network is of the class of a nucleus. Zoomed out: the mean of the nuclei",
    paint=_paint_score,
    opacity=0.9,
    scale=Scale(tuple(map_painting.score_colours(9)), "unsure", "sure"),
)
