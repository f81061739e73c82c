"""Losses of the two heads, with a weight for every pixel: partial labels say where they hold."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from seg_core.training.config import LossConfig


def two_head_loss(
    logits: Tensor, targets: dict[str, Tensor], config: LossConfig
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss to minimise, and its parts for the log.

    Parameters
    ----------
    logits : (N, C + 3, H, W) float
    targets : dict
        ``classes`` (N, H, W) int64, ``class_weight`` (N, H, W) float32 (0 teaches nothing),
        ``ternary`` and ``ternary_weight`` the same for the ternary map.
    config : LossConfig
    """
    semantic, ternary = logits[:, :-3].float(), logits[:, -3:].float()
    class_weights = torch.tensor(config.class_weights)
    ternary_weights = torch.tensor(config.ternary_weights)
    parts = {
        "class_ce": cross_entropy(
            semantic, targets["classes"], targets["class_weight"], class_weights, config
        ),
        "class_dice": soft_dice(semantic, targets["classes"], targets["class_weight"]),
        "ternary_ce": cross_entropy(
            ternary, targets["ternary"], targets["ternary_weight"], ternary_weights, config
        ),
        "ternary_dice": soft_dice(ternary, targets["ternary"], targets["ternary_weight"]),
    }
    total = (
        parts["class_ce"]
        + config.dice * parts["class_dice"]
        + config.ternary * (parts["ternary_ce"] + config.ternary_dice * parts["ternary_dice"])
    )
    return total, {name: float(value.detach()) for name, value in parts.items()}


def distillation_loss(logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    """Return how far the answers are from another network's, at every pixel of both heads.

    The Kullback-Leibler divergence of the softened answers, times the squared temperature so that
    its gradients are of the size of cross-entropy's (Hinton et al. 2015, section 2).
    """
    parts = []
    for head in (slice(None, -3), slice(-3, None)):
        own = functional.log_softmax(logits[:, head].float() / temperature, dim=1)
        theirs = functional.log_softmax(teacher_logits[:, head].float() / temperature, dim=1)
        each = functional.kl_div(own, theirs, reduction="none", log_target=True).sum(dim=1)
        parts.append(each.mean())
    return temperature**2 * (parts[0] + parts[1])


def hint_loss(blocks: Sequence[Tensor], teacher_blocks: Sequence[Tensor]) -> Tensor:
    """Return how far the outputs of a decoder's blocks are from another's of the same widths.

    The squared distance as a share of the teacher's own squares, so that every block counts alike,
    whatever its size; averaged over the blocks (Romero et al. 2015, equation 3, with the shares).
    """
    shares = [
        (own.float() - theirs.float()).square().mean() / theirs.float().square().mean()
        for own, theirs in zip(blocks, teacher_blocks, strict=True)
    ]
    return torch.stack(shares).mean()


def median_frequency_weights(pixels: npt.ArrayLike, cap: float) -> tuple[float, ...]:
    """Return the weight of each class: the median of the shares over its own share.

    Parameters
    ----------
    pixels : (C,) int
        Labelled pixels of each class; a class without any gets the highest weight.
    cap : float
        Weights lie between 1 / cap and cap.

    Examples
    --------
    >>> median_frequency_weights([100, 50, 10], cap=4.0)
    (0.5, 1.0, 4.0)
    """
    shares = np.asarray(pixels, dtype=np.float64)
    weights = np.median(shares) / np.maximum(shares, 1)
    return tuple(np.clip(weights, 1 / cap, cap).tolist())


def cross_entropy(
    logits: Tensor, target: Tensor, weight: Tensor, class_weights: Tensor, config: LossConfig
) -> Tensor:
    """Cross-entropy averaged by weight; focal where ``config.focal_gamma`` is above 0.

    The focal factor is (1 - p)^gamma of Lin et al. (2017), equation 4.
    """
    each = functional.cross_entropy(
        logits, target, reduction="none", label_smoothing=config.label_smoothing
    )
    if config.focal_gamma > 0:
        each = each * (1 - torch.exp(-each)) ** config.focal_gamma
    weight = weight * class_weights[target]
    return (each * weight).sum() / weight.sum().clamp_min(1.0)


def soft_dice(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """One minus the soft Dice of each class but background, over the classes in the batch.

    Dice = 2 Σ w p t / (Σ w p + Σ w t), pooled over the batch (Milletari et al. 2016 use squares
    below; plain sums are kinder to rare classes). Classes without a pixel in the batch are left
    out: their Dice would be 0 whatever the network says.
    """
    shares = logits.softmax(dim=1)[:, 1:] * weight.unsqueeze(1)
    truth = functional.one_hot(target, logits.shape[1]).movedim(-1, 1)[:, 1:] * weight.unsqueeze(1)
    agreed = (shares * truth.bool()).sum(dim=(0, 2, 3))
    there = truth.sum(dim=(0, 2, 3))
    dice = 2 * agreed / (shares.sum(dim=(0, 2, 3)) + there).clamp_min(1e-6)
    present = there > 0
    return (1 - dice)[present].mean() if bool(present.any()) else logits.sum() * 0
