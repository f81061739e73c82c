"""Directions: combinations of features by which a model's training data tell nuclei apart.

The features of a nucleus are many and few labels leave open which of them matter. Whoever labelled
the data that a network was trained on told more types apart than the network answers: plasma cells,
eosinophils, spindle-shaped nuclei. What separates those, learnt once from tens of thousands of
nuclei of each data set, is kept beside the weights. A classifier that is taught by a few clicks may
begin with the types of one of them: labels say which class is which type, and how a class differs
from it, where that answers left-out labels better than all features. (What was learnt on other
classes tells new ones from a few pictures, Fei-Fei et al. 2006.)
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from seg_core.errors import ModelError
from seg_core.model.beside import read_beside, write_beside
from seg_core.model.card import find_model

FORMAT = 2

_FOLDER = "directions"


@dataclass(frozen=True, slots=True)
class SetDirections:
    """What the types of one data set differ in.

    Attributes
    ----------
    title : str
        Of the data set.
    nuclei : dict of int
        How many nuclei of each type were learnt from, in the order of the coefficients.
    coefficients : tuple of tuple of float
        (T, F), of features: the log odds of the types, but for a constant.
    """

    title: str
    nuclei: dict[str, int]
    coefficients: tuple[tuple[float, ...], ...]

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """How frequent each type is, (T,)."""
        counts = np.array([*self.nuclei.values()], np.float64)
        return counts / counts.sum()

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """The coefficients, (T, F)."""
        return np.array(self.coefficients, np.float64)


@dataclass(frozen=True, slots=True)
class Directions:
    """What the types of a model's training data differ in.

    Attributes
    ----------
    weights_sha256 : str
        Checksum of the weights whose features they combine.
    command : str
        What wrote it.
    features : tuple of str
        Their names; see `seg_core.teaching.features`.
    sets : tuple of SetDirections
    """

    weights_sha256: str
    command: str
    features: tuple[str, ...]
    sets: tuple[SetDirections, ...]

    def __post_init__(self) -> None:
        for each in self.sets:
            if each.matrix.shape != (len(each.nuclei), len(self.features)) or not each.nuclei:
                raise ValueError("there is not one coefficient for each type and feature")
            if not np.isfinite(each.matrix).all():
                raise ValueError("coefficients are not finite")


def write_directions(directions: Directions, weights: Path) -> Path:
    """Write directions beside the weights, and return where."""
    return write_beside(weights, _FOLDER, FORMAT, asdict(directions))


def read_directions(weights: Path, sha256: str) -> Directions | None:
    """Read the directions of a model; None where nobody made any, or for other weights.

    Parameters
    ----------
    weights : Path
    sha256 : str
        Of the weights.

    Raises
    ------
    ModelError
        If the file holds none.
    """
    return read_beside(
        Directions,
        weights,
        sha256,
        folder=_FOLDER,
        version=FORMAT,
        what="file of a model's directions",
        command="directions",
    )


def directions_of(model: str, sha256: str, features: tuple[str, ...]) -> Directions | None:
    """Return the directions of the model that made a run.

    Parameters
    ----------
    model, sha256 : str
        Its name and the checksum of its weights, as the run has them.
    features : tuple of str
        Of which a classifier is taught.

    Returns
    -------
    Directions or None
        None where the model is not at hand, or has none of these features.
    """
    try:
        card, weights = find_model(model)
    except ModelError:
        return None
    found = read_directions(weights, sha256) if card.sha256 == sha256 else None
    return found if found is not None and found.features == features else None


def types_of_classes(
    values: npt.NDArray[np.float64], truth: npt.NDArray[np.int64], classes: int
) -> npt.NDArray[np.float64]:
    """Tell which type each class looks most like, no two classes the same.

    Parameters
    ----------
    values : (N, T) float64
        Log odds of the types, of labelled nuclei.
    truth : (N,) int64
        Their classes.
    classes : int

    Returns
    -------
    (K, T) float64
        1 for the type of a class; none for classes that are more than the types, or without labels.

    Examples
    --------
    >>> types_of_classes(np.array([[0.0, 4.0], [3.0, 2.0]]), np.array([0, 1]), 2)
    array([[0., 1.],
           [1., 0.]])
    """
    own = np.unique(truth)
    means = np.stack([values[truth == number].mean(axis=0) for number in own])
    rows, types = linear_sum_assignment(means - means.mean(axis=0), maximize=True)
    found = np.zeros((classes, values.shape[1]))
    found[own[rows], types] = 1
    return found
