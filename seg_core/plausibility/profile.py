"""What a model's training images are like, kept beside its weights: the measure for other slides."""

from dataclasses import asdict, dataclass
from pathlib import Path

from seg_core.errors import ModelError
from seg_core.model import ModelCard
from seg_core.model.beside import read_beside, write_beside
from seg_core.plausibility.familiarity import Familiarity
from seg_core.plausibility.pixel_size import ScaleModel

FORMAT = 2
"""Version of what stands in a profile; another one is that of another version of this program."""

_FOLDER = "profiles"


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


def write_profile(profile: ModelProfile, weights: Path) -> Path:
    """Write a profile beside the weights, and return where."""
    return write_beside(weights, _FOLDER, FORMAT, asdict(profile))


def read_profile(card: ModelCard, weights: Path) -> ModelProfile | None:
    """Read the profile of a model; None where nobody made one, or for other weights or another version.

    Raises
    ------
    ModelError
        If the file is no profile.
    """
    return read_beside(
        ModelProfile,
        weights,
        card.sha256,
        folder=_FOLDER,
        version=FORMAT,
        what="profile of a model",
        command="profile",
    )


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
