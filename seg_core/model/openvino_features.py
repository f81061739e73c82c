"""Features of nuclei out of a graph of OpenVINO, found by its structure.

The names in a graph come from whoever converted it, and a quantised one has nodes of its own in
between. What does not change is that a block of the decoder enlarges what the block before it gave,
by a transposed convolution, and adds to it a convolution of what the encoder gives. So a graph that
ships, in whatever precision, needs no making anew.
"""

import openvino as ov
from openvino import opset13 as operations

from seg_core.errors import ModelError
from seg_core.model.features import FEATURE_BLOCK

_ENLARGEMENT, _SUM, _CONVOLUTION = "ConvolutionBackpropData", "Add", "Convolution"
_QUANTISATION = "FakeQuantize"


def described(model: ov.Model, blocks: int) -> ov.Model:
    """Return a copy of a graph that gives features as its second output.

    Parameters
    ----------
    model : openvino.Model
        From tiles to logits.
    blocks : int
        Of the decoder.

    Returns
    -------
    model : openvino.Model
        The second output is (N, F, H / 4, W / 4) float16; see
        `seg_core.model.features.DescribedTile`.

    Raises
    ------
    ModelError
        If the graph has not the decoder that its card describes.
    """
    model = model.clone()
    enlargements = [
        node for node in model.get_ordered_ops() if node.get_type_name() == _ENLARGEMENT
    ]
    if len(enlargements) != blocks:
        raise ModelError(
            f"the graph enlarges {len(enlargements)} times by transposed convolutions, the decoder in "
            f"its card {blocks} times; if an earlier version has quantised it, make it anew with "
            "python -m seg_core quantise, or choose another precision."
        )
    # the block after it begins with the enlargement of its output
    given = enlargements[FEATURE_BLOCK + 1].input_value(0)
    taken = _convolved_beside(enlargements[FEATURE_BLOCK]).input_value(0)
    both = operations.concat([taken, given], axis=1)
    model.add_outputs([operations.convert(both, "f16").output(0)])
    return model


def _convolved_beside(enlargement: ov.Node) -> ov.Node:
    """Return the convolution whose answer is added to that of an enlargement.

    A bias may be added before.
    """
    node = enlargement
    while True:
        (target,) = node.output(0).get_target_inputs()
        node = target.get_node()
        if node.get_type_name() == _SUM:
            for place in (0, 1):
                source = _before_quantisation(node.input_value(place).get_node())
                if source.get_type_name() == _CONVOLUTION:
                    return source


def _before_quantisation(node: ov.Node) -> ov.Node:
    """Return what is quantised here, where it is."""
    while node.get_type_name() == _QUANTISATION:
        node = node.input_value(0).get_node()
    return node
