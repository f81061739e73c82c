"""Fit multinomial logistic regression to few labels."""

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

USUAL_STRENGTH = 0.03
"""Inverse of the regularisation where nothing says which is best, as scikit-learn counts."""

# Of a class that no label has: its probability is 0 to the last digit.
_NEVER = -1e3

_Floats = npt.NDArray[np.float64]


def fitted(
    values: _Floats, truth: npt.NDArray[np.int64], classes: int, strength: float
) -> tuple[_Floats, _Floats]:
    """Return the coefficients and intercepts that tell classes apart, each weighing the same.

    Parameters
    ----------
    values : (N, F) float64
        Standardised features.
    truth : (N,) int64
        Class of each, 0 to ``classes`` - 1; at least two of them.
    classes : int
    strength : float
        Inverse of the regularisation.

    Returns
    -------
    coefficients : (classes, F) float64
    intercepts : (classes,) float64
        A class without labels is never answered.
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
    return coefficients, intercepts
