"""The command ``masks``."""

import argparse
from pathlib import Path

from seg_core.commands.moved_slide import add_slide, needed_slide, with_slide
from seg_core.commands.terminal import Subparsers, fail, say
from seg_core.errors import SegCoreError, counted
from seg_core.labelled.corrected import DATA_SET, write_corrected
from seg_core.store import open_run


def add_masks(subparsers: Subparsers) -> None:
    """Add ``masks``: write what people corrected in a run as labelled images."""
    parser = subparsers.add_parser(
        "masks",
        help="write corrections as images to train with",
        description="Write what people corrected in a run as labelled images.",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="the folder analyse has named")
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        required=True,
        help="gets images/, inst/, class/ and ignore/, which train and evaluate read",
    )
    add_slide(parser)
    parser.add_argument(
        "--anonymous", action="store_true", help="leave the name of the slide out of the images'"
    )
    parser.add_argument("--force", action="store_true", help="replace a folder of that kind")
    parser.set_defaults(run=_masks)


def _masks(options: argparse.Namespace) -> int:
    try:
        run = with_slide(open_run(options.run_folder), options)
        with needed_slide(run):
            count = write_corrected(
                run, options.out, force=options.force, anonymous=options.anonymous
            )
    except SegCoreError as error:
        return fail(error)
    say(
        f"{options.out} written: {counted(count, 'nucleus', 'nuclei')}, to be read as {DATA_SET.name}."
    )
    return 0
