"""The command ``analyse``."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seg_core.analysis import analyse
from seg_core.annotations import read_rois
from seg_core.classes import OTHER
from seg_core.commands.analysis_options import add_analysis_options, analysis_settings
from seg_core.commands.terminal import StageBars, Subparsers, add_json, fail, say, write_json
from seg_core.errors import SegCoreError, counted
from seg_core.files.outputs import refuse_inputs
from seg_core.model import find_model
from seg_core.process.memory import hold_little_memory
from seg_core.roi import Roi, included
from seg_core.slide import bounds_of, series_apart
from seg_core.store import Run, Selection, default_store
from seg_core.teaching.apply import classify, doubt_about
from seg_core.teaching.classifier import Classifier, read_classifier


def add_analyse(subparsers: Subparsers) -> None:
    """Add ``analyse``: find the nuclei of slides."""
    parser = subparsers.add_parser(
        "analyse",
        help="find the nuclei of one or more slides",
        description="Find the nuclei of slides. What was asked before is answered from the "
        "store; what was stopped goes on.",
    )
    parser.add_argument("slides", metavar="SLIDE", nargs="+", type=Path)
    parser.add_argument("--out", metavar="STORE", type=Path, help="folder of all runs")
    add_analysis_options(parser)
    parser.add_argument(
        "--classifier", metavar="FILE", type=Path, help="let it name the nuclei; see teach"
    )
    add_json(parser)
    parser.set_defaults(run=_analyse, parser=parser)


def _analyse(options: argparse.Namespace) -> int:
    hold_little_memory(at_work=True)
    settings = analysis_settings(options)
    store = options.out or default_store()
    drawn = None if options.roi is None else read_rois(options.roi, say)
    if options.json:
        read = [*options.slides, *filter(None, [options.roi, options.classifier])]
        refuse_inputs([Path(options.json)], read)
    classifier = _classifier(options)

    def ask(slide_path: Path, roi: Roi | None) -> Run:
        with StageBars(slide_path.name) as bars:
            run = analyse(
                slide_path,
                store,
                region=options.region,
                roi=roi,
                model=options.model,
                mpp=options.mpp,
                settings=settings,
                report=bars,
                thoroughly=True,
            )
        if classifier is None:
            return run
        return classify(run, classifier, name=options.classifier.stem)

    results: list[dict[str, Any]] = []
    status = 0
    for slide_path in series_apart(options.slides):
        try:
            rois = [None] if drawn is None else _rois_on(slide_path, drawn)
        except SegCoreError as error:
            status = fail(error)
            results.append({"slide": slide_path.name, "error": str(error)})
            continue
        for roi in rois:
            try:
                run = ask(slide_path, roi)
            except SegCoreError as error:
                status = fail(error)
                results.append({"slide": slide_path.name, "error": str(error)})
            except KeyboardInterrupt:
                return fail(
                    f"{slide_path.name} was stopped; the same command goes on where it stopped."
                )
            else:
                say(_sentence(run))
                doubt = classifier and doubt_about(classifier, run.facts.question.naming)
                for warning in filter(None, [*run.facts.warnings, doubt]):
                    say(f"{slide_path.name}: {warning}")
                results.append(_result(run))
    if options.json:
        write_json(results[0] if len(results) == 1 else {"runs": results}, options.json)
    return status


def _classifier(options: argparse.Namespace) -> Classifier | None:
    """Return the classifier that is to name the nuclei, refused before hours go by if it cannot."""
    if options.classifier is None:
        return None
    classifier = read_classifier(options.classifier)
    card, _ = find_model(options.model)
    classifier.refuse_other_model(card.name, card.sha256)
    return classifier


def _rois_on(slide_path: Path, drawn: Sequence[Roi]) -> Sequence[Roi | None]:
    """Return what is to be analysed of a slide: what was drawn, less what is to be left out."""
    bounds = bounds_of(slide_path)
    return included([roi.moved(bounds.x, bounds.y) for roi in drawn], bounds)


def _result(run: Run) -> dict[str, Any]:
    """Return the figures that other programs rely on."""
    facts = run.facts
    counts = run.nucleus_queries().counts(Selection(run.scheme.names_with_other))
    other = counts.pop(OTHER, 0)
    return {
        "run": str(run.path),
        "slide": facts.slide.path.name,
        "engine": facts.engine,
        "precision": facts.precision,
        "megapixels": facts.megapixels,
        "seconds": facts.seconds,
        "peak_rss_mb": facts.peak_rss_mb,
        "nuclei": counts,
        "other": other,
        "classifier": run.classifier,
        "tissue_um2": facts.tissue_um2,
        "warnings": list(facts.warnings),
    }


def _sentence(run: Run) -> str:
    result = _result(run)
    counts = ", ".join(f"{name} {count:,}" for name, count in result["nuclei"].items())
    return (
        f"{result['slide']}: {counted(sum(result['nuclei'].values()), 'nucleus', 'nuclei')} "
        f"({counts}) in "
        f"{result['megapixels']:.1f} Mpx, {result['seconds']:.1f} s: {run.path}"
    )
