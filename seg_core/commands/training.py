"""``python -m seg_core patches``, ``train`` and ``runs``."""

import argparse
import sys
from pathlib import Path

from seg_core.commands.terminal import Subparsers, counting_bar
from seg_core.files.atomic import new_text_file
from seg_core.files.csv import write_csv
from seg_core.labelled.patches import MANIFEST, export_patches
from seg_core.training.config import read_config
from seg_core.training.runs import compare, read_runs, report_html


def add_patches(subparsers: Subparsers) -> None:
    """Add ``patches``: cut labelled images into patches."""
    parser = subparsers.add_parser(
        "patches",
        help="cut labelled images into patches, split by patient",
        description="Cut labelled images into patches in the mask layout, with a manifest.",
    )
    parser.add_argument(
        "--source",
        metavar="DIR",
        type=Path,
        action="append",
        required=True,
        help="the challenge's layout or the mask layout; may be given several times",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True)
    parser.add_argument("--size", metavar="PX", type=int, default=256)
    parser.add_argument("--stride", metavar="PX", type=int, default=128)
    parser.add_argument(
        "--min-foreground", metavar="SHARE", type=float, default=0.01, help="default: 0.01"
    )
    parser.add_argument(
        "--validation", metavar="SHARE", type=float, default=0.2, help="of the patients"
    )
    parser.set_defaults(run=_patches, parser=parser)


def _patches(options: argparse.Namespace) -> int:
    with counting_bar("patches", " images") as report:
        warnings = export_patches(
            options.source,
            options.out,
            size_px=options.size,
            stride_px=options.stride,
            min_foreground=options.min_foreground,
            validation_share=options.validation,
            report=report,
        )
    for warning in warnings:
        sys.stderr.write(warning + "\n")
    sys.stdout.write(f"{options.out / MANIFEST} written.\n")
    return 0


def add_train(subparsers: Subparsers) -> None:
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


def add_runs(subparsers: Subparsers) -> None:
    """Add ``runs``: compare training runs."""
    parser = subparsers.add_parser(
        "runs", help="list training runs and compare them", description="Compare training runs."
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="a run, or a folder of runs")
    parser.add_argument("--csv", metavar="FILE", type=Path, help="write the comparison")
    parser.add_argument("--report", metavar="FILE", type=Path, help="write curves and tables, HTML")
    parser.set_defaults(run=_runs, parser=parser)


def _runs(options: argparse.Namespace) -> int:
    runs = read_runs(options.folder)
    table = compare(runs)
    shown = table[["run", "encoder", "steps", "done", "best_step", "score"]]
    sys.stdout.write(shown.to_string(index=False) + "\n")
    if options.csv:
        with new_text_file(options.csv, force=True) as file:
            write_csv(table, file)
    if options.report:
        with new_text_file(options.report, force=True) as file:
            file.write(report_html(runs))
    return 0


def _train(options: argparse.Namespace) -> int:
    # torch takes seconds to import and the other commands' help does without
    from seg_core.training.train import train

    config = read_config(options.config)
    folder = options.out or Path("runs") / config.name
    card = train(config, folder)
    sys.stdout.write(f"{folder / card.file} and its card written.\n")
    return 0
