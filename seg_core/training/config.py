"""A training run as one TOML file: what to learn from, how long, how hard."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ValidationInfo

from seg_core.errors import DataError, SettingsError, quoted, told_by
from seg_core.files.typed import filled

LAST_STEP = "last step"
"""Stands in a soup for the weights that the run itself ends with, which are not always its best."""


def _from_its_folder(place: str, asked: ValidationInfo) -> str:
    if place in ("", "imagenet", LAST_STEP):
        return place
    return str(Path(str(asked.context), place).resolve())


Place = Annotated[str, AfterValidator(_from_its_folder)]
"""A file or folder, in a configuration relative to its own folder."""


@dataclass(frozen=True)
class SourceConfig:
    """One folder of labelled images, and what its labels may teach."""

    name: str
    """Whose labels: a key of `DATA_SETS`."""

    folder: Place
    """Relative to the folder of the configuration file."""

    share: float
    """Part of the crops taken from here."""

    hold_out: tuple[str, ...] = ()
    """Stems of images never trained on; with a ``*`` all that fit, such as those of a patient."""

    only: tuple[str, ...] = ()
    """Where given, the only stems taken, in the same words: the other side of a ``hold_out``."""

    centres: tuple[float, ...] = ()
    """Odds that a crop is centred on a nucleus of class 0 (other), 1, 2, …; what is left over is a
    place drawn at random."""

    outlined_by: Place = ""
    """Weights of a trained model that outlines the nuclei of a data set with dots; see
    `seg_core.training.dots`."""

    named_by: Place = ""
    """Weights of a trained model that names nuclei without a class; see `seg_core.training.naming`.
    """


@dataclass(frozen=True)
class LossConfig:
    """How wrong answers are weighed."""

    class_weights: tuple[float, ...] = (1.0, 1.2, 1.2, 2.0, 2.0)
    """Cross-entropy of a pixel by its class, background first. Empty: by median frequency, the
    median of the classes' shares of the labelled pixels over the class's own share (Eigen and
    Fergus 2015)."""

    weight_cap: float = 4.0
    """Weights by median frequency lie between one part in this and this."""

    dice: float = 0.5
    """Soft Dice of the semantic classes, beside cross-entropy."""

    ternary_weights: tuple[float, ...] = (1.0, 1.0, 1.5)
    """Cross-entropy of a pixel of the ternary map: background, inside, boundary."""

    ternary_dice: float = 0.5
    ternary: float = 1.0
    """The ternary loss beside the semantic one."""

    touching: float = 2.0
    """Extra weight of boundary between two nuclei that touch."""

    types: float = 0.0
    """Weight of telling apart what each data set tells apart by what is known of a nucleus, see
    `seg_core.training.types`; 0 for none."""

    focal_gamma: float = 0.0
    """Above 0 the cross-entropy is focal (Lin et al. 2017): easy pixels count less."""

    label_smoothing: float = 0.0


@dataclass(frozen=True)
class AugmentConfig:
    """How much a crop is changed before the network sees it."""

    scale: float = 0.25
    """Enlarged or shrunk by up to this part."""

    stain: float = 0.12
    """Standard deviation of the factor on each stain's density (HED space; Tellez et al. 2018)."""

    light: float = 0.08
    """Standard deviation of brightness and contrast."""

    blur: float = 0.15
    """Odds of a Gaussian blur."""

    low_resolution: float = 0.25
    """Odds that the crop is shrunk to half, compressed and enlarged again, as a 20x slide is."""

    jpeg: float = 0.25
    """Odds of JPEG compression of quality 30 to 95, twice as high for a crop shrunk to half."""

    elastic: float = 0.0
    """Odds of a smooth distortion."""

    paste: float = 0.0
    """Odds that rare nuclei are copied into the crop."""

    paste_classes: tuple[int, ...] = (3, 4)


@dataclass(frozen=True)
class DistilConfig:
    """A trained model as a second teacher: it has an answer everywhere, where labels have none."""

    teacher: Place = ""
    """File of its weights, with its card beside; empty for none."""

    weight: float = 1.0
    """Of its answers beside the labels."""

    temperature: float = 2.0
    """Above 1 softens answers, so that second choices teach too (Hinton et al. 2015)."""

    views: int = 1
    """1, 2, 4 or 8 flips and quarter turns whose answers the teacher averages: a pupil of its own
    kind learns to see at one look what the teacher sees at eight."""

    hints: float = 0.0
    """Weight of the distance between what the blocks of both decoders give; 0 for none."""

    decoder: bool = False
    """Start with the teacher's decoder and heads, as far as they fit the pupil's encoder."""


@dataclass(frozen=True)
class TrainConfig:
    """The whole of a run."""

    name: str
    encoder: str
    steps: int
    sources: tuple[SourceConfig, ...] = ()
    validation: tuple[SourceConfig, ...] = ()
    calibration: tuple[SourceConfig, ...] = ()
    """Images that the command ``calibrate`` goes by; those of the validation where there are none.
    """

    preset: str = "main"
    """A variant of the original project, a key of `PRESETS`; what the file says wins over it."""

    title: str = ""
    data: str = ""
    licence: str = ""
    default: bool = False
    """Whether the card makes this the model that is taken where none is named."""

    encoder_weights: Place = ""
    """Empty for random ones, "imagenet" for the hub's, or a file of a state dict."""

    start_from: Place = ""
    """Weights of an earlier run (safetensors) to go on from."""

    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    mpp: float = 0.25
    dropout: float = 0.2
    seed: int = 1
    crop_px: int = 256
    tile_px: int = 0
    """Tile that the card asks of the engine; 0 for the crops' size."""

    batch: int = 8
    learning_rate: float = 1e-3
    encoder_rate: float = 0.5
    """Learning rate of the encoder, as a part of the decoder's."""

    weight_decay: float = 1e-2
    warm_up: int = 200
    ema: float = 0.998
    bf16: bool = True
    threads: int = 1
    validate_every: int = 500
    patience: int = 0
    """Validations without a better one after which the run ends early; 0 never."""

    keep: Literal["best", "last"] = "best"
    """Whose weights the run leaves: the best step's by the validation's score, or the last's."""

    soup: tuple[Place, ...] = ()
    """Weights of earlier runs that count as much as this run's in the mean it leaves, or `LAST_STEP`;
    see `seg_core.training.soup`."""

    ternary_offsets: tuple[float, ...] = ()
    """Added to what the ternary head of the weights it leaves says of background, inside and
    boundary; see `seg_core.training.ternary_offsets`."""

    save_minutes: float = 4.0
    tensorboard: bool = False
    """Write the log for TensorBoard too, into the run's folder."""

    loss: LossConfig = LossConfig()
    augment: AugmentConfig = AugmentConfig()
    distil: DistilConfig = DistilConfig()

    def __post_init__(self) -> None:
        if self.crop_px % 32 or self.crop_px < 64:
            raise SettingsError(f"crop_px is {self.crop_px}; give a multiple of 32 from 64 on.")
        for name in ("steps", "batch", "validate_every"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}; give at least 1.")
        if len(self.ternary_offsets) not in (0, 3):
            raise SettingsError(
                f"ternary_offsets has {len(self.ternary_offsets)} numbers; give three, of background, "
                "inside and boundary, or none."
            )
        if self.keep not in ("best", "last"):
            raise SettingsError(f"keep is {quoted(self.keep)}; choose best or last.")
        if not self.sources:
            raise SettingsError("the configuration names no source; give at least one [[sources]].")


PRESETS: dict[str, dict[str, Any]] = {
    "main": {},
    "immune boost": {
        # rare immune cells are sampled more often and pasted into other crops
        "monusac_centres": (0.0, 0.2, 0.28, 0.26, 0.26),
        "augment": {"paste": 0.5},
    },
    # the ternary boundary counts more; 4 is the original's hard cap
    "boundary weight": {"loss": {"ternary_weights": (1.0, 1.0, 4.0)}},
}
"""The variants of the original project."""


def read_config(path: Path) -> TrainConfig:
    """Read a run's configuration; folders become absolute, seen from the file's own folder.

    Raises
    ------
    SettingsError
        If the file is no TOML or an option is unknown or missing.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path.name} cannot be read as TOML ({told_by(error)}); correct the file."
        ) from error
    preset = entries.get("preset", "main")
    if preset not in tuple(PRESETS):
        raise SettingsError(
            f"{path.name} asks for the preset {quoted(preset)}; choose one of {', '.join(PRESETS)}."
        )
    try:
        return filled(TrainConfig, _with_preset(entries, PRESETS[preset]), place=path.parent)
    except ValueError as error:
        raise SettingsError(f"{path.name}: {error}; correct the file.") from error


def _with_preset(entries: dict[str, Any], preset: dict[str, Any]) -> dict[str, Any]:
    """Return what a file says before a preset's words; whether it makes sense is seen later."""
    asked = dict(entries)
    for key in ("loss", "augment"):
        if key in preset and isinstance(asked.setdefault(key, {}), dict):
            asked[key] = preset[key] | asked[key]
    if "monusac_centres" in preset:
        centres = {"centres": preset["monusac_centres"]}
        for key in ("sources", "validation", "calibration"):
            if isinstance(asked.get(key), list):
                asked[key] = [
                    centres | each
                    if isinstance(each, dict) and each.get("name") == "monusac"
                    else each
                    for each in asked[key]
                ]
    return asked


def existing_folder(source: SourceConfig) -> Path:
    """Return a source's folder.

    Raises
    ------
    DataError
        If it does not exist.
    """
    folder = Path(source.folder)
    if not folder.is_dir():
        raise DataError(
            f"the folder {folder.name} of the source {quoted(source.name)} does not exist; "
            "correct `folder` in the configuration."
        )
    return folder
