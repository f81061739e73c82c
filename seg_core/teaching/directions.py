"""Directions: combinations of features by which a model's training data tell nuclei apart.

The features of a nucleus are many and few labels leave open which of them matter. Whoever labelled
the data that a network was trained on told more types apart than the network answers: plasma cells,
eosinophils, spindle-shaped nuclei. What separates those, learnt once from tens of thousands of
nuclei of each data set, is kept beside the weights; a classifier that is taught by a few clicks may
weigh the few numbers of one of them instead of all features, where that answers left-out labels
better. (What was learnt on other classes tells new ones from a few pictures, Fei-Fei et al. 2006;
of several data sets at once there are more numbers than a few labels can weigh.)
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seg_core.errors import ModelError
from seg_core.model.beside import read_beside, write_beside
from seg_core.model.card import find_model

FORMAT = 1

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
        (T, F), for features; each direction varies by 1 (standard deviation) over these nuclei.
    """

    title: str
    nuclei: dict[str, int]
    coefficients: tuple[tuple[float, ...], ...]

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
