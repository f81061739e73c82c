"""What a model's training images are like, kept beside its weights: the measure for other slides."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seg_core.errors import ModelError, told_by
from seg_core.files.atomic import write_json
from seg_core.files.typed import filled
from seg_core.model import ModelCard
from seg_core.plausibility.familiarity import Familiarity
from seg_core.plausibility.pixel_size import ScaleModel

FORMAT = 2
"""Version of what stands in a profile; another one is that of another version of this program."""


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What the training images of a model are like, as ``profile`` has measured it.

    Attributes
    ----------
    weights_sha256 : str
        Checksum of the weights that looked at them.
    command : str
        What wrote it.
    images : dict of int
        How many images of each folder.
    areas_um2 : dict of (float, float, float)
        Of the images' median nuclear areas, by group: the percentiles 2.5, 50 and 97.5, µm².
    scale : ScaleModel
    familiarity : Familiarity
    """

    weights_sha256: str
    command: str
    images: dict[str, int]
    areas_um2: dict[str, tuple[float, ...]]
    scale: ScaleModel
    familiarity: Familiarity

    def to_json(self) -> dict[str, Any]:
        """Return the profile as it is written."""
        return {"format": FORMAT, **asdict(self)}


def profile_path(weights: Path) -> Path:
    """Return where the profile of a file of weights is: in a folder of its own, it is no card.

    Examples
    --------
    >>> profile_path(Path("weights/mine.safetensors")).as_posix()
    'weights/profiles/mine.json'
    """
    return weights.parent / "profiles" / f"{weights.stem}.json"


def write_profile(profile: ModelProfile, weights: Path) -> Path:
    """Write a profile beside the weights, and return where."""
    path = profile_path(weights)
    path.parent.mkdir(exist_ok=True)
    write_json(path, profile.to_json())
    return path


def read_profile(card: ModelCard, weights: Path) -> ModelProfile | None:
    """Read the profile of a model; None where nobody made one, or for other weights or another version.

    Raises
    ------
    ModelError
        If the file is no profile.
    """
    path = profile_path(weights)
    if not path.is_file():
        return None
    try:
        entries = json.loads(path.read_bytes().decode("utf-8"))
        if (entries.pop("format", None), entries["weights_sha256"]) != (FORMAT, card.sha256):
            return None
        return filled(ModelProfile, entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"{path.name} is no profile of a model ({told_by(error)}); make it anew with python -m seg_core "
            "profile, or remove it."
        ) from error


def needed_profile(card: ModelCard, weights: Path) -> ModelProfile:
    """Return the profile of a model.

    Raises
    ------
    ModelError
        If it has none, or none of these weights.
    """
    profile = read_profile(card, weights)
    if profile is None:
        raise ModelError(
            f"the model {card.name!r} has no profile of its training images, or one of other weights; "
            "make it with python -m seg_core profile, or choose another model."
        )
    return profile
