"""The labelled images that a model was never trained on, as its training's configuration names them."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seg_core.labelled.data_sets import data_set_of
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.labelled.reading import read_labelled
from seg_core.training.config import read_config

CONFIG = Path("weights/training/lite0-sixth.toml")
"""Of the training that the shipped weights come from."""


def bench_options(
    words: str, most: int, *, parents: Sequence[argparse.ArgumentParser] = ()
) -> argparse.Namespace:
    """Read what a bench on held-out images is told: ``config``, ``most`` images a set, ``model``."""
    parser = argparse.ArgumentParser(
        description=words,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=list(parents),
    )
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--most", type=int, default=most, help="images of each set")
    parser.add_argument("--model")
    return parser.parse_args()


def held_out_stems(config: Path, name: str) -> set[str]:
    """Return the images of a data set that a training's configuration holds out."""
    sources = read_config(config).sources
    return {stem for each in sources if each.name == name for stem in each.hold_out}


def held_out_images(config: Path, most: int | None = None) -> dict[str, list[LabelledImage]]:
    """Return the images of each folder that the training's configuration holds out.

    Parameters
    ----------
    config : Path
        TOML, see ``weights/training/``.
    most : int, optional
        Of each folder so many at most, spread evenly over the list.
    """
    training = read_config(config)
    held: dict[str, list[LabelledImage]] = {}
    for source in training.sources:
        if source.hold_out:
            images = read_labelled(Path(source.folder), data_set_of(source.name))
            held[Path(source.folder).name] = list(images.only(source.hold_out))
    for source in training.validation:
        folder = Path(source.folder)
        if folder.name == "val":  # a folder that is held out whole
            held[f"{folder.parent.name}/{folder.name}"] = list(
                read_labelled(folder, data_set_of(source.name))
            )
    return {name: spread(images, most) for name, images in sorted(held.items())}


def spread(images: Sequence[LabelledImage], most: int | None) -> list[LabelledImage]:
    """Return so many images at most, spread evenly over their list."""
    if most is None or len(images) <= most:
        return list(images)
    return [images[i] for i in np.linspace(0, len(images) - 1, most).astype(int)]
