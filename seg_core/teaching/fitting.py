"""Fit multinomial logistic regression to few labels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

# Of a class that no label has: its probability is 0 to the last digit.
_NEVER = -1e3

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fitted:
    """What tells K classes apart by F numbers.

    Attributes
    ----------
    coefficients : (K, F) float64
    intercepts : (K,) float64
        A class without labels is never answered.
    strength : float
        Inverse of the regularisation it was fitted with, as scikit-learn counts.
    """

    coefficients: _Floats
    intercepts: _Floats
    strength: float

    def probabilities(self, values: _Floats) -> _Floats:
        """Return the probability of each class, (N, K), for values (N, F)."""
        return np.asarray(softmax(values @ self.coefficients.T + self.intercepts, axis=1))


def fitted(values: _Floats, truth: npt.NDArray[np.int64], classes: int, strength: float) -> Fitted:
    """Fit with every class weighing the same.

    Parameters
    ----------
    values : (N, F) float64
        Standardised features, or combinations of them.
    truth : (N,) int64
        Class of each, 0 to ``classes`` - 1; at least two of them.
    classes : int
    strength : float
        Inverse of the regularisation, as scikit-learn counts.
    """
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=500, tol=1e-3)
    # threads that wait for one another cost a small problem a hundred times its time
    with threadpool_limits(1):
        model.fit(values, truth)
    coefficients = np.zeros((classes, values.shape[1]))
    intercepts = np.full(classes, _NEVER)
    rows, offsets = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn gives the log odds of the second
        rows, offsets = (np.concatenate([-each, each]) / 2 for each in (rows, offsets))
    coefficients[model.classes_], intercepts[model.classes_] = rows, offsets
    return Fitted(coefficients, intercepts, strength)
