"""The context head: names a nucleus by what the network knows of it and of the tissue around it.

The pixels of a nucleus vote on its class, and each has seen little more than its tile. What stands
within 100 µm (a gland, a sheet of lymphocytes, muscle, another organ) says how much such a vote is
worth. So a linear layer weighs, beside the vote, the features of the nucleus (see
`seg_core.model.features`) and their mean over the nuclei around it (see `seg_core.nuclei.context`),
as neighbourhoods do in TIL and object classification since Nalisnik et al. (2017, HistomicsML). It is
learnt from the training images (`seg_core.evaluation.context_learning`) and kept beside the weights.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from seg_core.errors import ModelError
from seg_core.model.beside import read_beside, write_beside
from seg_core.model.card import ModelCard
from seg_core.nuclei.vote import FLOOR

FORMAT = 1

_FOLDER = "context"

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ContextHead:
    """A linear layer over the vote on a nucleus, its features and those around it.

    Inputs are the C log-odds of the classes against *other* in the vote, the F features, and their
    F means around, each standardised and cut off at ``limit``: a linear layer would trust what it has
    never seen the more the stranger it is.

    Attributes
    ----------
    weights_sha256 : str
        Checksum of the weights whose features it weighs.
    command : str
        What wrote it.
    radius_um : float
        How far *around* reaches.
    nuclei : dict of int
        How many nuclei of each data set it was learnt from.
    mean, scale : tuple of float
        (C + 2F,) what is subtracted and what is divided by.
    limit : float
        In standard deviations.
    coefficients : tuple of tuple of float
        (C + 1, C + 2F), *other* first.
    intercepts : tuple of float
        (C + 1,).
    """

    weights_sha256: str
    command: str
    radius_um: float
    nuclei: dict[str, int]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    limit: float
    coefficients: tuple[tuple[float, ...], ...]
    intercepts: tuple[float, ...]

    def __post_init__(self) -> None:
        inputs = len(self.mean)
        if {len(self.scale), *map(len, self.coefficients)} != {inputs} or len(
            self.coefficients
        ) != len(self.intercepts):
            raise ValueError("its lists do not have one number for each input and class")
        numbers = [*self.mean, *self.scale, *self.intercepts, self.limit, self.radius_um]
        if not np.isfinite([*numbers, *np.ravel(self.coefficients)]).all():
            raise ValueError("its numbers are not finite")
        if min(*self.scale, self.limit, self.radius_um) <= 0:
            raise ValueError("scales, limit and radius have to be above 0")

    @property
    def sha256(self) -> str:
        """Checksum of what it answers by: part of what a run is an answer to."""
        entries = asdict(self)
        del entries["command"], entries["nuclei"]
        return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()

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
        around : (N, F) float
            Their mean around each nucleus.

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
        logits = values @ np.array(self.coefficients).T + self.intercepts
        return np.asarray(softmax(logits, axis=1), np.float32)


def head_inputs(
    shares: npt.NDArray[np.floating],
    features: npt.NDArray[np.floating],
    around: npt.NDArray[np.floating],
) -> _Floats:
    """Return what a context head weighs, (N, C + 2F): log-odds of the vote, features, those around."""
    logarithms = np.log(np.asarray(shares, np.float64) + FLOOR)
    return np.concatenate([logarithms[:, 1:] - logarithms[:, :1], features, around], axis=1)


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
