"""How far a ratio could be off by which parts of the tissue were seen: a spatial block bootstrap.

Neighbouring nuclei resemble each other, so it is blocks of tissue that are drawn, not nuclei.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval, or the reason why it, or its interval, is missing."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


def ratio_estimate(
    numerators: npt.ArrayLike,
    denominators: npt.ArrayLike,
    *,
    scale: float = 1.0,
    samples: int,
    min_blocks: int,
    seed: int,
) -> Estimate:
    """Estimate the ratio of two sums over blocks, with a percentile interval.

    ``scale · Σ numerator / Σ denominator``; for the interval as many blocks as there are are drawn
    with replacement, numerator and denominator together, and the 2.5th and 97.5th percentile of
    the ratios are its ends (Efron and Tibshirani 1993, chapter 13; blocks of a plane, not
    overlapping: Lahiri 2003, chapter 12). The order of the blocks does not matter.

    Parameters
    ----------
    numerators, denominators : (B,) float
        A block each; blocks without denominator are none.
    scale : float
        For percent or another unit.
    samples : int
    min_blocks : int
        With fewer there is no interval.
    seed : int

    Returns
    -------
    estimate : Estimate
        Without a value where there is no block at all.

    Examples
    --------
    >>> ratio_estimate([1.0] * 25, [4.0] * 25, samples=99, min_blocks=20, seed=1)
    Estimate(value=0.25, low=0.25, high=0.25, reason=None)
    >>> ratio_estimate([1.0], [4.0], samples=99, min_blocks=20, seed=1).reason
    'an interval needs at least 20 blocks of tissue; there are 1.'
    """
    blocks = np.stack([np.asarray(numerators, float), np.asarray(denominators, float)], axis=1)
    blocks = blocks[blocks[:, 1] > 0]
    if not len(blocks):
        return Estimate(None, reason="there is no area to divide by.")
    blocks = blocks[np.lexsort(blocks.T)]
    top, bottom = blocks.sum(axis=0)
    value = float(scale * top / bottom)
    if len(blocks) < min_blocks:
        return Estimate(
            value,
            reason=f"an interval needs at least {min_blocks} blocks of tissue; "
            f"there are {len(blocks)}.",
        )
    rng = np.random.default_rng(seed)
    share = np.full(len(blocks), 1 / len(blocks))
    tops, bottoms = (rng.multinomial(len(blocks), share, size=samples) @ blocks).T
    low, high = np.percentile(scale * tops / bottoms, [2.5, 97.5])
    return Estimate(value, float(low), float(high))
