"""Files that say something of a model's weights, kept in folders beside them: they are no cards."""

import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from seg_core.errors import ModelError, told_by
from seg_core.files.atomic import write_json
from seg_core.files.typed import filled

_DIGITS = 6

T = TypeVar("T")


def path_beside(weights: Path, folder: str) -> Path:
    """Return where something of a file of weights is kept.

    Examples
    --------
    >>> path_beside(Path("weights/mine.safetensors"), "profiles").as_posix()
    'weights/profiles/mine.json'
    """
    return weights.parent / folder / f"{weights.stem}.json"


def in_file(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Return numbers as they are kept: with six significant digits."""
    return tuple(float(f"{each:.{_DIGITS}g}") for each in values)


def write_beside(weights: Path, folder: str, version: int, entries: dict[str, Any]) -> Path:
    """Write something beside the weights, and return where.

    Parameters
    ----------
    weights : Path
    folder : str
    version : int
        Of what stands in the file.
    entries : dict
        With ``weights_sha256``, whose they are.
    """
    path = path_beside(weights, folder)
    path.parent.mkdir(exist_ok=True)
    write_json(path, {"format": version, **entries}, rows=True)
    return path


def read_beside(
    kind: type[T], weights: Path, sha256: str, *, folder: str, version: int, what: str, command: str
) -> T | None:
    """Read what was written beside the weights.

    Parameters
    ----------
    kind : type
        A dataclass with a field ``weights_sha256``.
    weights : Path
    sha256 : str
        Of the weights.
    folder : str
    version : int
        Another one is that of another version of this program.
    what : str
        What the file should be, in words.
    command : str
        What makes it.

    Returns
    -------
    kind or None
        None where nobody made it, or for other weights or in another version.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    path = path_beside(weights, folder)
    if not path.is_file():
        return None
    try:
        entries = json.loads(path.read_bytes().decode("utf-8"))
        if (entries.pop("format", None), entries["weights_sha256"]) != (version, sha256):
            return None
        return filled(kind, entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{path.name} is no {what} ({told_by(error)}); make it anew with python -m seg_core "
            f"{command}, or remove it."
        ) from error
