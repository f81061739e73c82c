"""A model's graph in 8-bit integers, made once by ``quantise`` and shipped beside the weights."""

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seg_core.errors import ModelError

MOST_LOST_MPQ_PLUS = 0.005
"""A graph that loses more than half a point of mPQ+ against fp32 is not offered as *fast*."""


@dataclass(frozen=True, slots=True)
class Int8Graph:
    """What a card says of the graph: two files of OpenVINO, ``<file>`` (.xml) and its .bin."""

    file: str
    sha256: str
    """Checksum of both files, the .xml first."""

    weights_sha256: str
    """Checksum of the weights it was made from."""

    metrics: dict[str, Any] = field(default_factory=dict)
    """``mpq_plus_change`` against fp32, and the share of pixels with the same answer."""

    @property
    def keeps_accuracy(self) -> bool:
        """Tell whether it was measured and loses at most half a point of mPQ+."""
        change = self.metrics.get("mpq_plus_change")
        return change is not None and change >= -MOST_LOST_MPQ_PLUS

    def to_json(self) -> dict[str, Any]:
        """Return the entry of the card."""
        return asdict(self)


def read_int8(graph: Int8Graph | None, weights: Path, weights_sha256: str) -> tuple[bytes, bytes]:
    """Read the graph that belongs to a file of weights.

    Returns
    -------
    xml, constants : bytes

    Raises
    ------
    ModelError
        If the model has none, or the files are missing or belong to other weights.
    """
    if graph is None:
        raise ModelError(
            f"{weights.name} has no graph in int8; choose another precision, or make one with "
            "python -m seg_core quantise."
        )
    if graph.weights_sha256 != weights_sha256:
        raise ModelError(
            f"{graph.file} was made from other weights than {weights.name}; make it anew with "
            "python -m seg_core quantise, or choose another precision."
        )
    path = weights.with_name(graph.file)
    try:
        parts = path.read_bytes(), path.with_suffix(".bin").read_bytes()
    except OSError as error:
        raise ModelError(
            f"{graph.file} or its .bin is missing beside {weights.name}; download both again, or "
            "choose another precision."
        ) from error
    if checksum(*parts) != graph.sha256:
        raise ModelError(
            f"{graph.file} and its .bin do not have the checksum that the card says; download "
            "them again, or choose another precision."
        )
    return parts


def checksum(xml: bytes, constants: bytes) -> str:
    """Return the SHA-256 of both files as hexadecimal digits."""
    return hashlib.sha256(xml + constants).hexdigest()
