"""The command ``profile``: what a model's training images are like."""

import argparse
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from seg_core.commands.terminal import Subparsers, add_config_and_model, counting_bar, say
from seg_core.evaluation.profiling import (
    DOUBLINGS,
    areas_of,
    learn_familiarity,
    learn_scale,
    limit_of,
    look_closely,
    look_over,
)
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model import Engine, ModelCard, find_model, make_engine
from seg_core.plausibility.profile import ModelProfile, needed_profile, write_profile
from seg_core.settings import AnalysisSettings
from seg_core.training.config import SourceConfig, TrainConfig, read_config

_DESCRIPTION = """\
Let a model look at the images it was trained on, and keep what their nuclei are like: how large, and
what the network knows of them. By this the size of a pixel is estimated (the command mpp), and a
slide that is unlike all of them carries a warning. New weights need it once more, last of all.
Where the cloud of the training images ends is said by the images that the configuration keeps for
[[calibration]], or else [[validation]].
"""


def add_profile(subparsers: Subparsers) -> None:
    """Add ``profile``: keep what a model's training images are like."""
    parser = subparsers.add_parser(
        "profile",
        help="keep what a model's training images are like, the measure for other slides",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_and_model(parser)
    parser.add_argument(
        "--only-limit",
        action="store_true",
        help="leave the profile as it is but for the limit of what is familiar",
    )
    parser.set_defaults(run=_profile, parser=parser)


def _profile(options: argparse.Namespace) -> int:
    config = read_config(options.config)
    card, weights = find_model(options.model)
    engine = make_engine(card, weights, AnalysisSettings())
    if options.only_limit:
        profile = needed_profile(card, weights)
    else:
        profile = _learnt(config, f"weights/training/{options.config.name}", engine, card)
    with counting_bar("validation images", " images") as report:
        others = look_closely(
            _images(config.calibration or config.validation), engine, card, report=report
        )
    limit = limit_of(profile.familiarity, others)
    profile = replace(profile, familiarity=replace(profile.familiarity, limit=limit))
    path = write_profile(profile, weights)
    areas = "; ".join(
        f"{name} {middle:g} ({low:g} to {high:g})"
        for name, (low, middle, high) in profile.areas_um2.items()
    )
    say(f"Median nuclear areas of {sum(profile.images.values())} images, µm²: {areas}.")
    say(
        f"On 95 of 100 images of a data set that was left out an estimated pixel size is off by a factor of "
        f"{2 ** (1.96 * profile.scale.spread):.2f} at most, and a right one seems wrong by {2**profile.scale.limit:.2f}."
    )
    say(f"One validation image in forty is further than {profile.familiarity.limit:g}.")
    say(f"{path} written.")
    return 0


def _learnt(config: TrainConfig, name: str, engine: Engine, card: ModelCard) -> ModelProfile:
    """Return a profile of the training images, without a limit."""
    training = _images(config.sources)
    with counting_bar("training images", " images") as report:
        seen = look_over(training, DOUBLINGS, engine, card, report=report)
    as_they_are = [each for each in seen if each.doublings == 0]
    return ModelProfile(
        card.sha256,
        f"python -m seg_core profile --config {name}",
        {name: sum(each.folder == name for each in as_they_are) for name in training},
        areas_of(as_they_are),
        learn_scale(seen),
        learn_familiarity(as_they_are),
    )


def _images(sources: Iterable[SourceConfig]) -> dict[str, list[LabelledImage]]:
    """Return the images of each folder."""
    # torch takes seconds to import and the other commands' help does without
    from seg_core.training.dataset import read_images

    folders: defaultdict[str, list[LabelledImage]] = defaultdict(list)
    for source in sources:
        folder = Path(source.folder)
        # monusac/train and monusac/val are two folders of one data set
        name = f"{folder.parent.name}/{folder.name}" if folder.name in _PARTS else folder.name
        folders[name] += read_images(source)
    return folders


_PARTS = ("train", "val")
