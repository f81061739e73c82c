"""A trained network as a second teacher beside the labels, of a pupil with any encoder.

Answers alone teach a network with random weights slowly. Pupil and teacher have decoders of the
same widths, so the teacher can also say what each block of it should give on the way (the hints of
Romero et al. 2015, here without the adapters they need), and can hand its own blocks over.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from seg_core.errors import SettingsError
from seg_core.model.card import find_model
from seg_core.model.network import TwoHeadUnet, load_network
from seg_core.training.config import TrainConfig
from seg_core.training.losses import distillation_loss, hint_loss


class Teacher:
    """A trained network that answers the crops of a run as a second truth."""

    def __init__(self, config: TrainConfig) -> None:
        card, weights = find_model(config.distil.teacher)
        self.network = load_network(card, weights).to(memory_format=torch.channels_last)
        self._config = config.distil
        self._blocks = BlockOutputs(self.network) if config.distil.hints else None
        # crops come normalised for the pupil
        own_mean, own_std = _planes(config.mean), _planes(config.std)
        self._factor = own_std / _planes(card.std)
        self._offset = (own_mean - _planes(card.mean)) / _planes(card.std)

    def losses(
        self, images: Tensor, logits: Tensor, blocks: "BlockOutputs | None"
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the weighted loss of a pupil's answers, and its parts for the log.

        Parameters
        ----------
        images : (N, 3, H, W) float
            Normalised as the pupil wants them.
        logits : (N, C + 3, H, W) float
        blocks : BlockOutputs or None
            Of the pupil; None where the configuration wants no hints.
        """
        config = self._config
        distilled = distillation_loss(logits, self.answer(images), config.temperature)
        loss, parts = config.weight * distilled, {"distillation": float(distilled.detach())}
        if blocks and self._blocks:
            hinted = hint_loss(blocks.outputs, self._blocks.outputs)
            loss = loss + config.hints * hinted
            parts["hints"] = float(hinted.detach())
        return loss, parts

    def answer(self, images: Tensor) -> Tensor:
        """Return the logits of crops that are normalised as the run's own network wants them."""
        scaled = images * self._factor + self._offset
        with torch.inference_mode():
            # the upright view last: its blocks are the hints
            answers = [self._answer(scaled, view) for view in reversed(range(self._config.views))]
            return torch.stack(answers).mean(dim=0)

    def _answer(self, images: Tensor, view: int) -> Tensor:
        """Return the upright logits of one of the eight views, numbered as in `augmentation`."""
        axes = [axis for axis, bit in ((-1, 1), (-2, 2)) if view & bit]
        seen = images.flip(axes)
        logits = self.network(seen.mT if view & 4 else seen)
        return (logits.mT if view & 4 else logits).flip(axes)


class BlockOutputs:
    """What each block of a network's decoder gave at the network's last look."""

    def __init__(self, network: TwoHeadUnet) -> None:
        self.outputs: list[Tensor] = []
        decoder: Any = network.base["decoder"]
        decoder.register_forward_pre_hook(lambda *_: self.outputs.clear())
        for block in decoder.blocks:
            block.register_forward_hook(lambda _module, _inputs, out: self.outputs.append(out))


def hand_over_decoder(teacher: TwoHeadUnet, pupil: TwoHeadUnet) -> None:
    """Copy the teacher's heads and decoder into the pupil, as far as their encoders let it fit.

    The first convolution of a block sees the block before it and, behind that, the encoder; only
    the former part is the same in both.

    Raises
    ------
    SettingsError
        If their decoders have other widths or their heads other classes.
    """
    theirs = teacher.state_dict()
    for name, own in pupil.state_dict().items():
        if name.startswith("base.encoder."):
            continue
        if own.shape[:1] != theirs[name].shape[:1]:
            raise SettingsError(
                f"the teacher's {name} has {len(theirs[name])} channels, the pupil's {len(own)}; "
                "choose a teacher with the same decoder and classes, or leave `decoder` out."
            )
        if own.shape == theirs[name].shape:
            own.copy_(theirs[name])
    with torch.no_grad():
        for place, own in enumerate(_convolutions(pupil)[1:]):
            given = _convolutions(teacher)[place + 1]
            before = _convolutions(pupil)[place].out_channels
            own.weight[:, :before] = given.weight[:, :before]


def _convolutions(network: TwoHeadUnet) -> list[nn.Conv2d]:
    blocks: Any = network.base["decoder"].blocks
    return [block.conv1[0] for block in blocks]


def _planes(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1)
