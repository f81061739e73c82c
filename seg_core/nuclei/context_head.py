"""The context head: names a nucleus by what the network knows of it and of the tissue around it.

The pixels of a nucleus vote on its class, and each has seen little more than its tile. What stands
within 100 µm (a gland, a sheet of lymphocytes, muscle, another organ) says how much such a vote is
worth. So a small network weighs, beside the vote, the features of the nucleus (see
`seg_core.model.features`) and their means over the nuclei around it (see `seg_core.nuclei.context`),
as neighbourhoods do in the classification of nuclei since Nalisnik et al. (2017, HistomicsML). It is
learnt from the training images (`seg_core.training.context_learning`) and kept beside the weights.

What it has learnt of tissue that it knows may be wrong of other tissue, and what is around tells which
it is. So it is trusted where the context is like those it was taught, and less the farther it is from
them (Mahalanobis distance), down to not at all: there the vote stands.
"""

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from seg_core.errors import ModelError
from seg_core.model.beside import read_beside, write_beside
from seg_core.model.card import ModelCard
from seg_core.nuclei.vote import FLOOR

FORMAT = 2

_FOLDER = "context"

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ContextHead:
    """A hidden layer over the vote on a nucleus, its features and those around it.

    Inputs are the C log-odds of the classes against *other* in the vote, the F features, and their
    F means within each of R radii, each standardised and cut off at ``limit``: what it has never seen
    would count the more the stranger it is.

    What it answers is mixed with the vote, by how far the widest context is from those taught: up to
    the distance ``near`` it counts alone, from ``far`` on the vote does.

    Attributes
    ----------
    weights_sha256 : str
        Checksum of the weights whose features it weighs.
    command : str
        What wrote it.
    radii_um : tuple of float
        (R,) how far *around* reaches, ascending.
    nuclei : dict of int
        How many nuclei of each data set it was learnt from.
    mean, scale : tuple of float
        (I,) what is subtracted and what is divided by, with I = C + F + R F.
    limit : float
        In standard deviations.
    hidden : tuple of tuple of float
        (H, I) what each unit of the hidden layer weighs; it gives what is above 0.
    hidden_intercepts : tuple of float
        (H,).
    coefficients : tuple of tuple of float
        (C + 1, H), *other* first.
    intercepts : tuple of float
        (C + 1,).
    middle : tuple of float
        (F,) mean of the widest contexts taught.
    precision : tuple of tuple of float
        (F, F) inverse of their covariance.
    near, far : float
        Distances, as `distances` gives them.
    """

    weights_sha256: str
    command: str
    radii_um: tuple[float, ...]
    nuclei: dict[str, int]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    limit: float
    hidden: tuple[tuple[float, ...], ...]
    hidden_intercepts: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]
    middle: tuple[float, ...]
    precision: tuple[tuple[float, ...], ...]
    near: float
    far: float

    def __post_init__(self) -> None:
        self._check_sizes()
        if not all(np.isfinite(each).all() for each in self._numbers()):
            raise ValueError("its numbers are not finite")
        if min(*self.scale, self.limit) <= 0:
            raise ValueError("scales and limit have to be above 0")
        if not self.radii_um or list(self.radii_um) != sorted({0.0, *self.radii_um})[1:]:
            raise ValueError("its radii have to be above 0 and ascend")
        if not 0 <= self.near < self.far:
            raise ValueError("far has to be above near")

    def _check_sizes(self) -> None:
        inputs, units, width = len(self.mean), len(self.hidden_intercepts), len(self.middle)
        if {len(self.scale), *map(len, self.hidden)} != {inputs} or len(self.hidden) != units:
            raise ValueError("its hidden layer does not have one number for each input and unit")
        if set(map(len, self.coefficients)) != {units} or len(self.coefficients) != len(
            self.intercepts
        ):
            raise ValueError("its last layer does not have one number for each unit and class")
        if {len(self.precision), *map(len, self.precision)} != {width}:
            raise ValueError("its precision is no square of the length of its middle")
        if inputs != len(self.intercepts) - 1 + (1 + len(self.radii_um)) * width:
            raise ValueError("its inputs are not a vote, the features and their means")

    def _numbers(self) -> tuple[_Floats, ...]:
        """Return all that it answers by."""
        alone = [*self.radii_um, self.limit, self.near, self.far]
        tables = (self.mean, self.scale, self.hidden, self.hidden_intercepts, self.coefficients)
        known = (self.intercepts, self.middle, self.precision)
        return tuple(np.array(each, np.float64) for each in (alone, *tables, *known))

    @property
    def sha256(self) -> str:
        """Checksum of what it answers by: part of what a run is an answer to."""
        found = hashlib.sha256(self.weights_sha256.encode())
        for each in self._numbers():
            found.update(str(each.shape).encode() + each.astype("<f8").tobytes())
        return found.hexdigest()

    def probabilities(
        self,
        shares: npt.NDArray[np.floating],
        features: npt.NDArray[np.floating],
        around: npt.NDArray[np.floating],
    ) -> npt.NDArray[np.float32]:
        """Return how probable each class is for each nucleus.

        Parameters
        ----------
        shares : (N, C + 1) float
            Of the vote, *other* first.
        features : (N, F) float
        around : (N, R, F) float
            Their means around each nucleus.

        Returns
        -------
        probabilities : (N, C + 1) float32

        Raises
        ------
        ModelError
            If it was learnt for other classes or features.
        """
        inputs = head_inputs(shares, features, around)
        if inputs.shape[1] != len(self.mean) or shares.shape[1] != len(self.intercepts):
            raise ModelError(
                f"the context head was learnt for {len(self.intercepts) - 1} classes and "
                f"{len(self.mean)} inputs, the model gives {shares.shape[1] - 1} and "
                f"{inputs.shape[1]}; make it anew with python -m seg_core context."
            )
        values = np.clip((inputs - self.mean) / self.scale, -self.limit, self.limit)
        units = np.maximum(values @ np.array(self.hidden).T + self.hidden_intercepts, 0)
        answer = softmax(units @ np.array(self.coefficients).T + self.intercepts, axis=1)
        trust = self.trust(around)[:, None]
        return np.asarray(trust * answer + (1 - trust) * shares, np.float32)

    def trust(self, around: npt.NDArray[np.floating]) -> _Floats:
        """Return how much the head counts in each context, (N,) 0 to 1; the vote has the rest.

        ``around`` is (N, R, F).
        """
        distance = distances(around[:, -1], np.array(self.middle), np.array(self.precision))
        return np.clip((self.far - distance) / (self.far - self.near), 0.0, 1.0)


def distances(around: npt.NDArray[np.floating], middle: _Floats, precision: _Floats) -> _Floats:
    """Return how far contexts are from others, (N,): Mahalanobis, as a root mean square over features.

    Of the contexts that it was learnt from, the mean of its square is about 1.
    """
    offsets = np.asarray(around, np.float64) - middle
    squares = np.einsum("ij,ij->i", offsets @ precision, offsets)
    return np.asarray(np.sqrt(np.maximum(squares, 0) / len(middle)))


def head_inputs(
    shares: npt.NDArray[np.floating],
    features: npt.NDArray[np.floating],
    around: npt.NDArray[np.floating],
) -> _Floats:
    """Return what a context head weighs: log-odds of the vote, features, those around.

    Parameters
    ----------
    shares : (N, C + 1) float
    features : (N, F) float
    around : (N, R, F) float

    Returns
    -------
    inputs : (N, C + F + R F) float64
    """
    logarithms = np.log(np.asarray(shares, np.float64) + FLOOR)
    odds = logarithms[:, 1:] - logarithms[:, :1]
    means = around.reshape(len(around), math.prod(around.shape[1:]))
    return np.concatenate([odds, features, means], axis=1)


def write_context_head(head: ContextHead, weights: Path) -> Path:
    """Write a context head beside the weights, and return where."""
    return write_beside(weights, _FOLDER, FORMAT, asdict(head))


def context_head_of(card: ModelCard, weights: Path) -> str | None:
    """Return the checksum of a model's context head; None where it has none."""
    head = read_context_head(card, weights)
    return None if head is None else head.sha256


def read_context_head(card: ModelCard, weights: Path) -> ContextHead | None:
    """Read the context head of a model; None where nobody made one, or for other weights.

    Raises
    ------
    ModelError
        If the file holds none.
    """
    return read_beside(
        ContextHead,
        weights,
        card.sha256,
        folder=_FOLDER,
        version=FORMAT,
        what="context head of a model",
        command="context",
    )
