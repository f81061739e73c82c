"""The command ``evaluate``."""

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from seg_core.commands.analysis_options import add_engine_options, engine_settings
from seg_core.commands.evaluate_run import (
    RUN_OPTIONS,
    add_run_options,
    difference_lines,
    evaluate_run_asked,
    figure_lines,
)
from seg_core.commands.terminal import (
    Subparsers,
    add_json,
    counting_bar,
    refuse_ignored,
    write_json,
)
from seg_core.errors import counted
from seg_core.evaluation.card_figures import keep_in_card
from seg_core.evaluation.evaluate import evaluate
from seg_core.evaluation.scan import SAME_SCAN, Scan
from seg_core.labelled.data_sets import DATA_SETS, MONUSAC_DATA
from seg_core.settings import AnalysisSettings, StainName

DATA_OPTIONS = (
    *("model", "preset", "engine", "precision", "tile", "overlap", "views", "stain"),
    *(
        "with_model",
        "mpp",
        "classes",
        "reduce",
        "jpeg",
        "edge",
        "only",
        "card_entry",
        "predictions",
    ),
)
"""What is said of a model and images, and of no run."""


def add_evaluate(subparsers: Subparsers) -> None:
    """Add ``evaluate``: measure a model on labelled images, or a run against a reference."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure a model on labelled images, or a run against a reference of its slide",
        description="With --run and --reference measure a finished run against what somebody labelled on "
        "its slide. With --data measure a model on labelled images: a folder a patient with .svs or .tif and "
        ".xml as the MoNuSAC challenge has them, or images/, inst/, class/ and ignore/.",
    )
    defaults = AnalysisSettings()
    parser.add_argument("--data", metavar="DIR", type=Path, help="folder of labelled images")
    add_run_options(parser)
    add_engine_options(parser, precision="fp32", words="default: fp32")
    parser.add_argument(
        "--with-model",
        metavar="MODEL",
        help="measure a second model on the images too, and tell the paired difference",
    )
    parser.add_argument(
        "--stain",
        choices=get_args(StainName),
        default=defaults.stain,
        help="take each image's colours to those of the training data (default: none)",
    )
    parser.add_argument(
        "--mpp",
        metavar="UM",
        type=_above_zero,
        help="size of the images' pixels, instead of the data set's",
    )
    parser.add_argument(
        "--classes",
        choices=sorted(DATA_SETS),
        default=MONUSAC_DATA.name,
        help="whose labels these are (default: monusac)",
    )
    parser.add_argument(
        "--reduce",
        metavar="N",
        type=_from_one,
        default=SAME_SCAN.reduced,
        help="shrink the images so many times first: 2 shows images at 40x as 20x ones",
    )
    parser.add_argument(
        "--jpeg",
        metavar="QUALITY",
        type=_from_one,
        help="compress the images first, quality 1 to 100",
    )
    parser.add_argument(
        "--edge",
        metavar="UM",
        type=_not_below_zero,
        help="leave out what lies within so many µm of the images' edges, where nuclei are cut, in "
        "the reference and the answer (default: what the data set's description says)",
    )
    parser.add_argument(
        "--only",
        metavar="NAME",
        nargs="+",
        default=(),
        help="images to measure on (stems, with a * all that fit), instead of all",
    )
    parser.add_argument(
        "--card-entry", metavar="NAME", help="keep the figures in the model's card under this name"
    )
    parser.add_argument("--predictions", metavar="DIR", type=Path, help="write predictions there")
    add_json(parser)
    parser.set_defaults(run=_evaluate, parser=parser)


def _evaluate(options: argparse.Namespace) -> int:
    if (options.data is None) == (options.run_folder is None):
        options.parser.error("give either --data DIR, or --run RUN and --reference FILE")
    if options.run_folder is not None:
        refuse_ignored(
            options,
            DATA_OPTIONS,
            "a run is measured as it was analysed, on its slide (the size of the reference's pixels is "
            "--reference-mpp).",
        )
        return evaluate_run_asked(options)
    refuse_ignored(options, RUN_OPTIONS, "it belongs to --run, and --data brings its own labels.")
    if options.with_model and options.card_entry:
        options.parser.error("a card keeps the figures of one model; leave --with-model out")
    settings = replace(engine_settings(options), stain=options.stain)
    with counting_bar(options.data.name, " images") as report:
        result = evaluate(
            options.data,
            options.model,
            settings,
            mpp=options.mpp,
            classes=options.classes,
            edge_um=options.edge,
            only=options.only,
            scanned=Scan(options.reduce, options.jpeg),
            predictions=options.predictions,
            beside=options.with_model,
            report=report,
        )
    if options.card_entry:
        keep_in_card(options.card_entry, _command(options), result, options.model)
    sys.stdout.write(_in_words(result))
    if options.with_model:
        second = result["beside"]
        lines = [f"beside it {second['model']['name']}", *figure_lines(second)]
        sys.stdout.write("\n".join([*lines, *difference_lines(result)]) + "\n")
    if options.json:
        write_json(result, options.json, indent=2)
    return 0


def _command(options: argparse.Namespace) -> str:
    """Return what was asked, with the last two folders of the data instead of a machine's path."""
    parts = ["python -m seg_core evaluate --data", "/".join(options.data.resolve().parts[-2:])]
    asked = {"model": options.model and Path(options.model).name, "classes": options.classes}
    asked |= {"reduce": options.reduce, "jpeg": options.jpeg, "mpp": options.mpp}
    asked |= {"preset": options.preset, "precision": options.precision}
    asked |= {"tile": options.tile, "overlap": options.overlap}
    asked |= {"views": options.views, "stain": options.stain, "edge": options.edge}
    asked |= {"only": " ".join(options.only)}
    for name, value in asked.items():
        if value not in (None, "") and value != options.parser.get_default(name):
            parts.append(f"--{name} {value}")
    return " ".join(parts)


def _in_words(result: dict[str, Any]) -> str:
    """Return what was measured and the figures that matter most."""
    rough = " (rough: few patients)" if result["bootstrap"]["rough"] else ""
    data = f"{counted(result['images'], 'image')} of {counted(result['patients'], 'patient')}"
    return "\n".join([f"{data}; figures with 95 % intervals{rough}", *figure_lines(result)]) + "\n"


def _from_one(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} will not do; give a whole number, 1 to 100.")
    return int(text)


def _above_zero(text: str) -> float:
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give µm per pixel, such as 0.25.")
    return value


def _not_below_zero(text: str) -> float:
    value = _number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no width; give µm, such as 3.")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
