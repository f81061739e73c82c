"""The command ``calibrate``: make the scores of a model's classes mean what they say."""

import argparse
import sys
from collections import defaultdict
from dataclasses import replace

from tqdm import tqdm

from seg_core.classes import ClassScheme
from seg_core.commands.terminal import add_config_and_model
from seg_core.errors import counted
from seg_core.evaluation.calibration import ENTRY, Votes, calibrate, report_of, votes_on
from seg_core.evaluation.card_figures import rounded
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model import find_model, write_card
from seg_core.settings import AnalysisSettings
from seg_core.training.config import read_config

_DESCRIPTION = """\
Calibrate the votes of a model's classes by the labelled images that a training's configuration
keeps for it, [[calibration]] or else [[validation]], so that of the nuclei with a class score of .8
eight in ten are right. The weights of the votes and what they change go into the model's card.
"""


def add_calibrate(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``calibrate``: learn from labelled images how far each class's votes can be trusted."""
    parser = subparsers.add_parser(
        "calibrate",
        help="make class scores mean what they say, by labelled images",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_and_model(parser)
    parser.set_defaults(run=_calibrate, parser=parser)


def _calibrate(options: argparse.Namespace) -> int:
    # torch takes seconds to import and the other commands' help does without
    from seg_core.training.dataset import read_images

    config = read_config(options.config)
    images: defaultdict[str, list[LabelledImage]] = defaultdict(list)
    for source in config.calibration or config.validation:
        images[source.name] += read_images(source)
    settings = AnalysisSettings(precision="fp32")
    sets: dict[str, Votes] = {}
    for name, several in tqdm(images.items(), unit=" sets", disable=None):
        sets[name] = votes_on(several, options.model, settings)
    weights = calibrate(sets)
    report = report_of(sets, weights)
    card, path = find_model(options.model)
    scheme = card.scheme.without_votes()
    if weights is not None:
        scheme = ClassScheme(
            tuple(
                replace(each, vote=weight)
                for each, weight in zip(scheme.classes, weights, strict=True)
            )
        )
    metrics = {**card.metrics, ENTRY: rounded(report)}
    written = path.with_suffix(".json")
    write_card(replace(card, scheme=scheme, metrics=metrics), written)
    for name, row in report.items():
        before, after = row["before"], row["after"]
        sys.stdout.write(
            f"{name}: {counted(row['nuclei'], 'nucleus', 'nuclei')}, macro F1 {_said(before['macro_f1'])} to "
            f"{_said(after['macro_f1'])}, error of the score {before['error']:.3f} to "
            f"{after['error']:.3f}\n"
        )
    if weights is None:
        sys.stdout.write(
            "no weights that cost nothing make scores truer; votes stand as they are.\n"
        )
    sys.stdout.write(f"{written} written.\n")
    return 0


def _said(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}"
