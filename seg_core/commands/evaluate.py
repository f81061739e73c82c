"""The command ``evaluate``."""

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from seg_core.classes import MONUSAC
from seg_core.commands.analysis_options import add_engine_options, engine_settings
from seg_core.commands.terminal import Subparsers, add_json, counting_bar, write_json
from seg_core.evaluation.card_figures import keep_in_card
from seg_core.evaluation.evaluate import evaluate
from seg_core.evaluation.scan import SAME_SCAN, Scan
from seg_core.labelled.data_sets import DATA_SETS, MONUSAC_DATA
from seg_core.settings import AnalysisSettings, StainName


def add_evaluate(subparsers: Subparsers) -> None:
    """Add ``evaluate``: measure a model by labelled images."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure a model by labelled images",
        description="Measure a model by labelled images: a folder a patient with .svs or .tif and "
        ".xml as the MoNuSAC challenge has them, or images/, inst/, class/ and ignore/.",
    )
    defaults = AnalysisSettings()
    parser.add_argument("--data", metavar="DIR", type=Path, required=True)
    add_engine_options(parser, precision="fp32", words="default: fp32")
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
        help="size of the images' pixels, instead of the model's",
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
        help="images to measure by (stems, with a * all that fit), instead of all",
    )
    parser.add_argument(
        "--card-entry", metavar="NAME", help="keep the figures in the model's card under this name"
    )
    parser.add_argument("--predictions", metavar="DIR", type=Path, help="write predictions there")
    add_json(parser)
    parser.set_defaults(run=_evaluate, parser=parser)


def _evaluate(options: argparse.Namespace) -> int:
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
            report=report,
        )
    if options.card_entry:
        keep_in_card(options.card_entry, _command(options), result, options.model)
    sys.stdout.write(_in_words(result))
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
    """Return the figures that matter most as lines, each with its interval."""
    rough = " (rough: few patients)" if result["bootstrap"]["rough"] else ""
    data = f"{result['images']} images of {result['patients']} patients"
    lines = [f"{data}; figures with 95 % intervals{rough}"]
    for *path, name in _SHOWN:
        values, intervals = result, result["interval95"]
        for part in path:
            values, intervals = values.get(part) or {}, intervals.get(part) or {}
        value, interval = values.get(name), intervals.get(name)
        if value is not None:
            between = "" if interval is None else f"  {interval[0]:.3f} to {interval[1]:.3f}"
            label = " ".join([*path[1:], name])
            lines.append(f"{label:<24}{value:.3f}{between}")
    spurious = result.get("instance", {}).get("spurious") or {}
    lines += [
        f"{name:<24}none in the reference, {count} spurious"
        for name, count in spurious.items()
        if not result["reference"][name]
    ]
    return "\n".join(lines) + "\n"


_SHOWN = (
    ("pixel", "class_mean_iou"),
    *(
        ("instance", name)
        for name in (
            *("bpq", "aji", "aji_plus", "detection_f1", "detection_f1_hovernet"),
            *("mpq_plus", "macro_f1"),
        )
    ),
    ("dots", "detected"),
    *(("dots", "f1", name) for name in MONUSAC.names_with_other),
)


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
