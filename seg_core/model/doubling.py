"""The decoder as engines run it: nothing is enlarged before it is convolved.

A block of the decoder doubles the sides of what the block before it gave, by nearest neighbour,
joins it with what the encoder gives, and convolves both, 3 × 3. Of a doubled map nine weights meet
only four different pixels. Along a row, with the weights w0, w1, w2::

    before    a   b   c
    doubled   a a b b c c
                ^ ^ ^         around the first b    w0 a + (w1 + w2) b
                  ^ ^ ^       around the second     (w0 + w1) b + w2 c

So doubling and convolving are together one transposed convolution, 4 × 4 with a stride of 2, of
the map as it was (Shi et al. 2016, arXiv:1609.07009). Its answer is the same but for rounding, with
four ninths of the products, and no doubled map is written. What the encoder gives is convolved by
itself and added.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# Each row of the 4 × 4 weights is a sum of the rows of the 3 × 3 weights, and each column likewise.
_SUMMED = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))


def doubling_while_convolving(decoder: Any, channels: int) -> Any:
    """Return a copy of a decoder whose blocks double and convolve in one step.

    Parameters
    ----------
    decoder : segmentation_models_pytorch.decoders.unet.decoder.UnetDecoder
        In evaluation mode, with batch norms, which are folded into the weights, and without
        attention.
    channels : int
        Of the coarsest map, which its first block doubles.
    """
    decoder = copy.deepcopy(decoder)
    for number, block in enumerate(decoder.blocks):
        decoder.blocks[number] = DoublingBlock(block, channels)
        channels = block.conv2[0].out_channels
    return decoder


class DoublingBlock(nn.Module):
    """A block of the decoder that doubles and convolves in one step.

    Parameters
    ----------
    block : segmentation_models_pytorch.decoders.unet.decoder.UnetDecoderBlock
        In evaluation mode, with batch norms and without attention.
    channels : int
        Of what it doubles; those of its first convolution beyond them are the encoder's.
    """

    def __init__(self, block: Any, channels: int) -> None:
        super().__init__()
        joint = fuse_conv_bn_eval(block.conv1[0], block.conv1[1])
        of_doubled, of_encoder = joint.weight.split([channels, joint.in_channels - channels], dim=1)
        self.doubled = nn.ConvTranspose2d(channels, joint.out_channels, 4, stride=2, padding=1)
        self.beside = None
        with torch.no_grad():
            self.doubled.weight.copy_(doubled_weights(of_doubled))
            self.doubled.bias = joint.bias
            if of_encoder.shape[1]:
                self.beside = nn.Conv2d(
                    of_encoder.shape[1], joint.out_channels, 3, padding=1, bias=False
                )
                self.beside.weight.copy_(of_encoder)
        self.conv2 = nn.Sequential(fuse_conv_bn_eval(block.conv2[0], block.conv2[1]), nn.ReLU())

    def forward(
        self,
        feature_map: Tensor,
        target_height: int,
        target_width: int,
        skip_connection: Tensor | None = None,
    ) -> Tensor:
        """Return (N, channels given, 2 H, 2 W); called as the block it was made of.

        Parameters
        ----------
        feature_map : (N, channels, H, W)
        target_height, target_width : int
            2 H and 2 W.
        skip_connection : (N, the encoder's channels, 2 H, 2 W), optional
        """
        total = self.doubled(feature_map)
        if self.beside is not None:
            total = total + self.beside(skip_connection)
        return self.conv2(torch.relu(total))


def doubled_weights(weights: Tensor) -> Tensor:
    """Return the weights of a transposed convolution that doubles before it convolves.

    Parameters
    ----------
    weights : (O, I, 3, 3)
        Of a convolution, with zeros around, of maps doubled by nearest neighbour.

    Returns
    -------
    weights : (I, O, 4, 4)
        Of a transposed convolution of the maps as they are, with a stride of 2 and a padding of 1.
    """
    summed = torch.tensor(_SUMMED, dtype=weights.dtype)
    return torch.einsum("ar,bc,oirc->ioab", summed, summed, weights)
