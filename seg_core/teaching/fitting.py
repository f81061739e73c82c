"""Fit multinomial logistic regression to few labels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

# Of a class that no label has: its probability is 0 to the last digit.
_NEVER = -1e3

_Floats = npt.NDArray[np.float64]

Fit = Callable[[_Floats, npt.NDArray[np.int64]], "Fitted"]
"""Takes values (N, F) and classes (N,)."""


@dataclass(frozen=True)
class Fitted:
    """What tells K classes apart by F numbers.

    Attributes
    ----------
    coefficients : (K, F) float64
    intercepts : (K,) float64
        A class without labels is never answered.
    """

    coefficients: _Floats
    intercepts: _Floats

    def probabilities(self, values: _Floats) -> _Floats:
        """Return the probability of each class, (N, K), for values (N, F)."""
        return np.asarray(softmax(values @ self.coefficients.T + self.intercepts, axis=1))


def fitted(
    values: _Floats,
    truth: npt.NDArray[np.int64],
    classes: int,
    strength: float,
    *,
    balanced: bool = True,
) -> Fitted:
    """Fit what tells classes apart.

    Parameters
    ----------
    values : (N, F) float64
        Standardised features, or combinations of them.
    truth : (N,) int64
        Class of each, 0 to ``classes`` - 1; at least two of them.
    classes : int
    strength : float
        Inverse of the regularisation, as scikit-learn counts.
    balanced : bool
        Every class weighs the same; else every nucleus does.
    """
    model = LogisticRegression(
        C=strength, class_weight="balanced" if balanced else None, max_iter=500, tol=1e-3
    )
    # threads that wait for one another cost a small problem a hundred times its time
    with threadpool_limits(1):
        model.fit(values, truth)
    coefficients = np.zeros((classes, values.shape[1]))
    intercepts = np.full(classes, _NEVER)
    rows, offsets = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn gives the log odds of the second
        rows, offsets = (np.concatenate([-each, each]) / 2 for each in (rows, offsets))
    coefficients[model.classes_], intercepts[model.classes_] = rows, offsets
    return Fitted(coefficients, intercepts)


def fitted_towards(
    expected: _Floats, pull: float, values: _Floats, truth: npt.NDArray[np.int64]
) -> Fitted:
    """Fit with every class weighing the same, and coefficients near to what is expected of them.

    Parameters
    ----------
    expected : (K, F) float64
        What coefficients are where no label says otherwise.
    pull : float
        How strongly they are held there, against the mean loss of the labels.
    values : (N, F) float64
    truth : (N,) int64
        At least two classes.
    """
    classes, numbers = expected.shape
    own = np.unique(truth)
    weights = (1 / (len(own) * np.bincount(truth, minlength=classes).clip(1)))[truth]
    hits = np.eye(classes)[truth] * weights[:, None]

    def loss(flat: _Floats) -> tuple[float, _Floats]:
        coefficients, intercepts = flat[: -len(own)].reshape(len(own), numbers), flat[-len(own) :]
        odds = log_softmax(values @ coefficients.T + intercepts, axis=1)
        off = coefficients - expected[own]
        slopes = np.exp(odds) * weights[:, None] - hits[:, own]
        slope = np.concatenate([(slopes.T @ values + pull * off).ravel(), slopes.sum(axis=0)])
        return float(-(hits[:, own] * odds).sum() + pull * (off**2).sum() / 2), slope

    start = np.concatenate([expected[own].ravel(), np.zeros(len(own))])
    with threadpool_limits(1):
        flat = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    coefficients = np.zeros((classes, numbers))
    intercepts = np.full(classes, _NEVER)
    coefficients[own] = flat[: -len(own)].reshape(len(own), numbers)
    intercepts[own] = flat[-len(own) :]
    return Fitted(coefficients, intercepts)
