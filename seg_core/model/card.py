"""What stands beside a file of weights: all that depends on the model and not on the program."""

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seg_core.classes import MONUSAC, ClassScheme
from seg_core.errors import ModelError, quoted, told_by
from seg_core.files.atomic import replacing
from seg_core.files.sealed import checksum_of
from seg_core.files.typed import filled
from seg_core.model.int8 import Int8Graph

WEIGHTS_FOLDER = Path(__file__).parents[2] / "weights"
MODEL_VARIABLE = "SEG_MODEL"
"""Environment variable that names the model to use where nobody chooses one."""

OWN_MODELS_VARIABLE = "SEG_MODELS"
"""Environment variable that names the folder of models that were added to those of the program."""

ARCHITECTURE = "two-head-unet"

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_MOST_PX, _MOST_CHANNELS = 8192, 4096  # far beyond any network that a machine can run


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model's facts, kept as JSON beside its weights."""

    name: str
    """What people call it; the card is ``<name>.json``."""

    file: str
    """Name of the file of weights beside the card."""

    sha256: str
    """Checksum of that file."""

    encoder: str
    """Name of the encoder in segmentation_models_pytorch."""

    mpp: float
    """µm per pixel the network was trained at."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    """Per channel, of an image scaled to 0–1: the network sees ``(x - mean) / std``."""

    scheme: ClassScheme = MONUSAC
    architecture: str = ARCHITECTURE
    decoder_channels: tuple[int, ...] = (256, 128, 64, 32, 16)
    tile_px: int = 256
    """Side of the tiles it was trained on."""

    default: bool = False
    """The one to take where nobody chooses."""

    title: str = ""
    """A sentence for the person who chooses a model."""

    licence: str = ""
    data: str = ""
    """What it was trained on, and what that means for its figures."""

    metrics: dict[str, Any] = field(default_factory=dict)
    int8: Int8Graph | None = None
    """The graph in 8-bit integers, where one was made."""

    def __post_init__(self) -> None:
        if self.architecture != ARCHITECTURE:
            raise ModelError(
                f"the model {quoted(self.name)} is a {quoted(self.architecture)}; "
                f"this program runs a {ARCHITECTURE!r}, choose another model."
            )
        if not self.mpp > 0 or len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ModelError(
                f"the card of {quoted(self.name)} needs mpp above 0 and three means and standard "
                "deviations; correct the card."
            )
        if not 16 <= self.tile_px <= _MOST_PX or not all(
            0 < each <= _MOST_CHANNELS for each in self.decoder_channels
        ):
            raise ModelError(
                f"the card of {quoted(self.name)} needs tiles of 16 to {_MOST_PX} px and decoder channels "
                f"of 1 to {_MOST_CHANNELS}; correct the card."
            )

    def to_json(self) -> dict[str, Any]:
        """Return the card as it is written."""
        return {
            "name": self.name,
            "title": self.title,
            "default": self.default,
            "file": self.file,
            "sha256": self.sha256,
            "architecture": self.architecture,
            "encoder": self.encoder,
            "decoder_channels": list(self.decoder_channels),
            "mpp": self.mpp,
            "tile_px": self.tile_px,
            "mean": list(self.mean),
            "std": list(self.std),
            "classes": self.scheme.to_json(),
            "licence": self.licence,
            "data": self.data,
            "metrics": self.metrics,
            **({"int8": self.int8.to_json()} if self.int8 else {}),
        }


def read_card(path: Path) -> ModelCard:
    """Read a card.

    Raises
    ------
    ModelError
        If the file is no card.
    """
    try:
        entries = json.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _no_card(path, "it cannot be read as JSON") from error
    if not isinstance(entries, dict):
        raise _no_card(path, "it is no JSON object")
    try:
        scheme = ClassScheme.from_json(entries.pop("classes"))
        return replace(filled(ModelCard, entries, extra="ignore"), scheme=scheme)
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_card(path, "its classes are missing or of another kind") from error
    except ValueError as error:
        raise _no_card(path, told_by(error)) from error


def _no_card(path: Path, reason: str) -> ModelError:
    return ModelError(
        f"{path.name} is no model card ({reason}); put the card that belongs to the weights beside "
        "them."
    )


def write_card(card: ModelCard, path: Path) -> None:
    """Write a card as JSON, whole or not at all: half a card would be no model."""
    text = json.dumps(card.to_json(), indent=2, ensure_ascii=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def own_models_folder() -> Path:
    """Return ``SEG_MODELS``, else a folder beside the weights that come with the program."""
    return Path(os.environ.get(OWN_MODELS_VARIABLE) or WEIGHTS_FOLDER / "own")


def available_models(folder: Path | None = None) -> list[ModelCard]:
    """List the cards of a folder, the default first, then by name.

    Parameters
    ----------
    folder : Path, optional
        By default ``weights/`` and the folder of models that were added to them.
    """
    paths = [path for each in _folders(folder) for path in sorted(each.glob("*.json"))]
    return sorted(map(read_card, paths), key=lambda card: (not card.default, card.name))


def _folders(folder: Path | None) -> tuple[Path, ...]:
    return (WEIGHTS_FOLDER, own_models_folder()) if folder is None else (folder,)


def card_of_weights(sha256: str) -> ModelCard | None:
    """Return the card of exactly these weights; None where this program does not have them."""
    return next((card for card in available_models() if card.sha256 == sha256), None)


def find_model(
    name: str | Path | None = None, folder: Path | None = None
) -> tuple[ModelCard, Path]:
    """Find a model by name or by file.

    Parameters
    ----------
    name : str or Path, optional
        The name of a card, or a file: ``.safetensors`` with its card beside it, or
        a ``.pt`` checkpoint of the original project. Without it the environment variable
        ``SEG_MODEL`` is asked, then the default card is taken.
    folder : Path, optional
        Where the named models are; see `available_models`.

    Returns
    -------
    card : ModelCard
    weights : Path
        The file; its checksum is that of the card.

    Raises
    ------
    ModelError
        If there is no such model, or its file is missing or not the one the card means.
    """
    name = name or os.environ.get(MODEL_VARIABLE) or None
    if name is not None and Path(name).suffix in {".safetensors", ".pt", ".pth"}:
        return _model_of_file(Path(name))
    cards = available_models(folder)
    chosen = cards[:1] if name is None else [card for card in cards if card.name == name]
    if not chosen:
        known = ", ".join(card.name for card in cards) or "none"
        wanted = "there is no model" if name is None else f"there is no model {str(name)!r}"
        raise ModelError(
            f"{wanted} in {(folder or WEIGHTS_FOLDER).name}/ (found: {known}); name one of these or give "
            "a file."
        )
    places = [each / chosen[0].file for each in _folders(folder)]
    there = next((each for each in places if each.is_file()), places[0])
    return chosen[0], _checked(there, chosen[0].sha256)


def _model_of_file(path: Path) -> tuple[ModelCard, Path]:
    if not path.is_file():
        raise ModelError(f"there is no file {path.name}; give the path of a file of weights.")
    if path.suffix == ".safetensors":
        beside = path.with_suffix(".json")
        if not beside.is_file():
            raise ModelError(
                f"{path.name} has no card; put {beside.name}, its model card, beside it."
            )
        card = read_card(beside)
        return card, _checked(path, card.sha256)
    return _card_of_checkpoint(path), path


def _card_of_checkpoint(path: Path) -> ModelCard:
    """Return the card of a checkpoint of the original project, whose layout has none."""
    card = ModelCard(
        name=path.stem,
        title="Checkpoint of the original project",
        file=path.name,
        sha256=checksum_of(path),
        encoder="resnet34",
        mpp=0.25,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
    )
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return card
    try:
        entries = json.loads(beside.read_text(encoding="utf-8"))
        config = entries.get("config", {})
        encoder = config.get("encoder", config.get("encoder_name", card.encoder))
        metrics = entries.get("extra_json", {}).get("val_metrics", {})
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{beside.name} beside {path.name} cannot be read ({told_by(error)}); repair or remove it."
        ) from error
    return replace(card, encoder=encoder, metrics=metrics)


def _checked(path: Path, sha256: str) -> Path:
    if not path.is_file():
        raise ModelError(f"the weights {path.name} are missing; put them beside their card.")
    found = checksum_of(path)
    if found != sha256:
        raise ModelError(
            f"{path.name} has the checksum {found[:12]}…, its card says {sha256[:12]}…; "
            "download the weights and the card again."
        )
    return path
