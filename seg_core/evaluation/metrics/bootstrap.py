"""How far a figure could be off by the choice of patients."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

BOOTSTRAP_SAMPLES, BOOTSTRAP_SEED = 1000, 20201
FEW_PATIENTS = 10
"""With fewer, patients alone give too few different samples; intervals are then called rough."""


def bootstrapped(
    figures: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    patients: Sequence[str],
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = BOOTSTRAP_SEED,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return figures of the data as they are, and their 95 % intervals by bootstrap over patients.

    Parameters
    ----------
    figures : callable
        Makes figures, (K,) float64, of weights as `bootstrap_weights` gives them.
    patients : sequence of str
        The patient of each image.
    samples, seed : int

    Returns
    -------
    values : (K,) float64
    interval : (K, 2) float64
        NaN where there is none: for a single image, which says nothing of others, and for figures
        that no sample has.

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 3.0])
    >>> mean = lambda weights: np.array([weights.sum(axis=0) @ values / weights.sum()])
    >>> [each.tolist() for each in bootstrapped(mean, ["a", "b", "c"])]
    [[2.0], [[1.0, 3.0]]]
    """
    values = figures(patient_weights(patients))
    interval = np.full((len(values), 2), np.nan)
    if len(patients) > 1:
        rng = np.random.default_rng(seed)
        drawn = [figures(bootstrap_weights(patients, rng)) for _ in range(samples)]
        interval = interval95(np.array(drawn))
    return values, interval


def bootstrap_weights(patients: Sequence[str], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Draw one bootstrap sample: as many patients as there are, with replacement.

    Images of one patient resemble each other, so it is patients that are drawn, each with all its
    images. With fewer than `FEW_PATIENTS` the images of a drawn patient are drawn again, with
    replacement.

    Parameters
    ----------
    patients : sequence of str
        The patient of each image.
    rng : numpy.random.Generator

    Returns
    -------
    weights : (P, N) float64
        How often each of the N images belongs to each of the P patients drawn. A patient drawn
        twice has two rows.

    Examples
    --------
    >>> bootstrap_weights(["a", "a", "b", "b"], np.random.default_rng(1)).sum(axis=1)
    array([2., 2.])
    """
    names, patient_of = np.unique(np.asarray(patients), return_inverse=True)
    weights = np.zeros((len(names), len(patient_of)))
    for row, drawn in enumerate(rng.integers(len(names), size=len(names))):
        images = np.flatnonzero(patient_of == drawn)
        if len(names) < FEW_PATIENTS:
            images = rng.choice(images, size=len(images))
        weights[row] = np.bincount(images, minlength=len(patient_of))
    return weights


def patient_weights(patients: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the weights of the data as they are: each image once, with its patient.

    Examples
    --------
    >>> patient_weights(["a", "b", "a"])
    array([[1., 0., 1.],
           [0., 1., 0.]])
    """
    names, patient_of = np.unique(np.asarray(patients), return_inverse=True)
    return (patient_of == np.arange(len(names))[:, None]).astype(np.float64)


def interval95(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the 2.5th and 97.5th percentile of each column, over the samples that have a value.

    Parameters
    ----------
    samples : (B, K) float64
        A bootstrap sample a row; NaN where it has no value for a figure.

    Returns
    -------
    interval : (K, 2) float64
        NaN where no sample has a value.
    """
    interval = np.full((samples.shape[1], 2), np.nan)
    for column, values in enumerate(samples.T):
        known = values[~np.isnan(values)]
        if known.size:
            interval[column] = np.percentile(known, [2.5, 97.5])
    return interval
