"""The command ``mpp``."""

import argparse
from contextlib import closing
from pathlib import Path

from seg_core.commands.terminal import Subparsers, add_json, counting_bar, fail, say, write_json
from seg_core.errors import SegCoreError
from seg_core.files.outputs import refuse_inputs
from seg_core.model import find_model, make_engine
from seg_core.plausibility.pixel_size import estimate_pixel_size
from seg_core.plausibility.profile import needed_profile
from seg_core.settings import AnalysisSettings
from seg_core.slide import open_slide

_DESCRIPTION = """\
Estimate how large a level-0 pixel of a slide is, in µm, from the size of its nuclei on a few places.
Nothing is set by this: compare it with what the scanner's settings or the file say, and give analyse
what you believe with --mpp.
"""


def add_mpp(subparsers: Subparsers) -> None:
    """Add ``mpp``: estimate the size of a slide's pixels."""
    parser = subparsers.add_parser(
        "mpp",
        help="estimate how large a slide's pixels are",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("slides", metavar="SLIDE", nargs="+", type=Path)
    parser.add_argument("--model", metavar="NAME|FILE", help="instead of the default model")
    add_json(parser)
    parser.set_defaults(run=_mpp, parser=parser)


def _mpp(options: argparse.Namespace) -> int:
    if options.json:
        refuse_inputs([Path(options.json)], options.slides)
    card, weights = find_model(options.model)
    profile = needed_profile(card, weights)
    settings = AnalysisSettings()
    engine = make_engine(card, weights, settings)
    results, status = [], 0
    for path in options.slides:
        try:
            with closing(open_slide(path)) as slide, counting_bar(path.name, " looks") as report:
                stated = slide.info.mpp
                found = estimate_pixel_size(
                    slide,
                    engine,
                    profile.scale,
                    network_mpp=card.mpp,
                    scheme=card.scheme,
                    settings=settings,
                    report=report,
                )
        except SegCoreError as error:
            status = fail(error)
            results.append({"slide": path.name, "error": str(error)})
            continue
        file_says = "" if stated is None else f" The file says {stated:.4g}."
        say(f"{path.name}: {found.in_words()}{file_says}")
        results.append({"slide": path.name, "stated_mpp": stated, **found.to_json()})
    if options.json:
        write_json(results[0] if len(results) == 1 else {"slides": results}, options.json)
    return status
