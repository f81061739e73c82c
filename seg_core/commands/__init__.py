"""The command line.

Exit status 0 done, 1 something failed (each failure is one sentence on stderr), 2 wrong use.
Progress goes to stderr. What a program wants to read goes to stdout: with ``--json`` its last line
is one JSON object.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from seg_core.commands.terminal import PROGRAM, Subparsers, fail
from seg_core.errors import SegCoreError
from seg_core.files.outputs import json_spelled_out
from seg_core.process.logs import start_logging


@dataclass(frozen=True, slots=True)
class Command:
    """A command, whose module is imported when it is called and not before.

    Attributes
    ----------
    name : str
    words : str
        What it does, in the list of commands.
    module : str
        In `seg_core.commands`; its function ``add_<name>`` adds the parser, whose default ``run``
        takes the options and returns the exit status.
    """

    name: str
    words: str
    module: str

    def add_to(self, subparsers: Subparsers) -> None:
        """Import the command and add its parser with all options."""
        module = import_module(f"{__name__}.{self.module}")
        getattr(module, f"add_{self.name}")(subparsers)


COMMANDS = (
    Command("analyse", "find the nuclei of one or more slides", "analyse"),
    Command("mpp", "estimate how large a slide's pixels are", "mpp"),
    Command("cohort", "find the nuclei of many slides, on this machine or a cluster", "cohort"),
    Command("catalog", "list all runs of a store, or ask about them in SQL", "catalog"),
    Command("check", "tell what of a store is damaged", "check"),
    Command("export", "write files from a finished run", "export"),
    Command("til", "score the tumour-infiltrating lymphocytes of a run", "til"),
    Command("teach", "teach a classifier of nuclei from labels", "teach"),
    Command("classify", "let a taught classifier name the nuclei of runs", "teach"),
    Command("masks", "write corrections as images to train with", "masks"),
    Command(
        "evaluate",
        "measure a model on labelled images, or a run against a reference of its slide",
        "evaluate",
    ),
    Command("patches", "cut labelled images into patches, split by patient", "training"),
    Command("train", "train a model from a configuration file", "training"),
    Command("runs", "list training runs and compare them", "training"),
    Command("context", "learn to name nuclei by what is around them", "context"),
    Command("calibrate", "make class scores mean what they say, by labelled images", "calibrate"),
    Command(
        "profile",
        "keep what a model's training images are like, the measure for other slides",
        "profile",
    ),
    Command(
        "directions",
        "keep what the types of a model's training data differ in, for those who teach",
        "directions",
    ),
    Command("quantise", "make a model's graph in 8-bit integers, and measure it", "quantise"),
    Command("bench", "time the engines against the original project's way", "bench"),
)
"""All commands, in the order of ``--help``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    status : int
        0 done, 1 something failed; wrong use ends the process with 2.
    """
    given = json_spelled_out(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Find and classify the nuclei of H&E-stained whole slides."
    )
    subparsers = parser.add_subparsers(required=True, metavar="command")
    try:
        for command in COMMANDS:
            if command.name in given:
                command.add_to(subparsers)
            else:
                subparsers.add_parser(command.name, help=command.words)
        options = parser.parse_args(given)
        start_logging()
        status: int = options.run(options)
    except SegCoreError as error:
        return fail(error)
    except KeyboardInterrupt:
        return fail("stopped.")
    return status
