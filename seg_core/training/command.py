"""``python -m seg_core train``."""

import argparse
import sys
from pathlib import Path

from seg_core.training.config import read_config


def add_train(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``train``: learn weights from labelled images."""
    parser = subparsers.add_parser(
        "train",
        help="train a model from a configuration file",
        description="Train a model. A run that was stopped goes on where it was.",
    )
    parser.add_argument(
        "--config", metavar="FILE", type=Path, required=True, help="TOML, see weights/training/"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="folder of the run: checkpoint, log, weights and card (default: runs/<name>)",
    )
    parser.set_defaults(run=_train, parser=parser)


def _train(options: argparse.Namespace) -> int:
    # torch takes seconds to import and the other commands' help does without
    from seg_core.training.train import train

    config = read_config(options.config)
    folder = options.out or Path("runs") / config.name
    card = train(config, folder)
    sys.stdout.write(f"{folder / card.file} and its card written.\n")
    return 0
