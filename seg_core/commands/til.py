"""The command ``til``."""

import argparse
from pathlib import Path

from seg_core.annotations import read_rois
from seg_core.commands.moved_slide import add_slide, needed_slide, with_slide
from seg_core.commands.terminal import Subparsers, add_json, say, write_json
from seg_core.digits import in_percent
from seg_core.roi import Roi
from seg_core.scoring import WHOLE, counted_of, joined, kept_rois, parts_of
from seg_core.scoring.assessment import assess, assess_parts, keep_scores
from seg_core.scoring.counted import FiguresVersion
from seg_core.store import Run, open_run
from seg_core.til import TilResult


def add_til(subparsers: Subparsers) -> None:
    """Add ``til``: score the tumour-infiltrating lymphocytes of a finished run."""
    parser = subparsers.add_parser(
        "til",
        help="score the tumour-infiltrating lymphocytes of a run",
        description="Score the tumour-infiltrating lymphocytes of a finished run, for research "
        "only. Without --roi the scores are also kept in the run's folder.",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="the folder analyse has named")
    parser.add_argument(
        "--roi",
        metavar="FILE",
        type=Path,
        help="GeoJSON polygons to include, to exclude (kind exclude, or QuPath's class Ignore*) and of "
        "tumour (kind tumour, or QuPath's class Tumor), in which alone epithelium and stroma are then "
        "sought; the first figure is of those to include together, then comes each of them. By default the "
        "whole run is scored with the ROIs that the store keeps with a slide of this machine; what is "
        "drawn on a sample or an upload belongs to the browser: save it under Files and give it here",
    )
    add_slide(parser)
    add_as_found(parser)
    add_json(parser)
    parser.set_defaults(run=_til, parser=parser)


def _til(options: argparse.Namespace) -> int:
    run = run_asked(open_run(options.run_folder), options)
    with needed_slide(run):
        return _score(run, options)


def _score(run: Run, options: argparse.Namespace) -> int:
    version = FiguresVersion.now(run)  # before the ROIs are read
    rois = rois_asked(run, options.roi)
    whole, *parts = parts_of(run, rois)
    part = whole if options.roi is None or not parts else joined(parts)
    result = assess(run, part=part, version=version)
    if options.roi is None and not options.as_found:
        keep_scores(run, result)
    counted, name = counted_of(run, rois, part=part), run.slide_path.name
    say(_til_sentence(name if counted.title == WHOLE else f"{name}, {counted.title}", result))
    if result.tumour:
        say(result.tumour.in_words())
    for warning in result.warnings:
        say(f"{run.slide_path.name}: {warning}")
    assessed = list(assess_parts(run, parts)) if parts else []
    for each in assessed:
        say(_til_sentence(each.name, each.result) if each.result else f"{each.name}: {each.reason}")
    if options.json:
        by_roi = [
            {
                "name": each.name,
                "reason": each.reason,
                **(each.result.to_json() if each.result else {}),
            }
            for each in assessed
        ]
        of = {"run": str(run.path), **counted.scored()}
        write_json({**of, **result.to_json(), "by_roi": by_roi}, options.json)
    return 0


def add_as_found(parser: argparse.ArgumentParser) -> None:
    """Add ``--as-found``, which `run_asked` answers."""
    parser.add_argument(
        "--as-found",
        action="store_true",
        help="nuclei as the model found them, without a classifier and without corrections",
    )


def run_asked(run: Run, options: argparse.Namespace) -> Run:
    """Return a run with its slide where the options say, as it was found where they say so."""
    placed = with_slide(run, options)
    return placed.as_found() if options.as_found else placed


def rois_asked(run: Run, path: Path | None) -> list[Roi]:
    """Return the ROIs of a file, else those that the store keeps with the slide."""
    if path is None:
        return kept_rois(run)
    bounds = run.facts.slide.bounds
    return [roi.moved(bounds.x, bounds.y) for roi in read_rois(path, say)]


def _til_sentence(name: str, result: TilResult) -> str:
    score = result.stil_area_pct
    if score.value is None:
        return f"{name}: {result.reason}"
    least = "at least " if score.caution else ""
    interval = (
        "no interval"
        if score.low is None
        else f"95 % {least}{in_percent(score.low)} to {in_percent(score.high)}"
    )
    return (
        f"{name}: lymphocytes cover {in_percent(score.value)} % of {result.areas_mm2['stroma']:.2f} mm² "
        f"stroma ({interval}), phenotype {result.phenotype.name or 'not evaluable'}; "
        "for research only."
    )
