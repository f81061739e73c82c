"""From shares of a vote to probabilities.

The pixels of a nucleus vote nearly with one voice, right or wrong, so a share is no probability: a
class that a model names too readily wins with .9 and is right in six of ten. Labelled images say by
how much each class is to be doubted (see `seg_core.evaluation.calibration`).

With the share s of each class and of *other*, the log-odds of class k against *other* are

    sharpness_k log(s_k + floor) + bias_k - log(s_other + floor)

which is Platt's (1999) scaling, for several classes as Guo et al. (2017) do it (vector scaling),
on the logarithms of shares in place of logits. Bias 0 and sharpness 1 change next to nothing.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seg_core.classes import VoteWeight

FLOOR = 0.01
"""Added to every share: a vote with one voice is never certain."""


def calibrated(
    shares: npt.NDArray[np.floating], weights: Sequence[VoteWeight]
) -> npt.NDArray[np.float32]:
    """Return the probability of each class.

    Parameters
    ----------
    shares : (N, C + 1) float
        *Other* first; rows of zeros, nuclei that nothing voted on, stay so.
    weights : sequence of VoteWeight
        Of the C classes.

    Returns
    -------
    probabilities : (N, C + 1) float32

    Examples
    --------
    >>> shares = np.array([[0.4, 0.6], [0.0, 1.0], [0.0, 0.0]])
    >>> calibrated(shares, [VoteWeight(bias=-1.0)]).round(2)
    array([[0.65, 0.35],
           [0.03, 0.97],
           [0.  , 0.  ]], dtype=float32)
    """
    odds = log_odds(np.log(shares + FLOOR), weights)
    odds -= odds.max(axis=1, keepdims=True)
    likely = np.exp(odds)
    likely /= likely.sum(axis=1, keepdims=True)
    likely[shares.sum(axis=1) == 0] = 0
    return likely.astype(np.float32)


def log_odds(
    logarithms: npt.NDArray[np.floating], weights: Sequence[VoteWeight]
) -> npt.NDArray[np.float64]:
    """Return the log-odds of each class, up to what is common to a row, from log(share + floor)."""
    sharpness = np.array([1.0, *(each.sharpness for each in weights)])
    bias = np.array([0.0, *(each.bias for each in weights)])
    odds: npt.NDArray[np.float64] = logarithms * sharpness + bias
    return odds
