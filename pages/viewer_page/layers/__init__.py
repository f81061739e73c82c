"""The layers of the viewer; see `layer` for what one is and `registry` for how to add one."""

from pages.viewer_page.layers.layer import Colours, Layer, LayerRequest, Scale
from pages.viewer_page.layers.registry import LAYERS, layer_named

__all__ = ["LAYERS", "Colours", "Layer", "LayerRequest", "Scale", "layer_named"]
