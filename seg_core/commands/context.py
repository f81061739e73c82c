"""The command ``context``: learn to name nuclei by what is around them."""

import argparse

from seg_core.commands.terminal import Subparsers, add_config_and_model, counting_bar, say
from seg_core.evaluation.told_nuclei import ToldNuclei, told_nuclei
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model import find_model
from seg_core.nuclei.context_head import write_context_head
from seg_core.training.config import read_config

_DESCRIPTION = """\
Let a model look at the images it was trained on, and learn how much the vote of a nucleus's pixels is
worth where the network knows this of the nucleus and of the nuclei within 100 µm. Analyses then name
nuclei by it. New weights need it once more; calibrate comes after it, and so does all that measures.
"""


def add_context(subparsers: Subparsers) -> None:
    """Add ``context``: learn to name nuclei by what is around them."""
    parser = subparsers.add_parser(
        "context",
        help="learn to name nuclei by what is around them",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_and_model(parser)
    parser.set_defaults(run=_context, parser=parser)


def _context(options: argparse.Namespace) -> int:
    # torch takes seconds to import and the other commands' help does without
    from seg_core.training.context_learning import learn_context_head
    from seg_core.training.dataset import read_images

    config = read_config(options.config)
    card, weights = find_model(options.model)
    told = [source for source in config.sources if not source.named_by]
    nuclei, held_out = (
        _told(what, [image for source in sources for image in read_images(source)], options.model)
        for what, sources in (
            ("training images", told),
            ("held-out images", config.calibration or config.validation),
        )
    )
    command = (
        f"python -m seg_core context --config weights/training/{options.config.name}"
        f" --model {card.name}"
    )
    with counting_bar("context head", " networks") as report:
        head = learn_context_head(
            nuclei,
            len(card.scheme.classes),
            card.sha256,
            command,
            held_out=held_out,
            report=report,
        )
    path = write_context_head(head, weights)
    say(", ".join(f"{name}: {count:,} nuclei" for name, count in head.nuclei.items()) + ".")
    say(f"{path} written.")
    return 0


def _told(what: str, images: list[LabelledImage], model: str | None) -> list[ToldNuclei]:
    """Let a model find the nuclei of images, and show how far that is."""
    from seg_core.training.context_learning import RADII_UM

    with counting_bar(what, " images") as report:
        return told_nuclei(images, model, RADII_UM, report=report)
