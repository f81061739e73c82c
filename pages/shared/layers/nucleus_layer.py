"""The layer of the nuclei that were found."""

from pages.shared import resources
from pages.shared.layers.layer import Colours, Layer, LayerRequest


def _paint(request: LayerRequest) -> Colours:
    painter = resources.nucleus_painter(request.folder)
    return painter.paint(request.picture, request.shown, scheme=request.scheme)


NUCLEI = Layer(
    name="nuclei",
    label="Nuclei",
    title="Outlines of the nuclei that were found, coloured by class",
    paint=_paint,
    on=True,
    by_class=True,
    finest="drawn",
)
