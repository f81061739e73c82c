"""The command ``directions``: what the types of a model's training data differ in."""

import argparse

from seg_core.commands.terminal import Subparsers, add_config_and_model, counting_bar, say
from seg_core.evaluation.type_directions import learn_directions, typed_nuclei
from seg_core.model import find_model
from seg_core.teaching.directions import write_directions
from seg_core.training.config import read_config

_DESCRIPTION = """\
Let a model look at the images it was trained on, and learn what the types that their data sets tell
apart differ in (plasma cells and eosinophils among them, which the model does not name). A classifier
that is taught by a few clicks may weigh these few numbers instead of all features. New weights need
it once more.
"""


def add_directions(subparsers: Subparsers) -> None:
    """Add ``directions``: keep what the types of a model's training data differ in."""
    parser = subparsers.add_parser(
        "directions",
        help="keep what the types of a model's training data differ in, for those who teach",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_and_model(parser)
    parser.set_defaults(run=_directions, parser=parser)


def _directions(options: argparse.Namespace) -> int:
    # torch takes seconds to import and the other commands' help does without
    from seg_core.training.dataset import read_images

    config = read_config(options.config)
    card, weights = find_model(options.model)
    images = [image for source in config.sources for image in read_images(source)]
    with counting_bar("training images", " images") as report:
        nuclei = typed_nuclei(images, options.model, report=report)
    command = (
        f"python -m seg_core directions --config weights/training/{options.config.name}"
        f" --model {card.name}"
    )
    directions = learn_directions(nuclei, card.sha256, command)
    path = write_directions(directions, weights)
    for each in directions.sets:
        counts = ", ".join(f"{count:,} {name}" for name, count in each.nuclei.items())
        say(f"{each.title}: {counts}.")
    say(f"{path} written.")
    return 0
