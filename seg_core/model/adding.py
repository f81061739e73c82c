"""Add a model of one's own: weights and card are checked before any page or command offers it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from seg_core.errors import ModelError, told_by
from seg_core.files.atomic import take_file
from seg_core.files.sealed import checksum_of
from seg_core.files.temporary import temporary_folder
from seg_core.model.card import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    OWN_MODELS_VARIABLE,
    ModelCard,
    available_models,
    find_model,
    own_models_folder,
    read_card,
    write_card,
)

CHECKPOINTS = (".pt", ".pth")
"""Ends of the names of checkpoints of the original project, which have no card."""

WEIGHTS = (".safetensors", *CHECKPOINTS)
"""Ends of the names of files of weights."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


def card_template() -> str:
    """Return a card to be filled in, JSON; ``file`` and ``sha256`` are added from the weights.

    Examples
    --------
    >>> sorted(json.loads(card_template()))[:5]
    ['architecture', 'classes', 'data', 'decoder_channels', 'encoder']
    """
    card = ModelCard(
        name="my-model",
        file="",
        sha256="",
        encoder="resnet34",
        mpp=0.25,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        title="What people read who choose it",
        licence="What the data allow",
        data="What it was trained on, and on what it was validated.",
    ).to_json()
    for filled_in_here in ("file", "sha256", "default", "metrics"):
        del card[filled_in_here]
    return json.dumps(card, indent=2, ensure_ascii=False)


def add_model(weights_name: str, weights: bytes, card_text: str) -> ModelCard:
    """Check a model, and keep it where all pages and commands find it by its name.

    Parameters
    ----------
    weights_name : str
        Name of the file, with one of `WEIGHTS` at its end.
    weights : bytes
    card_text : str
        JSON. A checkpoint of the original project needs none: then what the file beside it says, or
        nothing, as ``--model`` takes it from a folder.

    Returns
    -------
    card : ModelCard

    Raises
    ------
    ModelError
        If the card is none, the weights are not those of the network that it describes, there is a
        model of that name, or the folder cannot be written.
    """
    source = Path(weights_name.replace("\\", "/"))
    suffix = source.suffix.lower()
    if suffix not in WEIGHTS:
        raise ModelError(
            f"{source.name} is no file of weights; give one that ends in {', '.join(WEIGHTS)}."
        )
    folder = own_models_folder()
    with temporary_folder() as temporary:
        kept = temporary / f"{_checked_name(source.stem)}{suffix}"
        kept.write_bytes(weights)
        card = _card_of(kept, card_text)
        _check_network(card, kept)
        described = temporary / "card.json"
        write_card(card, described)
        with _written_in(folder):
            folder.mkdir(parents=True, exist_ok=True)
            take_file(kept, folder / card.file)
            take_file(
                described, folder / f"{card.name}.json"
            )  # last, since a card alone is offered
    return card


def remove_model(card: ModelCard) -> None:
    """Remove a model of one's own; runs that it made stay as they are.

    Raises
    ------
    ModelError
        If it cannot be removed.
    """
    folder = own_models_folder()
    with _written_in(folder):
        (folder / f"{card.name}.json").unlink(missing_ok=True)
        (folder / card.file).unlink(missing_ok=True)


def is_own(card: ModelCard) -> bool:
    """Tell whether a model was added here, and did not come with the program."""
    return (own_models_folder() / f"{card.name}.json").is_file()


def _card_of(weights: Path, text: str) -> ModelCard:
    """Return the card of a file of weights that lies alone in a folder."""
    if weights.suffix in CHECKPOINTS and (not text.strip() or "classes" not in _entries(text)):
        if text.strip():
            weights.with_suffix(".json").write_text(text, encoding="utf-8")
        card, _ = find_model(weights)
    else:
        entries = _entries(text)
        name = _checked_name(str(entries.get("name", "")))
        found = checksum_of(weights)
        if entries.get("sha256", found) != found:
            raise ModelError(
                f"{weights.name} has the checksum {found[:12]}…, its card says "
                f"{str(entries['sha256'])[:12]}…; give the card that belongs to the weights."
            )
        file = f"{name}{weights.suffix}"
        written = weights.with_name("card.json")
        written.write_text(json.dumps({**entries, "file": file, "sha256": found}), encoding="utf-8")
        card = read_card(written)
    if any(each.name == card.name for each in available_models()):
        raise ModelError(f"there is a model {card.name!r} already; give this one another name.")
    return replace(card, default=False, int8=None)


def _entries(text: str) -> dict[str, Any]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"the card is no JSON ({told_by(error)}); correct it, or begin again from the template."
        ) from error
    if not isinstance(entries, dict):
        raise ModelError("the card is no JSON object; begin again from the template.")
    return entries


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ModelError(
            f"{name[:60]!r} is no name for a model; give one of letters, digits, points and dashes."
        )
    return name


def _check_network(card: ModelCard, weights: Path) -> None:
    # torch takes seconds to import, and whoever only looks at cards does without
    from seg_core.model.network import load_network

    load_network(card, weights)


@contextmanager
def _written_in(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(
            f"{folder} cannot be written ({error.strerror or error}); name another folder for your own "
            f"models with the environment variable {OWN_MODELS_VARIABLE}."
        ) from error
