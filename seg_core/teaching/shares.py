"""How frequent each class is on the slides that were labelled, and how far answers lean on it.

People label as many nuclei of a rare class as of a frequent one, so labels do not say how frequent
classes are; a classifier that takes them for equally frequent finds the rare one everywhere. The
other nuclei of the labelled slides do say it. The classifier's mean answer over them is not the
share of each class yet, for it errs; but how it errs is known from labels it has not seen, and the
shares are what this blurs into that mean (Bella et al. 2010; Lipton et al. 2018, equation 4).

Few slides say little of the next. Where classes are the types of a large data set (see
`seg_core.teaching.directions`), answers lean on how frequent these are there, too.
"""

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls
from sklearn.model_selection import StratifiedKFold

from seg_core.teaching.fitting import Fit

LEAN = 0.8
"""How far answers lean on shares that are known from many labels, as their power: 1 gives the fewest
errors, 0 treats every class alike; in between rare classes keep a chance. Chosen on the
held-out images of Lizard."""

HALF_BELIEVED = 10
"""With so few labels of the class that has fewest, answers lean half as far."""

LEAST_SHARE = 0.005
"""Of a class that somebody has labelled."""

# Pull towards equal shares: classes that are hardly told apart have no share of their own.
_RIDGE = 0.1
_SUM_TO_ONE = 10.0

_FOLDS = 5

_Floats = npt.NDArray[np.float64]


def estimated_shares(
    values: _Floats, truth: npt.NDArray[np.int64], everywhere: _Floats, fit: Fit
) -> _Floats | None:
    """Return how frequent each class is among the nuclei of the labelled slides.

    Parameters
    ----------
    values : (N, F) float64
        Of the labels.
    truth : (N,) int64
    everywhere : (M, F) float64
        Of nuclei drawn evenly from the labelled slides.
    fit : callable
        What teaches by labels.

    Returns
    -------
    (K,) float64 or None
        0 for a class without labels; None where one has a single label: nobody knows then how the
        classifier errs.
    """
    present, counts = np.unique(truth, return_counts=True)
    if not len(everywhere) or counts.min() < 2:
        return None
    model = fit(values, truth)
    classes = len(model.intercepts)
    answers = _out_of_fold(values, truth, fit, classes)
    blur = np.stack([answers[truth == k].mean(axis=0) for k in present], axis=1)[present]
    shares = np.zeros(classes)
    shares[present] = class_shares(blur, model.probabilities(everywhere).mean(axis=0)[present])
    return shares


def belief_in(truth: npt.NDArray[np.int64]) -> float:
    """Return how far shares are believed that labels tell, 0 to 1: by the class with fewest of them.

    Examples
    --------
    >>> belief_in(np.repeat([0, 1], [10, 300]))
    0.5
    """
    fewest = int(np.unique(truth, return_counts=True)[1].min())
    return fewest / (fewest + HALF_BELIEVED)


def leaning_on(shares: _Floats, belief: float = 1.0) -> _Floats:
    """Return what to add to the intercepts of a classifier.

    Parameters
    ----------
    shares : (K,) float64
    belief : float
        0 to 1.

    Returns
    -------
    (K,) float64
    """
    # a class without labels is never answered anyway
    return np.asarray(LEAN * belief * np.log(np.where(shares > 0, shares, 1.0)))


def joined_shares(shares: _Floats, usual: _Floats, belief: float) -> _Floats:
    """Return shares between those estimated on some slides and those in a large data set.

    Parameters
    ----------
    shares : (K,) float64
        As estimated; 0 for a class without labels.
    usual : (K,) float64
        0 for a class that the data set does not know: that counts as frequent as on average.
    belief : float
        In the estimate; if it is 1, both count the same.

    Returns
    -------
    (K,) float64
        Sum 1.

    Examples
    --------
    >>> joined_shares(np.array([0.5, 0.5]), np.array([0.9, 0.1]), 1.0)
    array([0.75, 0.25])
    """
    present = shares > 0
    usual = np.where(usual > 0, usual, 1 / np.count_nonzero(present))[present]
    own = belief / 2
    joined = np.zeros_like(shares)
    joined[present] = shares[present] ** own * usual ** (1 - own)
    return joined / joined.sum()


def class_shares(blur: _Floats, seen: _Floats) -> _Floats:
    """Return how frequent classes are, from how frequently they are answered.

    Parameters
    ----------
    blur : (K, K) float64
        Mean probability of the class of the row for nuclei of the class of the column.
    seen : (K,) float64
        Mean probability of each class where they are to be counted.

    Returns
    -------
    (K,) float64
        Sum 1, none below about `LEAST_SHARE`.

    Examples
    --------
    >>> blur = np.array([[0.8, 0.2], [0.2, 0.8]])
    >>> class_shares(blur, blur @ [0.9, 0.1]).round(2)
    array([0.89, 0.11])
    """
    count = len(seen)
    system = np.vstack([blur, _RIDGE * np.eye(count), np.full((1, count), _SUM_TO_ONE)])
    shares, _ = nnls(system, np.concatenate([seen, np.full(count, _RIDGE / count), [_SUM_TO_ONE]]))
    shares = np.maximum(shares, LEAST_SHARE)
    return np.asarray(shares / shares.sum())


def _out_of_fold(values: _Floats, truth: npt.NDArray[np.int64], fit: Fit, classes: int) -> _Floats:
    answers = np.zeros((len(truth), classes))
    folds = min(_FOLDS, int(np.bincount(truth)[np.unique(truth)].min()))
    for seen, left_out in StratifiedKFold(folds, shuffle=True, random_state=0).split(values, truth):
        model = fit(values[seen], truth[seen])
        answers[left_out] = model.probabilities(values[left_out])
    return answers
