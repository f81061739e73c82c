"""The layer of the nuclei that were found."""

from pages.shared import min_score, resources
from pages.viewer_page.layers.layer import Colours, Layer, LayerRequest, has_nuclei


def _paint(request: LayerRequest) -> Colours:
    painter = resources.nucleus_painter(request.run)
    return painter.paint(
        request.viewport,
        request.shown,
        scheme=request.scheme,
        min_score=min_score.asked(request.options),
    )


NUCLEI = Layer(
    name="nuclei",
    label="Nuclei",
    title="Outlines of the nuclei that were found, coloured by class",
    paint=_paint,
    on=True,
    by_class=True,
    finest="drawn",
    outlines=True,
    offered=has_nuclei,
    options=min_score.query,
    option_names=min_score.NAMES,
)
