"""The command ``quantise``."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from seg_core.commands.terminal import Subparsers, counting_bar
from seg_core.evaluation.card_figures import rounded
from seg_core.evaluation.fast_settings import CARD_ENTRY, EXACT, measure_fast_settings
from seg_core.model import find_model, write_card
from seg_core.model.int8 import MOST_LOST_MPQ_PLUS
from seg_core.model.openvino_engine import has_bf16
from seg_core.quantisation.calibration import calibration_tiles
from seg_core.quantisation.quantise import Floating, quantise
from seg_core.settings import PRESETS, Precision

_TILES_PX = (256, 512, 1024)

_DESCRIPTION = """\
Make a model's graph in 8-bit integers, which is the fastest on a CPU, and measure it.

Two files are written beside the weights, <weights>-int8.xml and .bin, and the card beside them
says what they belong to. With --measure the card also gets what each faster setting (bf16, int8,
larger tiles) loses against fp32 at the default tiles, on the images as they are and shown as a scan
at 20x; *Fast* takes int8 only where, in its tiles, it loses at most half a point of mPQ+ on both. New weights need this once more. For
the shipped model, in five minutes on two cores:

  python -m seg_core quantise --calibrate ../shared/data/monusac/train --floating ends \\
                              --tiles 300 --measure ../shared/data/monusac/val

nncf is needed (pip install -r tests/requirements.txt), but not to use what it has made. Should
int8 lose too much, try --floating ends and more tiles.
"""


def add_quantise(subparsers: Subparsers) -> None:
    """Add ``quantise``: make and measure a model's graph in 8-bit integers."""
    parser = subparsers.add_parser(
        "quantise",
        help="make a model's graph in 8-bit integers, and measure it",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", metavar="NAME|FILE", help="instead of the default model")
    parser.add_argument(
        "--calibrate",
        metavar="DIR",
        type=Path,
        action="append",
        required=True,
        help="images of tissue at the model's resolution (DIR/images/ or DIR), best those of the "
        "training; the samples are always among them; may be given several times",
    )
    parser.add_argument(
        "--tiles", metavar="N", type=_at_least_one, default=100, help="to look at; default: 100"
    )
    parser.add_argument(
        "--floating",
        choices=get_args(Floating),
        default="none",
        help="what to leave in floating point: nothing, or the first convolution and the head",
    )
    parser.add_argument(
        "--measure", metavar="DIR", type=Path, help="labelled images with classes, to measure on"
    )
    parser.set_defaults(run=_quantise, parser=parser)


def _quantise(options: argparse.Namespace) -> int:
    card, _ = find_model(options.model)
    tiles = calibration_tiles(options.calibrate, card.mpp, card.tile_px, options.tiles)
    path = quantise(options.model, tiles, floating=options.floating)
    size = sum(path.with_suffix(suffix).stat().st_size for suffix in (".xml", ".bin"))
    sys.stdout.write(f"{path} and its .bin written, {size / 1e6:.1f} MB together.\n")
    if options.measure:
        rows = _measured(options.measure, options.model)
        _keep(rows, options)
        sys.stdout.write(_in_words(rows))
    return 0


def _measured(data: Path, model: str | None) -> list[dict[str, Any]]:
    precisions: list[Precision] = ["fp32", "bf16", "int8"] if has_bf16() else ["fp32", "int8"]
    settings = [
        replace(EXACT, precision=precision, tile_px=tile_px)
        for precision in precisions
        for tile_px in _TILES_PX
    ]
    settings.remove(EXACT)
    with counting_bar(data.name, " settings") as report:
        return measure_fast_settings(data, model, settings, report=report)


def _keep(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """Put what was measured into the card, and that of int8 as *Fast* takes it beside its graph."""
    card, weights = find_model(options.model)
    assert card.int8 is not None, "quantise has made it"
    kept = rounded(rows)
    figures = {
        "command": _command(options),
        "data": _last_folders(options.measure),
        "weights_sha256": card.sha256,
        "rows": kept,
    }
    fast_px = PRESETS["fast"].tile_px
    of_int8 = next(row for row in kept if (row["precision"], row["tile"]) == ("int8", fast_px))
    card = replace(
        card,
        int8=replace(card.int8, metrics={**of_int8, "command": figures["command"]}),
        metrics={**card.metrics, CARD_ENTRY: figures},
    )
    write_card(card, weights.with_suffix(".json"))


def _command(options: argparse.Namespace) -> str:
    """Return what was asked, with the last two folders of data instead of a machine's path."""
    parts = ["python -m seg_core quantise"]
    if options.model:
        parts.append(f"--model {Path(options.model).name}")
    parts += [f"--calibrate {_last_folders(folder)}" for folder in options.calibrate]
    for name in ("tiles", "floating"):
        if getattr(options, name) != options.parser.get_default(name):
            parts.append(f"--{name} {getattr(options, name)}")
    return " ".join([*parts, f"--measure {_last_folders(options.measure)}"])


def _last_folders(folder: Path) -> str:
    return "/".join(folder.resolve().parts[-2:])


def _in_words(rows: list[dict[str, Any]]) -> str:
    lines = ["setting        mPQ+    change   at 20x    change   same class   among nuclei"]
    for row in rows:
        enough = row["mpq_plus_change"] >= -MOST_LOST_MPQ_PLUS
        lines.append(
            f"{row['precision']} {row['tile']:>5}    {row['mpq_plus']:.4f}  "
            f"{row['mpq_plus_change_40x']:+.4f}   {row['mpq_plus_20x']:.4f}  "
            f"{row['mpq_plus_change_20x']:+.4f}   {row['same_class']:.4f}       "
            f"{row['same_class_of_nuclei']:.4f}{'' if enough else '   loses too much'}"
        )
    return "\n".join(lines) + "\n"


def _at_least_one(text: str) -> int:
    count = int(text) if text.isdigit() else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of tiles; give 100, for instance.")
    return count
