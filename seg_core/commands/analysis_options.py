"""The options of an analysis, for every command that starts one."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

from seg_core.errors import SegCoreError, SettingsError
from seg_core.geometry import Region
from seg_core.model import find_model, suits_int8
from seg_core.settings import PRESETS, AnalysisSettings, EngineName, Precision, StainName


def add_analysis_options(
    parser: argparse.ArgumentParser,
    *,
    mpp_words: str = "size of a level-0 pixel, where the slide errs",
) -> None:
    """Add what an analysis can be told; `analysis_settings` reads most of it.

    Parameters
    ----------
    parser : ArgumentParser
    mpp_words : str
        What the help says of the size of a pixel.
    """
    defaults = AnalysisSettings()
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--region", metavar="X,Y,W,H", type=_region, help="a part of the slide, level-0 pixels"
    )
    part.add_argument(
        "--roi", metavar="FILE", type=Path, help="GeoJSON polygons; each becomes a run"
    )
    add_engine_options(parser)
    parser.add_argument("--mpp", metavar="UM", type=float, help=mpp_words)
    parser.add_argument(
        "--no-tissue", action="store_true", help="look at glass too, not at tissue alone"
    )
    parser.add_argument(
        "--no-quality",
        action="store_true",
        help="count pen marks as tissue, and do not look for what is out of focus",
    )
    parser.add_argument(
        "--stain",
        choices=get_args(StainName),
        default=defaults.stain,
        help="take the slide's colours to those of the training data (default: none)",
    )


def add_engine_options(
    parser: argparse.ArgumentParser, *, precision: Precision = "auto", words: str | None = None
) -> None:
    """Add which network looks at tiles, and how; for every command that runs one over images.

    Parameters
    ----------
    parser : ArgumentParser
    precision : str
        The default, which an evaluation wants as exact as it can be had.
    words : str, optional
        What the help says of the precision.
    """
    defaults = AnalysisSettings()
    parser.add_argument("--model", metavar="NAME|FILE", help="instead of the default model")
    parser.add_argument(
        "--preset",
        choices=list(PRESETS),
        help="options that go together; single ones overrule it. "
        + "; ".join(f"{preset.name}: {preset.words}" for preset in PRESETS.values()),
    )
    parser.add_argument("--engine", choices=get_args(EngineName), default=defaults.engine)
    parser.add_argument("--precision", choices=get_args(Precision), help=words)
    parser.add_argument(
        "--tile", metavar="PX", type=int, help=f"side of a tile (default: {defaults.tile_px})"
    )
    parser.add_argument(
        "--overlap",
        metavar="PX",
        type=int,
        help=f"what neighbouring tiles share (default: {defaults.overlap_px})",
    )
    parser.add_argument(
        "--views",
        metavar="N",
        type=int,
        help="average the answers on 2, 4 or 8 views of each tile, flipped and turned (test-time "
        "augmentation)",
    )
    parser.set_defaults(usual_precision=precision)


def engine_settings(options: argparse.Namespace) -> AnalysisSettings:
    """Return what `add_engine_options` was told; wrong options end the process with 2.

    Raises
    ------
    ModelError
        If a preset is asked for and the model cannot be found.
    """
    try:
        settings = AnalysisSettings(engine=options.engine, precision=options.usual_precision)
        if options.preset is not None:
            int8 = options.engine != "torch" and suits_int8(find_model(options.model)[0])
            settings = PRESETS[options.preset].applied(settings, int8=int8)
        given = {
            "precision": options.precision,
            "tile_px": options.tile,
            "overlap_px": options.overlap,
            "views": options.views,
        }
        return replace(settings, **{k: each for k, each in given.items() if each is not None})
    except SettingsError as error:
        cast("argparse.ArgumentParser", options.parser).error(str(error))


def analysis_settings(options: argparse.Namespace) -> AnalysisSettings:
    """Return the settings that the options say; wrong ones end the process with 2."""
    return replace(
        engine_settings(options),
        tissue_only=not options.no_tissue,
        quality=not options.no_quality,
        stain=options.stain,
    )


def _region(text: str) -> Region:
    try:
        x, y, width, height = (int(part) for part in text.split(","))
        return Region(x, y, width, height)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no region; give four whole numbers X,Y,W,H in level-0 pixels."
        ) from None
    except SegCoreError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
