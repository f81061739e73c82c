"""All layers. To add one, write a `Layer` in a module of its own and name it here."""

from pages.viewer_page.layers.evaluation_layers import EVALUATION_LAYERS
from pages.viewer_page.layers.layer import Layer
from pages.viewer_page.layers.map_layers import BOUNDARIES, CLASSES, SCORE
from pages.viewer_page.layers.nucleus_layer import NUCLEI
from pages.viewer_page.layers.slide_layers import EOSIN, FLAWS, HAEMATOXYLIN, NORMALISED, TISSUE
from pages.viewer_page.layers.til_layers import COMPARTMENTS, TIL_SQUARES

LAYERS: tuple[Layer, ...] = (
    NORMALISED,
    HAEMATOXYLIN,
    EOSIN,
    TISSUE,
    FLAWS,
    COMPARTMENTS,
    TIL_SQUARES,
    CLASSES,
    SCORE,
    BOUNDARIES,
    NUCLEI,
    *EVALUATION_LAYERS,
)
"""From the lowest to the topmost."""

_BY_NAME = {each.name: each for each in LAYERS}


def layer_named(name: str) -> Layer | None:
    """Return a layer by the name in its addresses."""
    return _BY_NAME.get(name)
