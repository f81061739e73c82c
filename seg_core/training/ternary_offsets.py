"""How readily the finished network calls a pixel inside, boundary or background.

A network taught by cross entropy and Dice is not calibrated for what is made of its maps: where two
nuclei touch, an inside that is called too late joins them, and a nucleus that is found a little too
large costs PQ. Offsets of the ternary logits move these borders after the training (logit adjustment,
Menon et al. 2021, applied afterwards); they are part of the head's bias, and so cost nothing.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor

_BIAS = "ter_head.0.bias"


def with_offsets(state: Mapping[str, Tensor], offsets: Sequence[float]) -> dict[str, Tensor]:
    """Return a network's weights with offsets added to the bias of its ternary head.

    Parameters
    ----------
    state : mapping of str to Tensor
        Of a `seg_core.model.network.TwoHeadUnet`.
    offsets : sequence of float
        Of background, inside and boundary, in logits.
    """
    bias = state[_BIAS]
    return {**state, _BIAS: bias.float() + bias.new_tensor(offsets).float()}
